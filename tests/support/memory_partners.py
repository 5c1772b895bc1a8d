"""Partners that live in memory, for tests of what stands above them; held to the same suite as the HTTP clients."""

import json
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from activities.partners.errors import PartnerError
from activities.partners.requests import Accepted, AnswerGiven, Status
from domain.kernel.messages import PartnerAnswer, PartnerCheck
from domain.kernel.proof import Proof
from eventstore.partner_calls import Paused


class MemoryPartners:
    """All four partners. `calls` has every call, `taken` each accepted request once, both in order."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self.calls: list[PartnerCheck] = []
        self.taken: list[PartnerCheck] = []
        self.taken_by_partner: list[tuple[str, str]] = []
        """Of each of `taken`: the partner, and the request's id."""
        self._now = now
        self._receipts: dict[tuple[str, str], Accepted] = {}
        self._answers: dict[tuple[str, str], AnswerGiven] = {}
        self._failures: defaultdict[str, deque[PartnerError]] = defaultdict(deque)

    def fail_next(self, *errors: PartnerError) -> None:
        """Each of the next calls to the error's partner raises one of `errors`, in order."""
        for error in errors:
            self._failures[error.partner].append(error)

    def recover(self, partner: str) -> None:
        """No call to `partner` fails any more."""
        self._failures[partner].clear()

    def answer(self, partner: str, request_id: str, answer: PartnerAnswer) -> None:
        """`partner` has answered, and says so when it is asked; nobody is told otherwise."""
        case_id = self._receipts[partner, request_id].case_id
        body = {"case": case_id, **answer.model_dump(mode="json", exclude_none=True)}
        self._answers[partner, request_id] = AnswerGiven(
            f"{request_id}:answer", Proof("asked", partner, "5f3a91c2"), json.dumps(body).encode()
        )

    def forget(self, partner: str, request_id: str) -> None:
        """`partner` knows nothing of a request that it took."""
        del self._receipts[partner, request_id]

    def clients(self) -> "MemoryClients":
        """These partners as activities see them."""
        return MemoryClients(self)

    def take(self, partner: str, request: PartnerCheck) -> Accepted:
        """A call arrives."""
        self.calls.append(request)
        self._fail(partner)
        key = (partner, request.request_id)
        if key not in self._receipts:
            self.taken.append(request)
            self.taken_by_partner.append(key)
            self._receipts[key] = Accepted(
                request_id=request.request_id, case_id=request.case_id, accepted_at=self._now()
            )
        return self._receipts[key]

    def tell(self, partner: str, request_id: str) -> Status:
        """A question about a request arrives."""
        self._fail(partner)
        if (partner, request_id) not in self._receipts:
            return "unknown"
        return self._answers.get((partner, request_id), "pending")

    def _fail(self, partner: str) -> None:
        if self._failures[partner]:
            raise self._failures[partner].popleft()


@dataclass(frozen=True, slots=True)
class MemoryClients:
    """`Partners` over memory."""

    partners: MemoryPartners

    async def call(self, partner: str, request: PartnerCheck) -> Accepted:
        """See `Partners`."""
        return self.partners.take(partner, request)

    async def status(self, partner: str, request_id: str, case_id: str) -> Status:  # noqa: ARG002  one case a request
        """See `Partners`."""
        return self.partners.tell(partner, request_id)

    async def pause(self, _: str) -> Paused | None:
        """None: they take whatever they are given."""
        return None
