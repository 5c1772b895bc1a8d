"""Partners that live in memory, for tests of what stands above them; held to the same suite as the HTTP clients."""

from collections import defaultdict, deque
from collections.abc import Callable
from datetime import datetime

from activities.partners.clients import AnyCheck, PartnerClients
from activities.partners.entry_records import EntryCheck
from activities.partners.errors import PartnerError
from activities.partners.requests import Accepted
from activities.partners.sponsor_registry import SponsorCheck
from activities.partners.vetting import VettingCheck
from activities.partners.work_permit_office import WorkPermitCheck
from domain.vocabulary import Partner


class MemoryPartners:
    """All four ports at once. `calls` has every call, `taken` each accepted request once, both in order."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self.calls: list[AnyCheck] = []
        self.taken: list[AnyCheck] = []
        self._now = now
        self._receipts: dict[tuple[Partner, str], Accepted] = {}
        self._failures: defaultdict[Partner, deque[PartnerError]] = defaultdict(deque)

    def fail_next(self, *errors: PartnerError) -> None:
        """Each of the next calls to the error's partner raises one of `errors`, in order."""
        for error in errors:
            self._failures[error.partner].append(error)

    def clients(self) -> PartnerClients:
        """These partners as the container that activities use."""
        return PartnerClients(self, self, self, self)

    async def request_confirmation(self, request: SponsorCheck) -> Accepted:
        """See `SponsorRegistry`."""
        return self._take(request)

    async def request_entry_check(self, request: EntryCheck) -> Accepted:
        """See `EntryRecords`."""
        return self._take(request)

    async def request_vetting(self, request: VettingCheck) -> Accepted:
        """See `Vetting`."""
        return self._take(request)

    async def request_eligibility(self, request: WorkPermitCheck) -> Accepted:
        """See `WorkPermitOffice`."""
        return self._take(request)

    def _take(self, request: AnyCheck) -> Accepted:
        self.calls.append(request)
        failures = self._failures[request.PARTNER]
        if failures:
            raise failures.popleft()
        key = (request.PARTNER, request.request_id)
        if key not in self._receipts:
            self.taken.append(request)
            self._receipts[key] = Accepted(
                request_id=request.request_id, case_id=request.case_id, accepted_at=self._now()
            )
        return self._receipts[key]
