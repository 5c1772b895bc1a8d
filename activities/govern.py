"""What the governments tell the programme: taken from the inbox in order, decided, and made known to its cases."""

from datetime import datetime
from typing import Final, Literal, cast

from activities.casebook import CaseBook
from domain.calendar import month_of
from domain.ids import CommandId, message_command_id
from domain.messages import GovernmentsMessage
from domain.programme import (
    PlacesChanged,
    Programme,
    ProgrammeEvent,
    ProgrammeResumed,
    ProgrammeSuspended,
    ProgrammeTerminated,
    RulesAdopted,
    decide_programme,
    evolve_programme,
    open_programme,
)
from domain.rejection import Rejection
from domain.rules.rule_set import RuleSet
from eventstore.conflicts import Conflict, MessageDecided
from eventstore.format.envelope import NO_HASH
from eventstore.format.proof import proof_of
from eventstore.format.summarize import summarize_programme
from eventstore.inbox import InboxRow
from eventstore.places import AllotPlaces
from eventstore.port import Append, Bell, Decides

DECIDE_AGAIN_MAX: Final = 5
ROWS_MAX: Final = 100
"""Rows taken in one call; the governments speak rarely, and the relay calls again."""


async def open_if_new(book: CaseBook, programme: str, rules: RuleSet, places: int | None, now: datetime) -> None:
    """Open the programme unless it is open already; `places` overrides the rule set's number."""
    if (await book.programme(programme)).version > 0:
        return
    events = open_programme(programme, rules, places, now)
    state = _folded(Programme(), events)
    command_id = CommandId(f"passage:open:{programme}")
    try:
        await book.store.append(
            Append(
                stream=programme,
                programme=programme,
                command_id=command_id,
                message_digest=bytes.fromhex(rules.digest),
                expected_version=0,
                previous_hash=NO_HASH,
                events=events,
                actor="passage",
                now=now,
                rules_digest=rules.digest,
                summary=summarize_programme(state),
                caps=(programme,),
            )
        )
    except Conflict:
        return  # Another process opened it at the same moment, which is all that was wanted.


async def govern(book: CaseBook, programme: str, now: datetime) -> tuple[Bell, ...]:
    """Take and decide the programme's undecided messages, in order; return the bells for its cases.

    Raises:
        Conflict: the programme moved at each attempt; the messages stay in the inbox.
    """
    bells: list[Bell] = []
    for _ in range(ROWS_MAX):
        row = await book.inbox.next_undecided(programme)
        if row is None:
            break
        bells.extend(await _take(book, programme, row, max(now, row.received_at)))
    return tuple(bells)


async def _take(book: CaseBook, programme: str, row: InboxRow, now: datetime) -> tuple[Bell, ...]:
    for attempt in range(1, DECIDE_AGAIN_MAX + 1):
        try:
            return await _attempt(book, programme, row, now)
        except MessageDecided:
            return ()
        except Conflict:
            if attempt == DECIDE_AGAIN_MAX:
                raise
    raise AssertionError("the last attempt returns or raises")


async def _attempt(book: CaseBook, programme: str, row: InboxRow, now: datetime) -> tuple[Bell, ...]:
    stream = await book.store.load(programme)
    state = _folded(Programme(), tuple(cast("ProgrammeEvent", stored.event) for stored in stream.events))
    events: tuple[ProgrammeEvent, ...] = ()
    decides = Decides(row.number, "accepted")
    try:
        events = decide_programme(state, cast("GovernmentsMessage", row.body), row.received_at, book.rules)
    except Rejection as rejection:
        decides = Decides(row.number, "rejected", rejection.code)
    after = _folded(state, events)
    appended = await book.store.append(
        Append(
            stream=programme,
            programme=programme,
            command_id=message_command_id(row.source, row.message_id),
            message_digest=row.digest,
            expected_version=stream.version,
            previous_hash=stream.hash,
            events=events,
            actor=row.source,
            proof=proof_of(row.sender),
            received_at=row.received_at,
            now=now,
            summary=summarize_programme(after) if events else None,
            place=AllotPlaces(month_of(now)) if events else None,
            caps=(programme,) if _sets_cap(events) else (),
            decides=decides,
            bells=_bells(events),
        )
    )
    return appended.bells


def _folded(state: Programme, events: tuple[ProgrammeEvent, ...]) -> Programme:
    for event in events:
        state = evolve_programme(state, event)
    return state


def _sets_cap(events: tuple[ProgrammeEvent, ...]) -> bool:
    return any(isinstance(event, PlacesChanged | RulesAdopted) for event in events)


def _bells(events: tuple[ProgrammeEvent, ...]) -> Literal["all", "waiting"] | None:
    """Whom the change concerns: a pause, those whose limits it stops; an end or new rules for all, everybody."""
    for event in events:
        match event:
            case ProgrammeSuspended() | ProgrammeResumed():
                return "waiting"
            case ProgrammeTerminated():
                return "all"
            case RulesAdopted() if event.applies_to_running:
                return "all"
    return None
