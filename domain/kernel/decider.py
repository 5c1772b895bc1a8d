"""`decide(family, case, command, world)`: what follows from a command. `evolve(family, case, event)`: what it changes.

The order is the same in every family: take the command, then the case's next step until there is none. While the
programme is suspended no step is taken; a case that has one records that it waits (`CaseHeld`).
"""

import json
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Generic, Literal, TypeVar, assert_never

from domain.kernel.calendar import Deadline, day_of
from domain.kernel.case import Case, Fact, Request, replace
from domain.kernel.definition import Events
from domain.kernel.events import (
    Basis,
    CaseClosed,
    CaseEvent,
    CaseHeld,
    CaseReopened,
    CaseResumed,
    MessageRejected,
    RuleResult,
)
from domain.kernel.family import Family
from domain.kernel.ids import EventId, MessageId
from domain.kernel.messages import (
    Command,
    FileApplication,
    MeetDeadline,
    PartnerAnswer,
    Rejection,
    TakeMessage,
    kept,
)
from domain.kernel.programme import Programme
from domain.kernel.rule_set import RuleSet

MAX_REJECTED = 50
"""Refusals an open case records; a sender who goes on is still answered, and no longer recorded."""
MAX_STEPS = 20
"""More steps than any case can take at once: a loop in the rules must fail, not spin."""


@dataclass(frozen=True, slots=True)
class World:
    """What every decision needs beyond the case, read at versions that the append checks again under lock."""

    now: datetime
    rules: RuleSet
    programme: Programme
    place: Literal["free", "none", "reserved"] = "none"
    """Whether a place is there for this case; `free` only if nobody waits before it."""

    def known(self) -> dict[str, Any]:
        """What a decision keeps of this world in its basis, beside rules, programme and moment."""
        return {} if self.place == "none" else {"place": self.place}


W = TypeVar("W", bound=World)


class Draft(Generic[W]):
    """The events of one decision as they are drafted, and the case as each of them leaves it."""

    def __init__(self, family: Family, case: Case, world: W, command: Command) -> None:
        self.family = family
        self.case = case
        self.world = world
        self._command = command
        self.events: list[CaseEvent] = []
        self.fact: EventId | None = None
        """The event that records what is being taken, where its sender may take it back."""

    def add(self, *events: CaseEvent) -> None:
        """Record events, each on the case that the one before left."""
        for event in events:
            self.case = evolve(self.family, self.case, event)
            self.events.append(event)

    @property
    def told_fact(self) -> bool:
        """What is being decided is a message that its sender may take back."""
        return _told_fact(self.family, self._command) is not None

    @property
    def now(self) -> datetime:
        """The moment of decision, never before what has already happened in the case."""
        return self.not_before(self.world.now)

    @property
    def today(self) -> date:
        """The day of decision, America/New_York."""
        return day_of(self.world.now)

    def not_before(self, moment: datetime) -> datetime:
        """When something outside happened, kept in the order in which the case learned of it."""
        return moment if self.case.last_at is None else max(moment, self.case.last_at)

    def basis(self, *results: RuleResult) -> Basis:
        """What a decision made now rests on."""
        world, command = self.world, self._command
        return Basis(
            rules_version=world.rules.version,
            rules_digest=world.rules.digest,
            programme_version=world.programme.version,
            decided_at=world.now,
            results=results,
            message=command.message.message if isinstance(command, TakeMessage) else None,
            fact=_told_fact(self.family, command),
            known=world.known(),
        )

    def closing(
        self,
        outcome: str,
        reason: str,
        basis: Basis | None = None,
        *,
        facts: Iterable[EventId | None] = (),
        referral: int | None = None,
    ) -> Events:
        """The events by which this decision closes the case.

        `facts` are those for which it closes and that may be taken back, `referral` the one whose denial closes it.
        """
        *before, closed = self.family.closing(self, outcome, reason, basis)
        known = tuple(fact for fact in facts if fact is not None)
        return (*before, closed.model_copy(update={"facts": known, "referral": referral}))


def _told_fact(family: Family, command: Command) -> MessageId | None:
    retractable = isinstance(command, TakeMessage) and command.message.message in family.retractable
    return command.message_id if isinstance(command, TakeMessage) and retractable else None


@dataclass(frozen=True, slots=True)
class Reply:
    """What a sender is told. `code` says why a message was rejected."""

    answer: Literal["accepted", "rejected"]
    code: str | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """What happened, what the sender is told, and the case as it then stands."""

    events: Events
    reply: Reply
    case: Case


def evolve(family: Family, case: Case, event: CaseEvent) -> Case:
    """The case after `event`."""
    handler = family.handlers.get(type(event))
    if handler is None:
        raise TypeError(f"not an event of a case of {family.name}: {type(event).__name__}")
    after = handler(case, event)
    if after is case:
        after = replace(case)
    # Made for this event and held by nobody else yet, so it is finished in place.
    state = after.__dict__
    if after.stage != case.stage and case.stage and not case.closed:
        state["stage"] = family.later(case.stage, after.stage)
    waiting_on = _waiting_on(family, after)
    stands = after.since is not None and after.stage == case.stage and waiting_on == case.waiting_on
    state["waiting_on"] = waiting_on
    state["since"] = after.since if stands else event.at
    if after.requests is not case.requests:
        state["ended"] = (*after.ended, *(each for each in case.requests if each not in after.requests))
    if event.basis is not None and event.basis.fact is not None:
        _note_fact(case, event.basis, state)
    state["version"] = case.version + 1
    state["last_at"] = event.at
    return after


def _note_fact(before: Case, basis: Basis, state: dict[str, Any]) -> None:
    """The first event with this basis records what may be taken back."""
    if basis.message is None or any((f.message_id, f.kind) == (basis.fact, basis.message) for f in before.facts):
        return
    state["facts"] = (*before.facts, Fact(basis.fact or "", basis.message, before.next_event_id))


def _waiting_on(family: Family, case: Case) -> str | None:
    if case.closed_at is not None:
        return None
    return "programme" if case.held else family.waiting_on(case)


def waiting_on_partner(family: Family, requests: Iterable[Request]) -> str | None:
    """Whom open requests wait on: the first in the family's order of partners."""
    asked = {request.partner for request in requests}
    return next((each.waiting_on for name, each in family.partners.items() if name in asked), None)


def fold(family: Family, case: Case, events: Iterable[CaseEvent]) -> Case:
    """The case after all of `events`, in order."""
    for event in events:
        case = evolve(family, case, event)
    return case


def deadlines(family: Family, case: Case, now: datetime, rules: RuleSet, programme: Programme) -> tuple[Deadline, ...]:
    """The limits of an open case that are running, the first to end first."""
    if case.closed or not case.filed:
        return ()
    return tuple(sorted(family.running_limits(case, now, rules, programme), key=lambda deadline: deadline.at))


def decide(family: Family, case: Case, command: Command, world: World) -> Events:
    """The events that follow from `command`; none where it changes nothing.

    Raises:
        Rejection: the case cannot take the command now.
    """
    return _with_basis(_decide(family, case, command, world))


def _decide(family: Family, case: Case, command: Command, world: World) -> Draft[World]:
    draft = Draft(family, case, world, command)
    match command:
        case FileApplication():
            family.file(draft, command)
        case TakeMessage():
            _take(draft, command)
        case MeetDeadline():
            _meet(draft, command)
        case _:
            assert_never(command)
    advance(draft)
    return draft


def decide_or_reject(family: Family, case: Case, command: Command, world: World) -> Decision:
    """`decide`, with the domain's "no" as an answer that an open case records."""
    try:
        draft = _decide(family, case, command, world)
        return Decision(_with_basis(draft), Reply("accepted"), draft.case)
    except Rejection as rejection:
        draft = Draft(family, case, world, command)
        _record_rejection(draft, command, rejection)
        return Decision(tuple(draft.events), Reply("rejected", rejection.code), draft.case)


def _record_rejection(draft: Draft[Any], command: Command, rejection: Rejection) -> None:
    case = draft.case
    if case.closed or not case.filed or case.rejected_count >= MAX_REJECTED or isinstance(command, MeetDeadline):
        return
    at = draft.not_before(command.received_at)
    draft.add(MessageRejected(at=at, kind=command.message.message, code=rejection.code))


def _with_basis(draft: Draft[Any]) -> Events:
    """The events, the first with the basis of the decision where none of them has one.

    Where its sender may take back what was told, the first has it in any case: it is what may be taken back.
    """
    if not draft.events or draft.events[0].basis is not None:
        return tuple(draft.events)
    if not draft.told_fact and any(event.basis is not None for event in draft.events):
        return tuple(draft.events)
    first, *others = draft.events
    return (first.model_copy(update={"basis": draft.basis()}), *others)


def _take(draft: Draft[Any], command: TakeMessage) -> None:
    case, family, message = draft.case, draft.family, command.message
    if not case.filed:
        raise Rejection("not-filed")
    known = family.messages.get(message.message)
    if case.closed and not (known and known.after_close):
        raise Rejection("case-closed")
    if draft.told_fact:
        draft.fact = case.next_event_id
    if isinstance(message, PartnerAnswer):
        _take_answer(draft, message)
    elif isinstance(message, family.submission):
        raise Rejection("already-filed")
    elif known is None:
        raise Rejection("not-of-this-programme")
    else:
        known.take(draft, message, command)
    draft.fact = None


def _take_answer(draft: Draft[Any], message: PartnerAnswer) -> None:
    partner = draft.family.partners.get(message.SENDERS[0])
    if partner is None:
        raise Rejection("no-open-request")
    request = draft.case.request_to(partner.name)
    if request is None or message.request_id not in (None, request.request_id):
        _take_news(draft, message, asked=request is not None)
        return
    known = draft.family.answers[message.message]
    if draft.world.programme.suspended and partner.waits_while_suspended and known.waits(message):
        draft.add(CaseHeld(at=draft.now, partner=partner.name, answer=kept(message), fact=draft.fact))
    else:
        draft.add(*known.follow(draft, message))


def _take_news(draft: Draft[Any], message: PartnerAnswer, *, asked: bool) -> None:
    """A partner that was asked before speaks again, unasked."""
    case, family, partner = draft.case, draft.family, message.SENDERS[0]
    before = [each.request_id for each in case.ended if each.partner == partner]
    known = family.answers[message.message]
    answered_before = message.request_id in before if message.request_id else bool(before)
    if known.news is None or not answered_before or family.over(case):
        raise Rejection("answers-another-request") if asked else Rejection("no-open-request")
    proposed = known.news(draft, message)
    if not known.waits(message):
        draft.add(*proposed)
        return
    draft.add(*family.doubt(draft, family.question_of(partner)))
    if draft.world.programme.suspended:
        draft.add(CaseHeld(at=draft.now, partner=partner, answer=kept(message), news=True, fact=draft.fact))
    else:
        draft.add(*known.news(draft, message))


def _meet(draft: Draft[Any], command: MeetDeadline) -> None:
    """Do what the deadline asks, if it still runs and is over: a deadline met twice changes nothing."""
    world, due_at = draft.world, command.due_at
    running = deadlines(draft.family, draft.case, world.now, world.rules, world.programme)
    if any(deadline.name == command.name and deadline.at <= due_at for deadline in running):
        draft.family.limits[command.name].meet(draft, due_at)


def advance(draft: Draft[Any]) -> None:
    """Take every next step there is."""
    if draft.case.closed and not _reopen(draft):
        return
    if _terminate(draft):
        return
    suspended = draft.world.programme.suspended
    if draft.case.held and not suspended:
        _resume(draft)
    for _ in range(MAX_STEPS):
        proposed = _next(draft)
        if not proposed:
            return
        if suspended:
            if not draft.case.held:
                draft.add(CaseHeld(at=draft.now))
            return
        draft.add(*proposed)
    raise RuntimeError("the rules ask for steps without end")


def is_to_reopen(case: Case) -> bool:
    """A closed case for which nothing is missing but that the programme runs."""
    asked = case.reconsideration
    return case.closed and (case.retracted is not None or (asked is not None and asked.second_officer is not None))


def may_reopen(draft: Draft[Any]) -> bool:
    """A case that should open again may: the programme is not terminated, nothing erased, and its family agrees."""
    return not (draft.world.programme.terminated or draft.case.erased) and draft.family.may_reopen(draft)


def _reopen(draft: Draft[Any]) -> bool:
    """Open the case again, if that waits for nothing."""
    case = draft.case
    if not is_to_reopen(case) or draft.world.programme.suspended or not may_reopen(draft):
        return False
    asked = case.reconsideration
    if case.retracted is not None or asked is None:
        draft.add(CaseReopened(at=draft.now, basis=draft.basis(), fact=case.retracted))
    else:
        draft.add(reopened_by_officers(draft, asked.officer, asked.second_officer or "", asked.number))
    return True


def reopened_by_officers(draft: Draft[Any], officer: str, second_officer: str, number: int) -> CaseReopened:
    """Two officers undo the denial of referral `number`."""
    return CaseReopened(
        at=draft.now, basis=draft.basis(), referral=number, officer=officer, second_officer=second_officer
    )


def _terminate(draft: Draft[Any]) -> bool:
    """A terminated programme closes every case that is not past its reach, suspended or not."""
    case, programme = draft.case, draft.world.programme
    if case.closed or draft.family.over(case) or not programme.terminated:
        return False
    draft.add(CaseClosed(at=draft.now, outcome="terminated", reason="programme-terminated"))
    return True


def _resume(draft: Draft[Any]) -> None:
    """The programme resumed: the answers that waited take effect, in the order they came."""
    waiting = draft.case.held_answers
    draft.add(CaseResumed(at=draft.now))
    answers = draft.family.answers
    for held in waiting:
        if draft.case.closed:
            break
        known = answers[json.loads(held.body)["message"]]
        draft.fact = held.fact
        follow = known.follow if known.news is None or not held.news else known.news
        with suppress(Rejection):  # news that no longer concerns the case, such as of a supporter who left
            draft.add(*follow(draft, known.kind.model_validate_json(held.body)))
    draft.fact = None


def _next(draft: Draft[Any]) -> Events:
    """The first step that is to be taken; what closes a case comes before what carries it on."""
    family = draft.family
    if draft.case.closed or family.over(draft.case):
        return ()
    for judge in family.judge:
        proposed = judge(draft)
        if proposed:
            return proposed
    return _carry_on(draft)


def _carry_on(draft: Draft[Any]) -> Events:
    """The step of the first stage that is not done: nothing of a later one is begun before.

    While a referral is open only a stage that says so takes one.
    """
    for stage in draft.family.stages:
        if stage.carry_on is not None and not stage.done(draft.case):
            return stage.carry_on(draft) if stage.in_doubt or not draft.case.open_referrals else ()
    return ()
