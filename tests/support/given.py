"""Given what happened, when a command comes, then this happens: `given(...).when(...).then(...)`, one each a test.

The history is folded into the case; the command is taken over a fixed world. `then` compares events by class, or by
class and the named fields, so that a test speaks only of what it is about.
"""

import json
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import zip_longest
from typing import Any

from domain import registry
from domain.humanitarian_parole.definition import FAMILY
from domain.humanitarian_parole.stages.filing import ApplicationSubmitted
from domain.humanitarian_parole.world import World
from domain.kernel.calendar import Pause
from domain.kernel.case import Case
from domain.kernel.decider import Decision, deadlines, decide, decide_or_reject, fold
from domain.kernel.events import CaseEvent, MessageRejected
from domain.kernel.messages import Command, FileApplication, MeetDeadline, Message, TakeMessage
from domain.kernel.programme import Programme
from domain.kernel.proof import Proof, claimed
from domain.kernel.rule_set import RuleSet, read_rule_set
from tests.support.filed import CASE, FILED_AT, an_application

SETS = registry.programme("venezuela-air").sets
RULES = SETS["2022-10-19"]


def opened(rules: RuleSet) -> Programme:
    """The programme of a set, opened under it."""
    sets = {rules.version: rules}
    return Programme(version=1, programme=rules.programme, rules_version=rules.version, sets=sets)


def changed(base: RuleSet, /, **changes: Any) -> RuleSet:
    """The set with other fields, as it would be read; `rules` and `limits` are added to those there are."""
    content = json.loads(base.text)
    merged = {name: {**content[name], **changes.pop(name, {})} for name in ("rules", "limits")}
    return read_rule_set(json.dumps({**content, **merged, **changes}))


OPEN = opened(RULES)
MONTHLY = opened(
    changed(RULES, caps=[{"allotment": "air", "pool": "venezuela-air", "places": 24_000, "period": "month"}])
)
"""The programme with the same rules, its places counted by the month."""


def suspended(since: datetime, until: datetime | None = None, *earlier: Pause) -> Programme:
    """The programme, suspended since a moment, and resumed where `until` is given."""
    return replace(OPEN, version=2, pauses=(*earlier, Pause(since, until)))


def terminated(at: datetime, parole_ends_on: date) -> Programme:
    """The programme, terminated."""
    return replace(OPEN, version=2, terminated_at=at, parole_ends_on=parole_ends_on)


def a_world(now: datetime, **changes: Any) -> World:
    """An open programme under the notice's rules, with a place for everybody and nobody else around."""
    fields: dict[str, Any] = {"rules": RULES, "programme": OPEN, "place": "free"}
    return World(now=now, **{**fields, **changes})


def filing(application: Any = None, at: datetime = FILED_AT) -> FileApplication:
    """The command that begins a case."""
    message = ApplicationSubmitted(application=application or an_application())
    return FileApplication(CASE, "supporter", "filing", message, at, claimed("supporter"))


def told(message: Message, at: datetime, source: str | None = None) -> TakeMessage:
    """The command to take `message`, received at `at`, from the first that may send it if no `source` is named."""
    message_id = f"{message.message}@{at.isoformat()}"
    return TakeMessage(source or message.SENDERS[0], message_id, message, at, named(message))


def named(message: Message, sender: str | None = None) -> Proof:
    """No proof, but the sender and the officer that a message names, as an embedded stack takes it."""
    return claimed(sender or message.SENDERS[0], getattr(message, "officer", None))


def met(name: str, at: datetime) -> MeetDeadline:
    """The command that a limit is over."""
    return MeetDeadline(name, at)


@dataclass(frozen=True)
class Happened:
    """An event of a class, with at least these fields."""

    kind: type[CaseEvent]
    fields: tuple[tuple[str, object], ...] = ()

    def __repr__(self) -> str:
        told_fields = ", ".join(f"{name}={value!r}" for name, value in self.fields)
        return f"{self.kind.__name__}({told_fields})"

    def seen_in(self, event: CaseEvent) -> "Happened":
        """`event` as far as this speaks of it."""
        return Happened(type(event), tuple((name, getattr(event, name, None)) for name, _ in self.fields))


def happened(kind: type[CaseEvent], **fields: object) -> Happened:
    """An event of `kind` with at least `fields`."""
    return Happened(kind, tuple(fields.items()))


def _spoken_of(event: CaseEvent, awaited: Happened | CaseEvent | None) -> Happened | CaseEvent:
    """`event` as far as `awaited` speaks of it: whole, by some fields, or by its name where nothing was awaited."""
    if isinstance(awaited, CaseEvent):
        return event
    return (awaited or happened(type(event))).seen_in(event)


@dataclass(frozen=True)
class Given:
    """A case with its history."""

    case: Case
    history: tuple[CaseEvent, ...] = ()

    def when(self, command: Command, world: World | None = None, **changes: Any) -> "Then":
        """The command is taken, in `world` or in an open one at the command's moment with `changes`."""
        at = command.due_at if isinstance(command, MeetDeadline) else command.received_at
        return Then(self, command, world or a_world(at, **changes))

    def and_then(self, command: Command, world: World | None = None, **changes: Any) -> "Given":
        """The history with what follows from `command`, which must be taken."""
        after = self.when(command, world, **changes)
        events = decide(FAMILY, self.case, command, after.world)
        return Given(fold(FAMILY, self.case, events), (*self.history, *events))

    def due(self, now: datetime, programme: Programme = OPEN, rules: RuleSet = RULES) -> dict[str, datetime]:
        """The limits that are running."""
        return {deadline.name: deadline.at for deadline in deadlines(FAMILY, self.case, now, rules, programme)}


@dataclass(frozen=True)
class Then:
    """What follows from a command."""

    before: Given
    command: Command
    world: World

    @property
    def decision(self) -> Decision:
        """The decision itself, for what the assertions here do not say."""
        return decide_or_reject(FAMILY, self.before.case, self.command, self.world)

    def then(self, *expected: Happened | type[CaseEvent] | CaseEvent) -> "Given":
        """Exactly these events, in this order; answers the case as they leave it."""
        events = decide(FAMILY, self.before.case, self.command, self.world)
        awaited = [happened(each) if isinstance(each, type) else each for each in expected]
        shown = [_spoken_of(event, as_one) for event, as_one in zip_longest(events, awaited) if event is not None]
        assert shown == awaited
        return Given(fold(FAMILY, self.before.case, events), (*self.before.history, *events))

    def then_nothing(self) -> "Given":
        """The command is taken, and nothing happens."""
        return self.then()

    def then_rejected(self, code: str) -> "Given":
        """The case cannot take it: an open case records that, with the code, and nothing else."""
        decision = self.decision
        assert (decision.reply.answer, decision.reply.code) == ("rejected", code), decision.events
        case = self.before.case
        recorded = (MessageRejected,) if case.filed and not case.closed else ()
        assert tuple(type(event) for event in decision.events) == recorded
        return Given(fold(FAMILY, case, decision.events), (*self.before.history, *decision.events))


def given(*events: CaseEvent) -> Given:
    """A case with this history; a case that was never filed, without one."""
    return Given(fold(FAMILY, Case(CASE), events), events)


def plus(moment: datetime, **duration: float) -> datetime:
    """`moment` and so much later."""
    return moment + timedelta(**duration)
