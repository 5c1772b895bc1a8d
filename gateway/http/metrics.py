"""The gateway's metrics. Labels are closed sets: an id or a personal value is never a label."""

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest

_LATENCY_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
"""Up to the longest `Prefer: wait`."""


class GatewayMetrics:
    """The counters of one app, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "passage_gateway_requests",
            "Requests answered, by route template",
            ("method", "route", "status"),
            registry=self.registry,
        )
        self.latency = Histogram(
            "passage_gateway_request_seconds",
            "Time to the end of the answer",
            ("route",),
            buckets=_LATENCY_S,
            registry=self.registry,
        )
        self.received = Counter(
            "passage_gateway_messages",
            "Messages taken into the inbox, and repeats that got their first receipt",
            ("kind", "first"),
            registry=self.registry,
        )
        self.refused = Counter(
            "passage_gateway_refusals", "Requests answered with a problem", ("code", "partner"), registry=self.registry
        )
        self.boarding = Counter(
            "passage_gateway_boarding_checks", "Boarding checks, by answer", ("answer",), registry=self.registry
        )

    def text(self) -> bytes:
        """All metrics in Prometheus's text format."""
        return generate_latest(self.registry)
