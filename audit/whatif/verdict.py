"""`audit what-if`: who would have been decided differently under other rules. Pure; it writes nothing.

Every decision is made again on its recorded facts. A case stops at its first divergence: what people did afterwards
followed from a decision that would not have been made. Places, and refusals of messages, stand as recorded.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

from audit.whatif.again import Again, meet, ways
from audit.whatif.record import PrincipalOpen, ProgrammeStates, Recorded, world_of
from domain.case import Case
from domain.events import CaseClosed, CaseEvent, PersonalDataErased
from domain.evolve import fold
from domain.limits import Deadline, deadlines
from domain.rules.rule_set import RuleBook, RuleSet
from domain.world import World

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
    """Commands that this program does not decide as recorded under the rules of the time, or whose rules it lacks."""
    divergence: Divergence | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked: other rules, for what was decided in a window of time; None is without a bound."""

    rules: RuleSet
    book: RuleBook
    since: datetime | None = None
    until: datetime | None = None

    def asks_about(self, moment: datetime) -> bool:
        """Whether the moment is in the window."""
        return (self.since is None or self.since <= moment) and (self.until is None or moment < self.until)


@dataclass(slots=True)
class _Case:
    """One case as it is gone through."""

    question: Question
    programme: ProgrammeStates
    principal_open: PrincipalOpen
    book: Mapping[str | None, RuleSet]
    case: Case
    done: int = 0
    missed: int = 0

    def look(self, decision: Recorded) -> Divergence | None:
        """Decide it anew, if it is asked about."""
        if not self.question.asks_about(decision.moment) or isinstance(decision.events[0], PersonalDataErased):
            return None
        earlier = self._limit_that_ended_before(decision)
        if earlier is not None:
            return earlier
        found = self._way(decision)
        if found is None:
            self.missed += 1
            return None
        again, world = found
        self.done += 1
        would_be = again(self.case, _under(world, self.question.rules))
        return None if _same(decision.events, would_be) else self._divergence(decision, would_be)

    def _way(self, decision: Recorded) -> tuple[Again, World] | None:
        """A way to decide that gives, under the rules of the time, exactly what was recorded."""
        rules = self.book.get(decision.rules_digest)
        if rules is None:
            return None
        for programme in self.programme.at(decision):
            world = world_of(self.case, decision, programme, rules, self.principal_open)
            for again in ways(self.case, decision):
                if _exactly(decision.events, again(self.case, world)):
                    return again, world
        return None

    def _limit_that_ended_before(self, decision: Recorded) -> Divergence | None:
        """A limit that is shorter under the other rules and had ended when this came."""
        rules = self.book.get(decision.rules_digest)
        if rules is None or not self.case.filed:
            return None
        programme = self.programme.at(decision)[0]
        then = {limit.name: limit.at for limit in deadlines(self.case, decision.moment, rules, programme)}
        for limit in deadlines(self.case, decision.moment, self.question.rules, programme):
            if limit.at < decision.moment and (limit.name not in then or limit.at < then[limit.name]):
                world = world_of(self.case, decision, programme, self.question.rules, self.principal_open)
                return self._ended(limit, decision, world)
        return None

    def _ended(self, limit: Deadline, decision: Recorded, world: World) -> Divergence:
        would_be = meet(limit.name, limit.at)(self.case, world)
        return Divergence(
            case_id=self.case.case_id,
            version=decision.first_version,
            decided_at=decision.moment,
            rule=f"limit:{limit.name}",
            was=_said(decision.events),
            would_be=_said(would_be),
            because=f"ended-{limit.at.date().isoformat()}",
            rules_digest=decision.rules_digest,
        )

    def _divergence(self, decision: Recorded, would_be: Sequence[CaseEvent]) -> Divergence:
        rule, because = _rule_between(decision, would_be)
        return Divergence(
            case_id=self.case.case_id,
            version=decision.first_version,
            decided_at=decision.moment,
            rule=rule,
            was=_said(decision.events),
            would_be=_said(would_be),
            because=because,
            rules_digest=decision.rules_digest,
        )


def decide_again(
    case_id: str,
    decisions: Sequence[Recorded],
    question: Question,
    programme: ProgrammeStates,
    principal_open: PrincipalOpen,
) -> Verdict:
    """Go through one case until its end or its first divergence."""
    book: dict[str | None, RuleSet] = {rules.digest: rules for rules in question.book.values()}
    going = _Case(question, programme, principal_open, book, Case(case_id))
    for decision in decisions:
        divergence = going.look(decision)
        if divergence is not None:
            return Verdict(going.done, going.missed, divergence)
        going.case = fold(going.case, decision.events)
    return Verdict(going.done, going.missed, None)


def _under(world: World, rules: RuleSet) -> World:
    return World(**{**{name: getattr(world, name) for name in World.__slots__}, "rules": rules})


def _exactly(were: Sequence[CaseEvent], are: Sequence[CaseEvent]) -> bool:
    """The same events on the same basis; when each was decided is not asked, for a restart may come between."""
    return _same(were, are) and [_results(event) for event in were] == [_results(event) for event in are]


def _same(were: Sequence[CaseEvent], are: Sequence[CaseEvent]) -> bool:
    return [_decided(event) for event in were] == [_decided(event) for event in are]


def _decided(event: CaseEvent) -> tuple[str, dict[str, Any]]:
    fields = {name: getattr(event, name) for name in type(event).model_fields if name not in _OF_THE_RULES}
    return type(event).__name__, fields


def _results(event: CaseEvent) -> Any:
    basis = getattr(event, "basis", None)
    return None if basis is None else (basis.decided_on, basis.results, basis.earlier_supporter_cases)


def _rule_between(decision: Recorded, would_be: Sequence[CaseEvent]) -> tuple[str, str | None]:
    """The first rule that says otherwise; else the first field that differs; else the event."""
    then = {result.rule: result for basis in decision.bases for result in basis.results}
    bases = (getattr(event, "basis", None) for event in would_be)
    now = {result.rule: result for basis in bases if basis is not None for result in basis.results}
    for rule, result in now.items():
        if rule in then and then[rule].result != result.result:
            return rule, result.because
    for rule, result in now.items():
        if rule not in then and result.result != "passed":
            return rule, result.because
    for rule in then.keys() - now.keys():
        if then[rule].result != "passed":
            return rule, None
    if decision.command_id.startswith("deadline:"):
        return f"limit:{decision.command_id.split(':')[1]}", None
    return _field_between(decision.events, would_be), None


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
