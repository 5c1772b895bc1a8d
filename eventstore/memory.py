"""The event store in memory: the reference for what the port means, and for tests that need no server.

It writes the same envelopes as the Postgres store. One event loop, no durability.
"""

from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import datetime
from itertools import count
from typing import Literal

from domain.events import PersonalDataErased
from domain.messages import PlaceOffered, ProgrammeChanged
from eventstore.conflicts import (
    CommandContentDiffers,
    Conflict,
    IllegalAppend,
    MessageDecided,
    MessageFirst,
    PersonConflict,
    ProgrammeConflict,
    VersionConflict,
)
from eventstore.format.codec import CODEC, Codec
from eventstore.format.envelope import NO_HASH, Envelope, command_digest_of, machine_clock
from eventstore.format.wrapping import needs_key, unwrap, wrap
from eventstore.keys import KeyStore, keys_of
from eventstore.memory_access import MemoryAccess
from eventstore.memory_heads import MemoryCall, MemoryCase
from eventstore.memory_inbox import MemoryInbox
from eventstore.memory_places import Places
from eventstore.memory_supporters import Supporters
from eventstore.places import AllotPlaces
from eventstore.port import Append, Appended, Look, Notification, OpenedCall, Pending, Stream
from eventstore.summary import CaseSummary, ProgrammeSummary, StuckCandidate, SummaryFilter
from eventstore.world import WorldQuery, WorldRead


class MemoryStore:
    """`EventStore` over dictionaries; `inbox` is its `Inbox`."""

    def __init__(self, keys: KeyStore, clock: Callable[[], datetime] = machine_clock, codec: Codec = CODEC) -> None:
        self._keys = keys
        self._clock = clock
        self._codec = codec
        self._rows: defaultdict[str, list[Envelope]] = defaultdict(list)
        self._cases: dict[str, MemoryCase] = {}
        self._programmes: dict[str, ProgrammeSummary] = {}
        self._places: defaultdict[str, Places] = defaultdict(Places)
        self._persons: Counter[bytes] = Counter()
        self._person_versions = count(1)
        self._persons_of: defaultdict[str, set[bytes]] = defaultdict(set)
        self._supporters = Supporters()
        self._calls: dict[str, MemoryCall] = {}
        self._access = MemoryAccess(self._rows, clock, codec)
        self._inbox = MemoryInbox(keys, self._programme_of, self._applied_to)

    @property
    def access(self) -> MemoryAccess:  # noqa: D102  # the port says it
        return self._access

    @property
    def inbox(self) -> MemoryInbox:  # noqa: D102  # the port says it
        return self._inbox

    def _programme_of(self, stream: str) -> str | None:
        case = self._cases.get(stream)
        return case.summary.programme if case is not None else stream if stream in self._programmes else None

    def _applied_to(self, stream: str) -> datetime | None:
        case = self._cases.get(stream)
        return None if case is None else case.deadline_applied

    async def load(self, stream: str) -> Stream:  # noqa: D102  # the port says it
        rows = list(self._rows[stream])
        return unwrap(rows, await keys_of(self._keys, (row.key_id for row in rows)), self._codec)

    async def look(self, case_id: str, month: str) -> Look:  # noqa: D102  # the port says it
        programme = self._inbox.programme_of(case_id) or ""
        return Look(
            stream=await self.load(case_id),
            programme=programme,
            pending=await self._pending(case_id),
            world=await self.read_world(WorldQuery(programme=programme, case_id=case_id, month=month)),
        )

    async def _pending(self, case_id: str) -> Pending:
        return Pending(await self._inbox.next_undecided(case_id), await self.outstanding_calls(case_id))

    async def append(self, append: Append) -> Appended:  # noqa: D102  # the port says it
        key = await self._keys.create(append.stream) if needs_key(append, self._codec) else None
        rows = wrap(append, key, self._clock(), self._codec)
        # From here to the end nothing is awaited: that is the transaction.
        repeated = self._repeated(append)
        if repeated is not None:
            return repeated
        self._check(append)
        offered = self._change_place(append)
        version, last = append.expected_version + len(rows), rows[-1].hash if rows else append.previous_hash
        self._rows[append.stream] += rows
        self._move_head(append)
        self._register(append)
        notifications = [self._notify(case_id, append, PlaceOffered()) for case_id in offered]
        if append.notifies is not None:
            notifications += [self._notify(case_id, append, ProgrammeChanged()) for case_id in self._to_notify(append)]
        told = append.stream != append.programme and append.stream not in offered
        return Appended(version, last, True, tuple(notifications), await self._pending(append.stream) if told else None)

    async def erase(self, append: Append) -> Appended:  # noqa: D102  # the port says it
        case = self._cases.get(append.stream)
        rows = self._rows[append.stream]
        if rows and rows[-1].type == PersonalDataErased.__name__:
            return Appended(rows[-1].version, rows[-1].hash, first_result=False)
        summary = None if case is None else case.summary
        self._access.refuse_erasure(append.stream, summary, undecided=bool(self._inbox.undecided(append.stream)))
        appended = await self.append(append)
        self._forget(append.stream)
        return appended

    def _forget(self, case_id: str) -> None:
        self._supporters.forget(self._cases[case_id].filed_number)
        for key in self._persons_of.pop(case_id, set()):
            if not any(key in others for others in self._persons_of.values()):
                del self._persons[key]
        self._inbox.close(case_id)

    def _repeated(self, append: Append) -> Appended | None:
        """The first result of a command that was appended before.

        Raises:
            CommandContentDiffers: with other content.
        """
        before = [row for row in self._rows[append.stream] if row.command_id == append.command_id]
        if before:
            if command_digest_of(before[-1].header) != append.command_digest:
                raise CommandContentDiffers(append.command_id)
            return Appended(before[-1].version, before[-1].hash, first_result=False)
        decides = append.decides
        if (
            decides is not None
            and not append.events
            and self._inbox.was_decided_as(decides.number, decides.answer, decides.code, append.command_id)
        ):
            return Appended(append.expected_version, append.previous_hash, first_result=False)
        return None

    def _check(self, append: Append) -> None:
        head = self._rows[append.stream][-1:]
        at = (head[0].version, head[0].hash) if head else (0, NO_HASH)
        read = append.read_at
        refused: tuple[tuple[bool, type[Conflict]], ...] = (
            (read.programme_version not in (None, len(self._rows[append.programme])), ProgrammeConflict),
            (any(self._persons[key] != version for key, version in read.person_versions.items()), PersonConflict),
            (self._message_first(append), MessageFirst),
            (at != (append.expected_version, append.previous_hash), VersionConflict),
            (
                append.decides is not None and self._inbox.is_decided(append.stream, append.decides.number),
                MessageDecided,
            ),
        )
        for fails, conflict in refused:
            if fails:
                raise conflict

    def _message_first(self, append: Append) -> bool:
        deadline = append.deadline
        return deadline is not None and any(
            row.received_at < deadline and row.source != "passage" for row in self._inbox.undecided(append.stream)
        )  # fmt: skip

    def _change_place(self, append: Append) -> tuple[str, ...]:
        if append.place is None:
            return ()
        head = self._programmes.get(append.programme)
        if isinstance(append.summary, ProgrammeSummary):
            if not isinstance(append.place, AllotPlaces):
                raise IllegalAppend("a programme can only allot places")
            head = append.summary
        if head is None:
            raise IllegalAppend("the programme was never opened")
        return self._places[append.programme].change(head, append.stream, append.place)

    def _move_head(self, append: Append) -> None:
        if isinstance(append.summary, ProgrammeSummary):
            self._programmes[append.stream] = append.summary
        elif isinstance(append.summary, CaseSummary):
            case = self._cases.get(append.stream)
            if case is None:
                number = append.decides.number if append.decides is not None else self._inbox.next_number()
                case = self._cases[append.stream] = MemoryCase(append.summary, number)
            case.summary = replace(append.summary, filed_at=case.summary.filed_at)
        if append.deadline is not None:
            case = self._cases[append.stream]
            case.deadline_applied = max(append.deadline, case.deadline_applied or append.deadline)

    def _register(self, append: Append) -> None:
        if append.decides is not None:
            self._inbox.decide(append.decides.number, append.decides.answer, append.decides.code)
        closing = isinstance(append.summary, CaseSummary) and append.summary.closed
        moved = set(append.persons) | (self._persons_of[append.stream] if closing else set())
        self._persons.update({key: next(self._person_versions) - self._persons[key] for key in moved})
        self._persons_of[append.stream] |= set(append.persons)
        if append.supporter is not None:
            self._supporters.register(self._cases[append.stream].filed_number, append.supporter)
        for call in append.calls:
            self._calls[call.request_id] = MemoryCall(append.stream, call)
        for request_id in append.drops_calls:
            if request_id in self._calls and self._calls[request_id].case_id == append.stream:
                self._calls[request_id].owed = False

    def _notify(self, case_id: str, append: Append, body: PlaceOffered | ProgrammeChanged) -> Notification:
        return Notification(case_id, *self._inbox.notify(case_id, append.programme, body, append.now))

    def _to_notify(self, append: Append) -> list[str]:
        return [
            case_id
            for case_id, case in sorted(self._cases.items(), key=lambda item: item[1].turn)
            if case.summary.programme == append.programme
            and not case.summary.closed
            and (append.notifies == "all" or case.may_pause)
        ]

    async def read_world(self, query: WorldQuery) -> WorldRead:  # noqa: D102  # the port says it
        own = self._cases.get(query.case_id)
        number = own.filed_number if own is not None else self._inbox.filing_number(query.case_id)
        before = number or 0
        principal = self._cases.get(query.principal or "")
        return WorldRead(
            programme_version=len(self._rows[query.programme]),
            place=self._place(query),
            person_versions={key: self._persons[key] for key in query.person_keys},
            same_person=self._same_person(query, before, filed=own is not None),
            earlier_filing_pending=self._inbox.pending_filing(query.person_keys, before),
            principal_open=principal is not None and not principal.summary.closed,
            earlier_supporter_cases=self._supporters.earlier_cases(query.supporter, before),
            shared_details=self._supporters.shared_details(query.supporter, before),
        )

    def _place(self, query: WorldQuery) -> Literal["free", "none", "reserved"]:
        head, places = self._programmes.get(query.programme), self._places[query.programme]
        if places.holds(query.case_id):
            return "reserved"
        return "none" if head is None else places.place_for(head, query.case_id, query.month)

    def _same_person(self, query: WorldQuery, before: int, *, filed: bool) -> tuple[str, ...]:
        found = [
            (case.filed_number, case_id)
            for case_id, case in self._cases.items()
            if case_id != query.case_id
            and not case.summary.closed
            and not self._persons_of[case_id].isdisjoint(query.person_keys)
            and (case.filed_number < before or not filed)
        ]
        return tuple(case_id for _, case_id in sorted(found))

    async def summary(self, case_id: str) -> CaseSummary | None:  # noqa: D102  # the port says it
        case = self._cases.get(case_id)
        return None if case is None else case.summary

    async def programme(self, programme: str) -> ProgrammeSummary | None:  # noqa: D102  # the port says it
        return self._programmes.get(programme)

    async def summaries(self, where: SummaryFilter) -> AsyncIterator[CaseSummary]:  # noqa: D102  # the port says it
        cases = [case.summary for case in sorted(self._cases.values(), key=lambda case: case.filed_number)]
        asked = {name: getattr(where, name) for name in ("programme", "stage", "waiting_on", "outcome")}
        chosen = [
            case
            for case in cases
            if all(value is None or getattr(case, name) == value for name, value in asked.items())
            and (where.open is None or case.closed != where.open)
        ]
        for case in chosen[: where.limit]:
            yield case

    async def outstanding_calls(self, case_id: str) -> tuple[OpenedCall, ...]:  # noqa: D102  # the port says it
        return tuple(kept.call for kept in self._calls.values() if kept.case_id == case_id and kept.owed)

    async def mark_call(self, request_id: str, *, accepted: bool) -> None:  # noqa: D102  # the port says it
        kept = self._calls.get(request_id)
        if kept is not None:
            kept.call = replace(kept.call, attempts=kept.call.attempts + 1)
            kept.owed = kept.owed and not accepted

    async def stuck_candidates(self, now: datetime) -> AsyncIterator[StuckCandidate]:  # noqa: D102  # the port says it
        waiting = {row.stream for row in self._inbox.undecided() if row.case_id is not None}
        for case_id in sorted(self._cases.keys() | waiting):
            case = self._cases.get(case_id)
            if case is not None and case.summary.closed:
                continue
            due_at = None if case is None else case.summary.due_at
            calls = bool(await self.outstanding_calls(case_id))
            waiting_on = None if case is None else case.summary.waiting_on
            if due_at is not None or case_id in waiting or calls or waiting_on is not None:
                overdue = due_at is not None and due_at <= now
                yield StuckCandidate(case_id, overdue, case_id in waiting, calls, waiting_on)
