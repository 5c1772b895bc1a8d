"""Partners that live in memory, for tests of what stands above them; held to the same suite as the HTTP clients."""

import json
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from activities.partners.clients import AnyCheck, PartnerClients
from activities.partners.entry_records import EntryCheck
from activities.partners.errors import PartnerError
from activities.partners.requests import Accepted, AnswerGiven, Status
from activities.partners.sponsor_registry import SponsorCheck
from activities.partners.vetting import VettingCheck
from activities.partners.work_permit_office import WorkPermitCheck
from domain.kernel.ids import Code
from domain.kernel.messages import PartnerAnswer


class MemoryPartners:
    """All four partners. `calls` has every call, `taken` each accepted request once, both in order."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self.calls: list[AnyCheck] = []
        self.taken: list[AnyCheck] = []
        self._now = now
        self._receipts: dict[tuple[Code, str], Accepted] = {}
        self._answers: dict[tuple[Code, str], AnswerGiven] = {}
        self._failures: defaultdict[Code, deque[PartnerError]] = defaultdict(deque)

    def fail_next(self, *errors: PartnerError) -> None:
        """Each of the next calls to the error's partner raises one of `errors`, in order."""
        for error in errors:
            self._failures[error.partner].append(error)

    def recover(self, partner: Code) -> None:
        """No call to `partner` fails any more."""
        self._failures[partner].clear()

    def answer(self, partner: Code, request_id: str, answer: PartnerAnswer) -> None:
        """`partner` has answered, and says so when it is asked; nobody is told otherwise."""
        case_id = self._receipts[partner, request_id].case_id
        body = {"case": case_id, **answer.model_dump(mode="json", exclude_none=True)}
        self._answers[partner, request_id] = AnswerGiven(f"{request_id}:answer", json.dumps(body).encode())

    def forget(self, partner: Code, request_id: str) -> None:
        """`partner` knows nothing of a request that it took."""
        del self._receipts[partner, request_id]

    def clients(self) -> PartnerClients:
        """These partners as the container that activities use."""
        sponsors, entries, vetting, permits = (
            _MemoryPartner(self, partner)
            for partner in ("sponsor_registry", "entry_records", "vetting", "work_permit_office")
        )
        return PartnerClients(sponsors, entries, vetting, permits)

    def take(self, request: AnyCheck) -> Accepted:
        """A call arrives."""
        self.calls.append(request)
        self._fail(request.PARTNER)
        key = (request.PARTNER, request.request_id)
        if key not in self._receipts:
            self.taken.append(request)
            self._receipts[key] = Accepted(
                request_id=request.request_id, case_id=request.case_id, accepted_at=self._now()
            )
        return self._receipts[key]

    def tell(self, partner: Code, request_id: str) -> Status:
        """A question about a request arrives."""
        self._fail(partner)
        if (partner, request_id) not in self._receipts:
            return "unknown"
        return self._answers.get((partner, request_id), "pending")

    def _fail(self, partner: Code) -> None:
        if self._failures[partner]:
            raise self._failures[partner].popleft()


@dataclass(frozen=True, slots=True)
class _MemoryPartner:
    """One partner, behind the ports of all four."""

    partners: MemoryPartners
    partner: Code

    async def request_confirmation(self, request: SponsorCheck) -> Accepted:
        """See `SponsorRegistry`."""
        return self.partners.take(request)

    async def request_entry_check(self, request: EntryCheck) -> Accepted:
        """See `EntryRecords`."""
        return self.partners.take(request)

    async def request_vetting(self, request: VettingCheck) -> Accepted:
        """See `Vetting`."""
        return self.partners.take(request)

    async def request_eligibility(self, request: WorkPermitCheck) -> Accepted:
        """See `WorkPermitOffice`."""
        return self.partners.take(request)

    async def status(self, request_id: str, case_id: str) -> Status:  # noqa: ARG002  a request has one case here
        """See `TellsStatus`."""
        return self.partners.tell(self.partner, request_id)
