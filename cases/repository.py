"""What is read before anything is decided: the case, the programme, the rules, and the world around them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from domain import registry
from domain.kernel.calendar import month_of
from domain.kernel.case import Case
from domain.kernel.decider import World, fold
from domain.kernel.definition import Backer
from domain.kernel.events import CaseClosed, CaseEvent
from domain.kernel.ids import CaseId
from domain.kernel.messages import Command
from domain.kernel.programme import Programme, ProgrammeEvent, evolve_programme
from domain.kernel.rule_set import RuleSet
from eventstore.format.lookups import Lookups
from eventstore.inbox import Inbox
from eventstore.port import EventStore, Pending, ReadAt, Stream
from eventstore.world import SupporterKeys, WorldQuery, WorldRead


class RulesUnknown(Exception):
    """A case follows a set with a rule that this process does not know: a newer one will take it."""


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

    def __init__(self, store: EventStore, inbox: Inbox, lookups: Lookups) -> None:
        self.store = store
        self.inbox = inbox
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

    async def has_closed(self, case_id: CaseId) -> bool:
        """Whether the log says that the case closed, also where it was opened again; not of one that nobody filed."""
        if await self.is_closed(case_id):
            return True
        return any(isinstance(stored.event, CaseClosed) for stored in (await self.store.load(case_id)).events)

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
            RulesUnknown: they name a rule that this process does not know.
        """
        rules = programme.rules_for(case.rules_version, case.filed_at)
        if not registry.programme(programme.programme).family.knows(rules):
            raise RulesUnknown
        return rules

    def person_keys(self, persons: Iterable[str]) -> tuple[bytes, ...]:
        """The lookup keys under which the same person is found again."""
        return self._lookups.persons(persons)

    def message_id(self, caller: str, given: str) -> str:
        """What stands in the record for an id that a person's system chose: it may hold a name, and is no secret."""
        return self._lookups.message(caller, given)

    def backer_keys(self, backer: Backer) -> SupporterKeys:
        """The lookup keys of whoever stands behind a case, and of their details."""
        return self._lookups.supporter(backer.person, backer.tax_id, backer.phone, backer.address)

    async def world(self, seen: CaseSeen, command: Command, now: datetime) -> WorldAt:
        """What a decision on `command` needs beyond the case, as of `now`.

        Raises:
            EarlierFilingPending: an earlier filing of the same person must be decided first.
            RulesUnknown: this process does not know a rule of the case.
        """
        query = self._query(seen.case, seen.programme, command, now)
        asked, known = seen.around or (None, None)
        read = known if known is not None and asked == query else await self.store.read_world(query)
        if read.earlier_filing_pending:
            raise EarlierFilingPending
        state = await self._programme_at(seen.programme, read.programme_version)
        return WorldAt(self._world(seen.case, state, read, now), _read_at(query, state, read))

    def _query(self, case: Case, programme: str, command: Command, now: datetime) -> WorldQuery:
        asked = registry.programme(programme).family.enquire(case, command)
        return WorldQuery(
            programme=programme,
            case_id=case.case_id,
            month=month_of(now),
            person_keys=self.person_keys(asked.persons),
            supporter=self.backer_keys(asked.backer) if asked.backer else None,
            principal=asked.principal,
            allotment=asked.allotment,
            quantity=asked.quantity,
        )

    def _world(self, case: Case, programme: Programme, read: WorldRead, now: datetime) -> World:
        world: World = registry.programme(programme.programme).family.world(
            now=now,
            rules=self.rules_of(case, programme),
            programme=programme,
            place=read.place,
            same_person=read.same_person,
            principal_open=read.principal_open,
            earlier_supporter_cases=read.earlier_supporter_cases,
            shared_details=read.shared_details,
        )
        return world


def _folded(case_id: CaseId, stream: Stream) -> CaseAt:
    events = (cast("CaseEvent", stored.event) for stored in stream.events)
    return CaseAt(fold(registry.family_of(case_id), Case(case_id), events), stream.hash)


def _read_at(query: WorldQuery, programme: Programme, read: WorldRead) -> ReadAt:
    versions: Mapping[bytes, int] = read.person_versions if query.person_keys else {}
    return ReadAt(programme_version=programme.version, person_versions=versions)
