"""Who is who among the cases, in memory: the same person, and supporters who share something."""

from dataclasses import dataclass, field

from domain.humanitarian_parole.application import Beneficiary, Supporter
from domain.humanitarian_parole.persons import person_identities, supporter_identities
from domain.humanitarian_parole.stages.filing import ApplicationFiled, beneficiary_of
from domain.humanitarian_parole.stages.passport import PassportChanged
from domain.humanitarian_parole.stages.sponsor import Sponsor, SponsorReplaced
from domain.humanitarian_parole.world import Detail
from domain.kernel.case import Case
from domain.kernel.definition import Backer
from domain.kernel.events import CaseEvent
from domain.kernel.ids import CaseId

DETAILS: tuple[Detail, ...] = ("tax_id", "phone", "address")


@dataclass
class Known:
    """What is known of one case: when it was filed, whom it is about, and who ever stood behind it."""

    number: int
    identities: set[str] = field(default_factory=set)
    supporters: list[Backer] = field(default_factory=list)
    closed: bool = False


class People:
    """Looks up cases filed before a given one."""

    def __init__(self) -> None:
        self._known: dict[CaseId, Known] = {}

    def learn(self, case: Case, event: CaseEvent) -> None:
        """Take in what `event` says, which left `case`."""
        if isinstance(event, ApplicationFiled):
            self._known[case.case_id] = Known(len(self._known))
        known = self._known[case.case_id]
        if isinstance(event, ApplicationFiled | PassportChanged):
            known.identities.update(person_identities(beneficiary_of(case)))
        supporter = case.of(Sponsor).supporter
        if isinstance(event, ApplicationFiled | SponsorReplaced) and supporter:
            known.supporters.append(supporter_identities(supporter))
        known.closed = case.closed

    def same_person(self, case_id: CaseId, beneficiary: Beneficiary) -> tuple[CaseId, ...]:
        """Open cases of the same person that were filed before `case_id`, or any if it is not filed yet."""
        identities = set(person_identities(beneficiary))
        return tuple(
            other for other, known in self._before(case_id) if not known.closed and identities & known.identities
        )

    def is_open(self, case_id: CaseId | None) -> bool:
        """Whether the case is filed and open."""
        return case_id is not None and case_id in self._known and not self._known[case_id].closed

    def earlier_cases_of(self, case_id: CaseId, supporter: Supporter) -> int:
        """Cases filed before `case_id`, open or closed, that the same supporter ever stood behind."""
        person = supporter_identities(supporter).person
        return sum(any(each.person == person for each in known.supporters) for _, known in self._before(case_id))

    def shared_details(self, case_id: CaseId, supporter: Supporter) -> tuple[Detail, ...]:
        """Details equal to a different supporter's in a case filed before `case_id`."""
        mine = supporter_identities(supporter)
        others = [each for _, known in self._before(case_id) for each in known.supporters if each.person != mine.person]
        return tuple(
            detail
            for detail in DETAILS
            if getattr(mine, detail) and any(getattr(each, detail) == getattr(mine, detail) for each in others)
        )

    def _before(self, case_id: CaseId) -> list[tuple[CaseId, Known]]:
        mine = self._known.get(case_id)
        return [
            (other, known)
            for other, known in self._known.items()
            if other != case_id and (mine is None or known.number < mine.number)
        ]
