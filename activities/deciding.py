"""One command: read the world, decide, append; and decide again when the world has moved meanwhile (decision 2)."""

import asyncio
import hashlib
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from activities.casebook import CaseAt, CaseBook, CaseSeen, EarlierFilingPending, WorldAt
from activities.consequences import dropped_calls, opened_calls, place_change, summarize
from domain.case import Case
from domain.commands import Command, FileApplication, MeetDeadline, TakeMessage
from domain.decide import Decision, take
from domain.events import ApplicationFiled, PassportChanged, SponsorReplaced
from domain.evolve import fold
from domain.messages import ApplicationSubmitted
from eventstore.conflicts import Conflict, MessageDecided, MessageFirst
from eventstore.format.proof import CLOCK, proof_of
from eventstore.inbox import InboxRow
from eventstore.port import Append, Bell, Decides

DECIDE_AGAIN_MAX: Final = 5
"""Attempts at one decision before the activity itself is retried (decision 2)."""
EARLIER_FILING_PAUSE_S: Final = 0.2
"""An earlier filing of the same person is usually being decided right now, by another worker."""


@dataclass(frozen=True, slots=True)
class Decided:
    """The case after the command, what the sender is told, and the bells to ring for other cases."""

    seen: CaseSeen
    answer: Decides | None
    bells: tuple[Bell, ...] = ()


def command_of(row: InboxRow) -> Command:
    """The command that an inbox row is."""
    message = row.body
    if isinstance(message, ApplicationSubmitted) and row.case_id is not None:
        return FileApplication(row.case_id, row.source, row.message_id, message, row.received_at)
    return TakeMessage(row.source, row.message_id, message, row.received_at)


async def decide_and_append(
    book: CaseBook, seen: CaseSeen, command: Command, now: datetime, row: InboxRow | None
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
            return await _attempt(book, seen, command, now, row)
        except (MessageFirst, MessageDecided):
            return Decided(await book.see(seen.case.case_id, now), None)
        except Conflict:
            if attempt == DECIDE_AGAIN_MAX:
                raise
        except EarlierFilingPending:
            if attempt == DECIDE_AGAIN_MAX:
                raise
            await asyncio.sleep(EARLIER_FILING_PAUSE_S)
        seen = await book.see(seen.case.case_id, now)
    raise AssertionError("the last attempt returns or raises")


async def _attempt(book: CaseBook, seen: CaseSeen, command: Command, now: datetime, row: InboxRow | None) -> Decided:
    around = await book.world(seen, command, now)
    decision = take(seen.case, command, around.world)
    after = fold(seen.case, decision.events)
    append = _append(book, seen.at, after, around, decision, command, row)
    appended = await book.store.append(append)
    if appended.pending is None:
        return Decided(await book.see(after.case_id, now), append.decides, appended.bells)
    then = CaseSeen(CaseAt(after, appended.hash), seen.programme, appended.pending)
    return Decided(then, append.decides, appended.bells)


def _append(
    book: CaseBook,
    at: CaseAt,
    after: Case,
    around: WorldAt,
    decision: Decision,
    command: Command,
    row: InboxRow | None,
) -> Append:
    world, before = around.world, at.case
    append = Append(
        stream=before.case_id,
        programme=world.programme.programme,
        command_id=command.command_id,
        message_digest=row.digest if row else hashlib.sha256(command.command_id.encode()).digest(),
        expected_version=before.version,
        previous_hash=at.hash,
        events=decision.events,
        actor=_actor(command),
        proof=proof_of(row.sender) if row else CLOCK,
        received_at=row.received_at if row else None,
        now=world.now,
        rules_digest=world.rules.digest,
        summary=summarize(after, world.programme, world.rules, world.now)
        if after.filed and not before.closed
        else None,
        read_at=around.read_at,
        place=place_change(before, after, decision.events, command, world.now),
        decides=Decides(row.number, decision.answer.answer, decision.answer.code) if row else None,
        deadline=command.due_at if isinstance(command, MeetDeadline) else None,
        calls=opened_calls(before, after),
        drops_calls=dropped_calls(before, after),
    )
    return _with_registrations(book, append, after)


def _with_registrations(book: CaseBook, append: Append, after: Case) -> Append:
    """Register who the beneficiary and the supporter are now, wherever an event says that it changed."""
    for event in append.events:
        if isinstance(event, ApplicationFiled | PassportChanged) and after.beneficiary:
            append = replace(append, persons=book.person_keys(after.beneficiary))
        if isinstance(event, ApplicationFiled):
            append = replace(append, supporter=book.supporter_keys(event.application.supporter))
        if isinstance(event, SponsorReplaced):
            append = replace(append, supporter=book.supporter_keys(event.supporter))
    return append


def _actor(command: Command) -> str:
    if isinstance(command, MeetDeadline):
        return "passage"
    officer = getattr(command.message, "officer", None)
    return command.source if officer is None else f"officer:{officer}"
