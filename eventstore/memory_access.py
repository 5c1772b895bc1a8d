"""The access log in memory."""

from collections.abc import Callable, Collection, MutableMapping
from datetime import datetime
from itertools import count, islice

from domain.access import HistoryStored, LegalHoldPlaced, LegalHoldReleased, access_stream
from eventstore.access import MAX_EVENTS, AccessRecord, NotedCheck, digest_of, record_of_checks, wrap_access
from eventstore.conflicts import CommandContentDiffers, ErasureRefused
from eventstore.format.codec import Codec
from eventstore.format.envelope import NO_HASH, Envelope, command_digest_of
from eventstore.summary import CaseSummary


class MemoryAccess:
    """`AccessLog` over the rows of the store."""

    def __init__(self, rows: MutableMapping[str, list[Envelope]], clock: Callable[[], datetime], codec: Codec) -> None:
        self._rows = rows
        self._clock = clock
        self._codec = codec
        self._held: set[str] = set()
        self._kept: set[str] = set()
        self._checks: dict[int, NotedCheck] = {}
        self._numbers = count(1)

    async def record(self, record: AccessRecord) -> int:  # noqa: D102  # the port says it
        stream = self._rows[access_stream(record.programme)]
        before = [row for row in stream if row.command_id == record.command_id]
        if before:
            if command_digest_of(before[-1].header) != digest_of(record, self._codec):
                raise CommandContentDiffers(record.command_id)
            return before[-1].version
        previous = stream[-1].hash if stream else NO_HASH
        stream += wrap_access(record, len(stream), previous, self._clock(), self._codec)
        for event in record.events:
            if isinstance(event, LegalHoldPlaced):
                self._held.add(event.case)
            elif isinstance(event, LegalHoldReleased):
                self._held.discard(event.case)
            elif isinstance(event, HistoryStored):
                self._kept.add(event.run)
        return len(stream)

    async def kept(self, runs: Collection[str]) -> frozenset[str]:  # noqa: D102  # the port says it
        return frozenset(self._kept.intersection(runs))

    async def note_check(self, check: NotedCheck) -> None:  # noqa: D102  # the port says it
        self._checks[next(self._numbers)] = check

    async def record_checks(self) -> int:  # noqa: D102  # the port says it
        if not self._checks:
            return 0
        oldest = next(iter(self._checks.values()))
        alike = (
            number
            for number, check in self._checks.items()
            if (check.programme, check.carrier) == (oldest.programme, oldest.carrier)
        )
        numbers = list(islice(alike, MAX_EVENTS))
        await self.record(record_of_checks(numbers[0], [self._checks.pop(number) for number in numbers]))
        return len(numbers)

    async def is_held(self, case_id: str) -> bool:  # noqa: D102  # the port says it
        return case_id in self._held

    def refuse_erasure(self, case_id: str, summary: CaseSummary | None, *, undecided: bool) -> None:
        """Raises ErasureRefused where the case must not be erased, or not yet."""
        refused = {
            "unknown-case": summary is None,
            "case-open": summary is not None and not summary.closed,
            "legal-hold": case_id in self._held,
            "messages-undecided": undecided,
        }
        for code, holds in refused.items():
            if holds:
                raise ErasureRefused(code)
