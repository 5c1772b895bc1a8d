"""The events of one decision as they are drafted, and the case as each of them leaves it."""

from datetime import date, datetime

from domain.calendar import day_of
from domain.case import Case
from domain.events import Basis, CaseClosed, CaseEvent, RuleResult, TravelAuthorizationRevoked
from domain.evolve import evolve
from domain.vocabulary import Outcome, Reason
from domain.world import World


class Draft:
    """Collects events. Local to one call of `decide`, which stays pure."""

    def __init__(self, case: Case, world: World) -> None:
        self.case = case
        self.world = world
        self.events: list[CaseEvent] = []

    def add(self, *events: CaseEvent) -> None:
        """Record events, each on the case that the one before left."""
        for event in events:
            self.case = evolve(self.case, event)
            self.events.append(event)

    @property
    def now(self) -> datetime:
        """The moment of decision, never before what has already happened in the case."""
        return self._not_before(self.world.now)

    @property
    def today(self) -> date:
        """The day of decision, America/New_York."""
        return day_of(self.world.now)

    def at(self, happened_at: datetime) -> datetime:
        """When something outside happened, kept in the order in which the case learned of it."""
        return self._not_before(happened_at)

    def _not_before(self, moment: datetime) -> datetime:
        return moment if self.case.last_at is None else max(moment, self.case.last_at)

    def basis(self, *results: RuleResult, earlier_supporter_cases: int | None = None) -> Basis:
        """What a decision made now rests on."""
        return Basis(
            rules_version=self.world.rules.version,
            rules_digest=self.world.rules.digest,
            programme_version=self.world.programme.version,
            decided_on=self.today,
            results=results,
            earlier_supporter_cases=earlier_supporter_cases,
        )

    def closing(self, outcome: Outcome, reason: Reason, basis: Basis | None = None) -> tuple[CaseEvent, ...]:
        """The case closes; an authorization that stands is revoked with the same reason first."""
        if self.case.authorization and not self.case.parole:
            return (
                TravelAuthorizationRevoked(at=self.now, reason=reason, basis=basis),
                CaseClosed(at=self.now, outcome="revoked", reason=reason, basis=basis),
            )
        return (CaseClosed(at=self.now, outcome=outcome, reason=reason, basis=basis),)
