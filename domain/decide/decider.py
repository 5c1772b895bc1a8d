"""Dispatch of commands, and the one rule that every refusal follows."""

from dataclasses import dataclass
from typing import Literal, assert_never

from domain.case import Case
from domain.commands import Command, FileApplication, MeetDeadline, TakeMessage
from domain.decide import entry, parole, referral, travel
from domain.decide.draft import Draft
from domain.decide.filing import file_application
from domain.decide.intake import take_message
from domain.decide.progress import go_on
from domain.events import CaseEvent, MessageRejected
from domain.limits import deadlines
from domain.rejection import Rejection
from domain.world import World

MAX_REJECTED = 50
"""Refusals an open case records; a sender who goes on is still answered, and no longer recorded."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a sender is told. `code` says why a message was rejected."""

    answer: Literal["accepted", "rejected"]
    code: str | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """What happened, and what the sender is told."""

    events: tuple[CaseEvent, ...]
    answer: Answer


def decide(case: Case, command: Command, world: World) -> tuple[CaseEvent, ...]:
    """The events that follow from `command`; none where it changes nothing.

    Raises:
        Rejection: the case cannot take the command now.
    """
    draft = Draft(case, world)
    match command:
        case FileApplication():
            file_application(draft, command)
        case TakeMessage():
            take_message(draft, command)
        case MeetDeadline():
            _meet(draft, command)
        case _:
            assert_never(command)
    go_on(draft)
    return tuple(draft.events)


def take(case: Case, command: Command, world: World) -> Decision:
    """`decide`, with the domain's "no" as an answer that an open case records."""
    try:
        return Decision(decide(case, command, world), Answer("accepted"))
    except Rejection as rejection:
        return Decision(_record_rejection(case, command, world, rejection), Answer("rejected", rejection.code))


def _record_rejection(case: Case, command: Command, world: World, rejection: Rejection) -> tuple[CaseEvent, ...]:
    if case.closed or not case.filed or case.rejected_count >= MAX_REJECTED or isinstance(command, MeetDeadline):
        return ()
    at = Draft(case, world).at(command.received_at)
    return (MessageRejected(at=at, kind=command.message.message, code=rejection.code),)


def _meet(draft: Draft, command: MeetDeadline) -> None:
    """Do what the deadline asks, if it still runs and is over: a deadline met twice changes nothing."""
    world, due_at = draft.world, command.due_at
    running = deadlines(draft.case, world.now, world.rules, world.programme)
    if not any(deadline.name == command.name and deadline.at <= due_at for deadline in running):
        return
    match command.name:
        case "evidence":
            entry.end_evidence(draft, due_at)
        case "supporter":
            travel.end_supporter_limit(draft)
        case "referral":
            referral.escalate(draft, due_at)
        case "authorization":
            travel.expire(draft, due_at)
        case "parole-notice":
            parole.give_notice(draft, due_at)
        case "parole-end":
            parole.end_parole(draft, due_at)
        case "month":
            pass  # New places were given out by the append; what follows is the case's next step.
        case _:
            assert_never(command.name)
