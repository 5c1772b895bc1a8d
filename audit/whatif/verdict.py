"""`audit what-if`: who would have been decided differently under other rules. Pure; it writes nothing.

Every decision is made again on its recorded facts. A case stops at its first divergence: what people did afterwards
followed from a decision that would not have been made. Places, and refusals of messages, stand as recorded.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, NamedTuple

from audit.programmes import ProgrammeHistory
from audit.whatif.record import Recorded, came_at, command_of, world_of
from domain import registry
from domain.kernel.calendar import Deadline
from domain.kernel.case import Case
from domain.kernel.decider import deadlines, decide_or_reject, fold
from domain.kernel.events import Basis, CaseClosed, CaseEvent, MessageRejected, PersonalDataErased, RuleResult
from domain.kernel.family import Family
from domain.kernel.messages import Command, MeetDeadline
from domain.kernel.rule_set import RuleSet

_OF_THE_RULES: Final = {"at", "basis", "rules_version", "rules_digest"}
"""Fields that say under which rules, or when, and not what was decided."""


class Divergence(NamedTuple):
    """The first decision of a case that would have been another."""

    case_id: str
    version: int
    """Where what was recorded begins."""
    decided_at: datetime
    rule: str
    """The rule that says otherwise, or `limit:<name>`, or `<event>.<field>` where only a day or a number differs."""
    was: str
    would_be: str
    because: str | None
    """Why, as the rule says it under the other rules."""
    rules_digest: str | None
    """Of the set it was decided under."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one case."""

    decided_again: int
    not_reproduced: int
    """Commands that this program does not decide as recorded under the rules of the time."""
    divergence: Divergence | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked: other rules, for what was decided in a window of time; None is without a bound."""

    rules: RuleSet
    since: datetime | None = None
    until: datetime | None = None

    def asks_about(self, moment: datetime) -> bool:
        """Whether the moment is in the window."""
        return (self.since is None or self.since <= moment) and (self.until is None or moment < self.until)


class _Again(NamedTuple):
    """A decision that can be made again: its command, and the world under the rules of the time."""

    decision: Recorded
    basis: Basis
    command: Command
    world: Any


@dataclass(slots=True)
class _Case:
    """One case as it is gone through."""

    question: Question
    programme: ProgrammeHistory
    family: Family
    case: Case
    done: int = 0
    missed: int = 0

    def look(self, decision: Recorded) -> Divergence | None:
        """Decide it anew, if it is asked about. Refusals and erasures stand."""
        basis = decision.basis
        if basis is None or not self.question.asks_about(basis.decided_at):
            return None
        again = self._again(decision, basis)
        if again is None or self._decide(again.command, again.world) != decision.events:
            self.missed += 1
            return None
        earlier = self._limit_that_ended_before(again)
        if earlier is not None:
            return earlier
        self.done += 1
        would_be = self._decide(again.command, replace(again.world, rules=self.question.rules))
        return None if _same(decision.events, would_be) else self._divergence(again, would_be)

    def _again(self, decision: Recorded, basis: Basis) -> _Again | None:
        """None where the record lacks what it rested on: `audit verify` says more."""
        try:
            world = world_of(self.family, basis, self.programme, self.programme.sets[basis.rules_digest])
            return _Again(decision, basis, command_of(self.family, self.case, decision, basis), world)
        except (LookupError, ValueError):
            return None

    def _decide(self, command: Command, world: Any) -> tuple[CaseEvent, ...]:
        return decide_or_reject(self.family, self.case, command, world).events

    def _limit_that_ended_before(self, again: _Again) -> Divergence | None:
        """A limit that is shorter under the other rules and had ended when this came."""
        world, moment = again.world, came_at(again.command)
        then = {limit.name: limit.at for limit in self._limits(moment, world, world.rules)}
        for limit in self._limits(moment, world, self.question.rules):
            if limit.at < moment and (limit.name not in then or limit.at < then[limit.name]):
                return self._ended(limit, again)
        return None

    def _limits(self, moment: datetime, world: Any, rules: RuleSet) -> tuple[Deadline, ...]:
        return deadlines(self.family, self.case, moment, rules, world.programme)

    def _ended(self, limit: Deadline, again: _Again) -> Divergence:
        world = replace(again.world, rules=self.question.rules)
        would_be = self._decide(MeetDeadline(limit.name, limit.at), world)
        because = f"ended-{limit.at.date().isoformat()}"
        return self._divergence(again, would_be, f"limit:{limit.name}", because)

    def _divergence(
        self, again: _Again, would_be: Sequence[CaseEvent], rule: str | None = None, because: str | None = None
    ) -> Divergence:
        if rule is None:
            rule, because = _rule_between(again, would_be)
        return Divergence(
            case_id=self.case.case_id,
            version=again.decision.first_version,
            decided_at=again.basis.decided_at,
            rule=rule,
            was=_said(again.decision.events),
            would_be=_said(would_be),
            because=because,
            rules_digest=again.decision.rules_digest,
        )


def decide_again(
    case_id: str, decisions: Sequence[Recorded], question: Question, programme: ProgrammeHistory
) -> Verdict:
    """Go through one case until its end or its first divergence."""
    family = registry.family_of(case_id)
    going = _Case(question, programme, family, Case(case_id))
    for decision in decisions:
        divergence = going.look(decision)
        if divergence is not None:
            return Verdict(going.done, going.missed, divergence)
        going.case = fold(family, going.case, decision.events)
    return Verdict(going.done, going.missed, None)


def not_as_decided(
    family: Family, case_id: str, decisions: Sequence[Recorded], programme: ProgrammeHistory
) -> Iterator[int]:
    """The versions at which decisions begin that do not follow from what they kept, under the rules of their time."""
    case = Case(case_id)
    for decision in decisions:
        if not _follows(family, case, decision, programme):
            yield decision.first_version
        case = fold(family, case, decision.events)


def _follows(family: Family, case: Case, decision: Recorded, programme: ProgrammeHistory) -> bool:
    basis = decision.basis
    if basis is None:
        return all(isinstance(event, MessageRejected | PersonalDataErased) for event in decision.events)
    try:
        world = world_of(family, basis, programme, programme.sets[basis.rules_digest])
        command = command_of(family, case, decision, basis)
        return decide_or_reject(family, case, command, world).events == decision.events
    except (LookupError, ValueError, TypeError, AttributeError, AssertionError, RuntimeError):
        return False  # it was decided on a case on which nothing like it can be decided


def _same(were: Sequence[CaseEvent], are: Sequence[CaseEvent]) -> bool:
    return [_decided(event) for event in were] == [_decided(event) for event in are]


def _decided(event: CaseEvent) -> tuple[str, dict[str, Any]]:
    fields = {name: getattr(event, name) for name in type(event).model_fields if name not in _OF_THE_RULES}
    return type(event).__name__, fields


def _rule_between(again: _Again, would_be: Sequence[CaseEvent]) -> tuple[str, str | None]:
    """The first rule that says otherwise; else the first field that differs; else the event."""
    then, now = _results(again.decision.events), _results(would_be)
    for rule, result in now.items():
        if rule in then and then[rule].result != result.result:
            return rule, result.because
    for rule, result in now.items():
        if rule not in then and result.result != "passed":
            return rule, result.because
    for rule in then.keys() - now.keys():
        if then[rule].result != "passed":
            return rule, None
    if isinstance(again.command, MeetDeadline):
        return f"limit:{again.command.name}", None
    return _field_between(again.decision.events, would_be), None


def _results(events: Sequence[CaseEvent]) -> Mapping[str, RuleResult]:
    return {result.rule: result for event in events if event.basis for result in event.basis.results}


def _field_between(were: Sequence[CaseEvent], are: Sequence[CaseEvent]) -> str:
    for was, would_be in zip(were, are, strict=False):
        (name, fields), (other, others) = _decided(was), _decided(would_be)
        if name != other:
            return name
        differing = [field for field in fields if fields[field] != others[field]]
        if differing:
            return f"{name}.{differing[0]}"
    return "next-step"


def _said(events: Sequence[CaseEvent]) -> str:
    """What was decided, without anything personal."""
    if not events:
        return "nothing"
    last = events[-1]
    if isinstance(last, CaseClosed):
        return f"closed: {last.outcome}" + (f" ({last.reason})" if last.reason else "")
    day = getattr(last, "last_day", None)
    return type(last).__name__ + (f" until {day}" if day else "")
