"""What the governments tell the programme: taken from the inbox in order, decided, and made known to its cases."""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Final, Literal, cast

from cases.repository import CaseRepository
from domain import registry
from domain.kernel.calendar import month_of
from domain.kernel.ids import CommandId, message_command_id
from domain.kernel.messages import GovernmentsMessage, Rejection
from domain.kernel.programme import (
    PlacesChanged,
    Programme,
    ProgrammeEvent,
    ProgrammeOpened,
    ProgrammeResumed,
    ProgrammeSuspended,
    ProgrammeTerminated,
    RulesAdopted,
    cap_of,
    decide_programme,
    evolve_programme,
    open_programme,
)
from domain.kernel.proof import CLOCK
from domain.kernel.rule_set import RuleSet, read_rule_set
from eventstore.conflicts import Conflict, MessageDecided
from eventstore.format.envelope import NO_HASH
from eventstore.format.summarize import summarize_programme
from eventstore.inbox import InboxRow
from eventstore.places import AllotPlaces
from eventstore.port import Append, Decides, Notification

DECIDE_AGAIN_MAX: Final = 5
ROWS_MAX: Final = 100
"""Rows taken in one call; the governments speak rarely, and the relay calls again."""


async def open_if_new(
    cases: CaseRepository,
    rules: RuleSet,
    places: int | None,
    now: datetime,
    of_pools: Mapping[str, int] = MappingProxyType({}),
) -> None:
    """Open the programme of the rule set unless it is open already; numbers as `open_programme` has them."""
    programme = rules.programme
    if (await cases.programme(programme)).version > 0:
        return
    events = open_programme(rules, places, now, of_pools)
    state = _folded(Programme(), events)
    command_id = CommandId(f"passage:open:{programme}")
    try:
        await cases.store.append(
            Append(
                stream=programme,
                programme=programme,
                command_id=command_id,
                message_digest=bytes.fromhex(rules.digest),
                expected_version=0,
                previous_hash=NO_HASH,
                events=events,
                proof=CLOCK,
                now=now,
                rules_digest=rules.digest,
                summary=summarize_programme(state),
                caps=_caps_set(state, events),
            )
        )
    except Conflict:
        return  # Another process opened it at the same moment, which is all that was wanted.


async def handle_programme(cases: CaseRepository, programme: str, now: datetime) -> tuple[Notification, ...]:
    """Take and decide the programme's undecided messages, in order; return the notifications for its cases.

    Raises:
        Conflict: the programme moved at each attempt; the messages stay in the inbox.
    """
    notifications: list[Notification] = []
    for _ in range(ROWS_MAX):
        row = await cases.inbox.next_undecided(programme)
        if row is None:
            break
        notifications.extend(await _take(cases, programme, row, max(now, row.received_at)))
    return tuple(notifications)


async def _take(cases: CaseRepository, programme: str, row: InboxRow, now: datetime) -> tuple[Notification, ...]:
    for attempt in range(1, DECIDE_AGAIN_MAX + 1):
        try:
            return await _attempt(cases, programme, row, now)
        except MessageDecided:
            return ()
        except Conflict:
            if attempt == DECIDE_AGAIN_MAX:
                raise
    raise AssertionError("the last attempt returns or raises")


async def _attempt(cases: CaseRepository, programme: str, row: InboxRow, now: datetime) -> tuple[Notification, ...]:
    stream = await cases.store.load(programme)
    state = _folded(Programme(), tuple(cast("ProgrammeEvent", stored.event) for stored in stream.events))
    events: tuple[ProgrammeEvent, ...] = ()
    sets = registry.programme(programme).sets
    decides = Decides(row.number, "accepted")
    try:
        events = decide_programme(state, cast("GovernmentsMessage", row.body), row.received_at, sets)
    except Rejection as rejection:
        decides = Decides(row.number, "rejected", rejection.code)
    after = _folded(state, events)
    appended = await cases.store.append(
        Append(
            stream=programme,
            programme=programme,
            command_id=message_command_id(row.source, row.message_id),
            message_digest=row.digest,
            expected_version=stream.version,
            previous_hash=stream.hash,
            events=events,
            proof=row.proof,
            received_at=row.received_at,
            now=now,
            summary=summarize_programme(after) if events else None,
            place=AllotPlaces(month_of(now)) if events else None,
            caps=_caps_set(after, events),
            decides=decides,
            notifies=_notified(events),
        )
    )
    return appended.notifications


def _folded(state: Programme, events: tuple[ProgrammeEvent, ...]) -> Programme:
    for event in events:
        state = evolve_programme(state, event)
    return state


def _caps_set(state: Programme, events: tuple[ProgrammeEvent, ...]) -> tuple[str, ...]:
    """The pools whose number of places the events say."""
    pools: list[str] = []
    for event in events:
        match event:
            case PlacesChanged():
                pools += [cap.pool for cap in (cap_of(state, event.pool),) if cap is not None]
            case ProgrammeOpened() | RulesAdopted():
                pools += [cap.pool for cap in state.rules.caps]
            case _:
                pass
    return tuple(dict.fromkeys(pools))


def _notified(events: tuple[ProgrammeEvent, ...]) -> Literal["all", "waiting"] | None:
    """Whom the change concerns: a pause, those whose limits it stops; an end or new rules for all, everybody."""
    for event in events:
        match event:
            case ProgrammeSuspended() | ProgrammeResumed():
                return "waiting"
            case ProgrammeTerminated():
                return "all"
            case RulesAdopted() if read_rule_set(event.rules).applies_to_running:
                return "all"
    return None
