"""What is read before anything is decided: the case, the programme, the rules, and the world around them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from domain.application import Beneficiary, Supporter
from domain.calendar import month_of
from domain.case import Case
from domain.commands import Command, FileApplication
from domain.events import CaseEvent
from domain.evolve import fold
from domain.ids import CaseId
from domain.persons import person_identities, supporter_identities
from domain.programme import Programme, ProgrammeEvent, evolve_programme
from domain.rules.rule_set import RuleBook, RuleSet
from domain.world import World
from eventstore.format.lookups import Lookups
from eventstore.inbox import Inbox
from eventstore.port import EventStore, Pending, ReadAt, Stream
from eventstore.world import SupporterKeys, WorldQuery, WorldRead


class RulesUnknown(Exception):
    """A case follows a rule set that this process does not have: one that does will take it (deploy in any order)."""


class EarlierFilingPending(Exception):
    """An earlier filing of the same person is received and not decided: it comes first."""


@dataclass(frozen=True, slots=True)
class CaseAt:
    """A case as its stream stands at one moment, and the hash that the next event follows."""

    case: Case
    hash: bytes


@dataclass(frozen=True, slots=True)
class CaseSeen:
    """A case, what waits for it, and what was read around it at the same time, if anything was."""

    at: CaseAt
    programme: str
    """Empty where there is neither a case nor a filing."""
    pending: Pending
    around: tuple[WorldQuery, WorldRead] | None = None
    """Most decisions ask just this; the others, and those that come after another, read again."""

    @property
    def case(self) -> Case:
        """The case itself."""
        return self.at.case


@dataclass(frozen=True, slots=True)
class WorldAt:
    """A world, and the versions at which it was read."""

    world: World
    read_at: ReadAt


class CaseRepository:
    """Reads cases, programmes and their world from the store; decides and writes nothing."""

    def __init__(self, store: EventStore, inbox: Inbox, lookups: Lookups, rules: RuleBook) -> None:
        self.store = store
        self.inbox = inbox
        self.rules = rules
        self._lookups = lookups
        self._programmes: dict[str, Programme] = {}

    async def case_at(self, case_id: CaseId) -> CaseAt:
        """The case folded from its whole stream; version 0 where it was never filed."""
        return _folded(case_id, await self.store.load(case_id))

    async def see(self, case_id: CaseId, now: datetime) -> CaseSeen:
        """The case and all that most decisions need, in one round trip."""
        month = month_of(now)
        look = await self.store.look(case_id, month)
        query = WorldQuery(programme=look.programme, case_id=case_id, month=month)
        return CaseSeen(_folded(case_id, look.stream), look.programme, look.pending, (query, look.world))

    async def case(self, case_id: CaseId) -> Case:
        """The case as it stands."""
        return (await self.case_at(case_id)).case

    async def is_closed(self, case_id: CaseId) -> bool:
        """Whether the log says that the case is closed; not of a case that nobody filed."""
        summary = await self.store.summary(case_id)
        return summary is not None and summary.closed

    async def programme(self, programme: str) -> Programme:
        """The programme as it stands; version 0 where it was never opened."""
        state = Programme()
        for stored in (await self.store.load(programme)).events:
            state = evolve_programme(state, cast("ProgrammeEvent", stored.event))
        if state.version > 0:  # one that is about to be opened is not worth remembering
            self._programmes[programme] = state
        return state

    async def known_programme(self, programme: str) -> Programme:
        """The programme as this process last saw it: good for a guess that a decision then checks."""
        return self._programmes.get(programme) or await self.programme(programme)

    async def _programme_at(self, programme: str, version: int) -> Programme:
        """The programme at `version` or later: folded anew only when it has changed."""
        known = self._programmes.get(programme)
        return known if known is not None and known.version == version else await self.programme(programme)

    def rules_of(self, case: Case, programme: Programme) -> RuleSet:
        """The rules the case follows: those in force at its filing, unless a later set says otherwise.

        Raises:
            RulesUnknown: this process does not have them.
        """
        version = programme.rules_version
        if case.filed_at is not None:
            version = programme.rules_version_for(case.rules_version, case.filed_at)
        rules = self.rules.get(version)
        if rules is None:
            raise RulesUnknown
        return rules

    def person_keys(self, beneficiary: Beneficiary) -> tuple[bytes, ...]:
        """The lookup keys under which the same beneficiary is found again."""
        return self._lookups.persons(person_identities(beneficiary))

    def supporter_keys(self, supporter: Supporter) -> SupporterKeys:
        """The lookup keys of a supporter and of their details."""
        return self._lookups.supporter(*supporter_identities(supporter))

    async def world(self, seen: CaseSeen, command: Command, now: datetime) -> WorldAt:
        """What a decision on `command` needs beyond the case, as of `now`.

        Raises:
            EarlierFilingPending: an earlier filing of the same person must be decided first.
            RulesUnknown: this process does not have the rules of the case.
        """
        query = self._query(seen.case, seen.programme, command, now)
        asked, known = seen.around or (None, None)
        read = known if known is not None and asked == query else await self.store.read_world(query)
        if read.earlier_filing_pending:
            raise EarlierFilingPending
        state = await self._programme_at(seen.programme, read.programme_version)
        return WorldAt(self._world(seen.case, state, read, now), _read_at(query, state, read))

    def _query(self, case: Case, programme: str, command: Command, now: datetime) -> WorldQuery:
        filing = isinstance(command, FileApplication) and not case.filed
        beneficiary = case.beneficiary
        if isinstance(command, FileApplication) and not case.filed:
            beneficiary = command.message.application.beneficiary
        judged = None if case.admitted else beneficiary
        supporter = None if filing or case.sponsor_ok else case.supporter
        travels_with = beneficiary.travels_with if beneficiary else None
        return WorldQuery(
            programme=programme,
            case_id=case.case_id,
            month=month_of(now),
            person_keys=self.person_keys(judged) if judged else (),
            supporter=self.supporter_keys(supporter) if supporter else None,
            principal=travels_with.case if travels_with else None,
        )

    def _world(self, case: Case, programme: Programme, read: WorldRead, now: datetime) -> World:
        return World(
            now=now,
            rules=self.rules_of(case, programme),
            programme=programme,
            place=read.place,
            same_person=read.same_person,
            principal_open=read.principal_open,
            earlier_supporter_cases=read.earlier_supporter_cases,
            shared_details=read.shared_details,
        )


def _folded(case_id: CaseId, stream: Stream) -> CaseAt:
    events = (cast("CaseEvent", stored.event) for stored in stream.events)
    return CaseAt(fold(Case(case_id), events), stream.hash)


def _read_at(query: WorldQuery, programme: Programme, read: WorldRead) -> ReadAt:
    versions: Mapping[bytes, int] = read.person_versions if query.person_keys else {}
    return ReadAt(programme_version=programme.version, person_versions=versions)
