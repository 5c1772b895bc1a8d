"""One command: read the world, decide, append; and decide again when the world has moved meanwhile (decision 2)."""

import asyncio
import hashlib
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from cases.consequences import dropped_calls, opened_calls, place_change
from cases.repository import CaseAt, CaseRepository, CaseSeen, EarlierFilingPending, WorldAt
from domain import registry
from domain.kernel.decider import Decision, decide_or_reject
from domain.kernel.messages import Command, FileApplication, MeetDeadline, Submission, TakeMessage
from eventstore.conflicts import Conflict, MessageDecided, MessageFirst
from eventstore.format.summarize import summarize
from eventstore.inbox import InboxRow
from eventstore.port import Append, Decides, Notification

DECIDE_AGAIN_MAX: Final = 5
"""Attempts at one decision before the activity itself is retried (decision 2)."""
EARLIER_FILING_PAUSE_S: Final = 0.2
"""An earlier filing of the same person is usually being decided right now, by another worker."""


@dataclass(frozen=True, slots=True)
class Decided:
    """The case after the command, what the sender is told, and the notifications for other cases."""

    seen: CaseSeen
    answer: Decides | None
    notifications: tuple[Notification, ...] = ()


def command_of(row: InboxRow) -> Command:
    """The command that an inbox row is."""
    message = row.body
    if isinstance(message, Submission) and row.case_id is not None:
        return FileApplication(row.case_id, row.source, row.message_id, message, row.received_at, row.proof)
    return TakeMessage(row.source, row.message_id, message, row.received_at, row.proof)


async def handle(
    cases: CaseRepository, seen: CaseSeen, command: Command, now: datetime, row: InboxRow | None
) -> Decided:
    """Take `command` to its end: its events are in the log, or its refusal is on record.

    `row` is the inbox row that a message came as, None for a deadline. A command whose row another worker has
    decided meanwhile, or a deadline before which a message came, changes nothing; the caller looks again.

    Raises:
        Conflict: the world moved at each of `DECIDE_AGAIN_MAX` attempts.
        EarlierFilingPending: an earlier filing of the same person is still undecided.
    """
    for attempt in range(1, DECIDE_AGAIN_MAX + 1):
        try:
            return await _attempt(cases, seen, command, now, row)
        except (MessageFirst, MessageDecided):
            return Decided(await cases.see(seen.case.case_id, now), None)
        except Conflict:
            if attempt == DECIDE_AGAIN_MAX:
                raise
        except EarlierFilingPending:
            if attempt == DECIDE_AGAIN_MAX:
                raise
            await asyncio.sleep(EARLIER_FILING_PAUSE_S)
        seen = await cases.see(seen.case.case_id, now)
    raise AssertionError("the last attempt returns or raises")


async def _attempt(
    cases: CaseRepository, seen: CaseSeen, command: Command, now: datetime, row: InboxRow | None
) -> Decided:
    around = await cases.world(seen, command, now)
    decision = decide_or_reject(registry.family_of(seen.case.case_id), seen.case, command, around.world)
    after = decision.case
    append = _append(cases, seen.at, around, decision, command, row)
    appended = await cases.store.append(append)
    if appended.pending is None:
        return Decided(await cases.see(after.case_id, now), append.decides, appended.notifications)
    then = CaseSeen(CaseAt(after, appended.hash), seen.programme, appended.pending)
    return Decided(then, append.decides, appended.notifications)


def _append(
    cases: CaseRepository,
    at: CaseAt,
    around: WorldAt,
    decision: Decision,
    command: Command,
    row: InboxRow | None,
) -> Append:
    world, before, after = around.world, at.case, decision.case
    append = Append(
        stream=before.case_id,
        programme=world.programme.programme,
        command_id=command.command_id,
        message_digest=row.digest if row else hashlib.sha256(command.command_id.encode()).digest(),
        expected_version=before.version,
        previous_hash=at.hash,
        events=decision.events,
        proof=command.proof,
        received_at=None if isinstance(command, MeetDeadline) else command.received_at,
        now=world.now,
        rules_digest=world.rules.digest,
        summary=summarize(after, world.programme, world.rules, world.now)
        if after.filed and (decision.events or not before.closed)
        else None,
        read_at=around.read_at,
        place=place_change(before, after, decision.events, command, world.now),
        decides=Decides(row.number, decision.reply.answer, decision.reply.code) if row else None,
        deadline=command.due_at if isinstance(command, MeetDeadline) else None,
        calls=opened_calls(before, after),
        drops_calls=dropped_calls(before, after),
    )
    return _with_registrations(cases, append, decision)


def _with_registrations(cases: CaseRepository, append: Append, decision: Decision) -> Append:
    """Register whom the case is about and who stands behind it, wherever an event says that it changed."""
    case = decision.case
    found = registry.family_of(case.case_id).registers(case, decision.events)
    return replace(
        append,
        persons=cases.person_keys(found.persons),
        supporter=cases.backer_keys(found.backer) if found.backer else None,
    )
