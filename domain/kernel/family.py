"""A family of programmes, put together from what its stages declare, and a programme in it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, reduce
from operator import or_
from typing import Annotated, Any

from pydantic import Field, TypeAdapter

from domain.kernel.calendar import Deadline
from domain.kernel.case import Case
from domain.kernel.definition import (
    CLOSED,
    AnswerDefinition,
    Codes,
    Enquiry,
    EventDefinition,
    Events,
    LimitDefinition,
    MessageDefinition,
    Occasion,
    PartnerDefinition,
    Places,
    QuestionDefinition,
    RuleDefinition,
    SignalDefinition,
    Stage,
    Wait,
    name_of,
)
from domain.kernel.events import Basis, CaseEvent, CaseHeld, ReferredToOfficer, RuleResult
from domain.kernel.messages import (
    Command,
    FileApplication,
    Message,
    Submission,
)
from domain.kernel.programme import Programme
from domain.kernel.rule_set import PAUSE_FLOOR, RuleSet


def _either(names: Sequence[str]) -> str:
    quoted = [f"`{name}`" for name in names]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} or {quoted[-1]}"


def _both(first: Callable[[Case, Any], Case], then: Callable[[Case, Any], Case]) -> Callable[[Case, Any], Case]:
    return lambda case, event: then(first(case, event), event)


@dataclass(frozen=True)
class Family:
    """A family of programmes."""

    name: str
    package: str
    """Its Python package, which holds `programmes/<id>/`."""
    stages: tuple[Stage, ...]
    submission: type[Submission]
    submission_says: str
    """One sentence for operators, as messages have."""
    file: Callable[[Any, FileApplication], None]
    """Records what was filed."""
    filed: Callable[[Events], Submission]
    """Makes what was filed again from the events that followed from it."""
    judge: tuple[Callable[[Any], Events], ...]
    """In the order in which they are tried, before the stages are carried on."""
    over: Callable[[Case], bool]
    """The case takes no further step of its own, and a termination does not close it."""
    running_limits: Callable[[Case, datetime, RuleSet, Programme], Iterable[Deadline]]
    waiting_on: Callable[[Case], str | None]
    """Whom an open case waits on, where the programme does not hold it."""
    closing: Callable[[Any, str, str, Basis | None], Events]
    """The events by which a decision closes a case."""
    enquire: Callable[[Case, Command], Enquiry]
    """What a decision on a command must know of other cases; what is not named is neither read nor locked."""
    registers: Callable[[Case, Events], Enquiry]
    """By what the case is found from now on, given the events that were appended; empty where that did not change."""
    world: Callable[..., Any]
    """Makes the `World` of a decision, from `now`, `rules`, `programme` and what was read for the enquiry."""
    remembered: Callable[[Mapping[str, Any]], Mapping[str, Any]]
    """What `Basis.known` kept, as arguments of `world`."""
    places: Callable[[Case, Case, Events], Places | None]
    """What a decision does to the places, given the case before and after it."""
    facts: Callable[[Case, Programme, RuleSet], Mapping[str, Any]]
    """What else the head keeps and lists show of a case, in the family's words, as JSON has it; nothing personal."""
    fact_titles: Codes
    """As each of these is called."""
    on_hold: Callable[[Case], bool]
    """It waits for the programme, or what it was given may not be used at the moment."""
    registers_persons: bool = False
    """`registers` names somebody for every case that is filed, so that a case of whom nobody is found is a fault."""
    names_case: tuple[str, ...] = ()
    """Where what is filed names another case, as a path; in a scenario that is the other case's name in the file."""
    may_travel: Callable[[Case, Programme, RuleSet, datetime], str] | None = None
    """The answer to a boarding check; None in a family that nobody boards for."""
    doubt: Callable[[Any, str], Events] = lambda _draft, _question: ()
    """What is recorded at once, in a suspension too, when a partner's news puts a question into doubt."""
    may_reopen: Callable[[Any], bool] = lambda _: True
    """Whether a case that should open again may, beside what holds for every family."""

    @cached_property
    def stage_names(self) -> tuple[str, ...]:
        """The stages in order, `closed` last."""
        return (*(stage.name for stage in self.stages if stage.name), CLOSED)

    @cached_property
    def messages(self) -> Mapping[str, MessageDefinition]:
        """What nobody asked for, by name."""
        return {each.name: each for stage in self.stages for each in stage.messages}

    @cached_property
    def partners(self) -> Mapping[str, PartnerDefinition]:
        """The external checks, by name, in the order in which a case names whom it waits on."""
        return {each.name: each for stage in self.stages for each in stage.partners}

    @cached_property
    def answers(self) -> Mapping[str, AnswerDefinition]:
        """The partners' answers, by name."""
        return {each.name: each for partner in self.partners.values() for each in partner.answers}

    @cached_property
    def signals(self) -> Mapping[str, SignalDefinition]:
        """Every kind of message of a case, by name, as operators see it."""
        filed = SignalDefinition(self.submission, self.submission_says, None)
        said = [SignalDefinition(each.kind, each.says, each.example) for each in self.answers.values()]
        said += [SignalDefinition(each.kind, each.says, each.example) for each in self.messages.values()]
        return {name_of(each.kind): each for each in (filed, *said)}

    @cached_property
    def next_words(self) -> Mapping[str, str]:
        """By whom a case waits on: who acts next, and with which message."""
        answers = {
            partner.waiting_on: f"{name.replace('_', ' ')} answers: {_either([each.name for each in partner.answers])}"
            for name, partner in self.partners.items()
        }
        return {**answers, **{name: wait.next for name, wait in self.waits.items()}}

    @cached_property
    def waits(self) -> Mapping[str, Wait]:
        """What a case may wait on, partners apart."""
        return {name: wait for stage in self.stages for name, wait in stage.waits.items()}

    @cached_property
    def wait_titles(self) -> Codes:
        """Whom or what a case waits on, by the name that `Case.waiting_on` has."""
        partners = {partner.waiting_on: partner.title for partner in self.partners.values()}
        return {**partners, **{name: wait.title for name, wait in self.waits.items()}}

    @cached_property
    def sender_titles(self) -> Codes:
        """Who sends messages, by the source that they have."""
        others = {name: title for stage in self.stages for name, title in stage.senders.items()}
        return {**others, **{name: partner.title for name, partner in self.partners.items()}}

    @cached_property
    def stage_titles(self) -> Codes:
        """The stages, `closed` apart."""
        return {stage.name: stage.title for stage in self.stages if stage.name and stage.title}

    @cached_property
    def outcomes(self) -> Codes:
        """How a case may close."""
        return {code: words for stage in self.stages for code, words in stage.outcomes.items()}

    @cached_property
    def reasons(self) -> Codes:
        """Why a case may close: for a rule, or for a reason of its own."""
        reasons = {code: words for stage in self.stages for code, words in stage.reasons.items()}
        return {**reasons, **{name: rule.title for name, rule in self.rules.items()}}

    @cached_property
    def codes(self) -> Codes:
        """Outcomes, reasons and rules."""
        return {**self.outcomes, **self.reasons}

    @cached_property
    def questions(self) -> Mapping[str, QuestionDefinition]:
        """What officers are asked, by name."""
        return {each.name: each for stage in self.stages for each in stage.questions}

    @cached_property
    def limits(self) -> Mapping[str, LimitDefinition]:
        """The limits, by name."""
        return {each.name: each for stage in self.stages for each in stage.limits}

    @cached_property
    def rules(self) -> Mapping[str, RuleDefinition]:
        """The rules by name, in the order in which they are tried."""
        return {each.name: each for stage in self.stages for each in stage.rules}

    @cached_property
    def lengths(self) -> tuple[str, ...]:
        """What every rule set must give a length in days."""
        return (PAUSE_FLOOR, *dict.fromkeys(name for stage in self.stages for name in stage.lengths))

    @cached_property
    def handlers(self) -> Mapping[type[CaseEvent], Callable[[Case, Any], Case]]:
        """What each event makes of a case; several stages may each change their own part, in the order of stages."""
        found: dict[type[CaseEvent], Callable[[Case, Any], Case]] = {}
        for each in (event for stage in self.stages for event in stage.events):
            before = found.get(each.kind)
            found[each.kind] = _both(before, each.evolve) if before else each.evolve
        return found

    @cached_property
    def events(self) -> Mapping[str, EventDefinition]:
        """By their class's name, each as the stage declares it that says what happened."""
        return {each.kind.__name__: each for stage in self.stages for each in stage.events if each.words}

    def said(self, name: str, events: Events) -> Message:
        """The message of this name that these events followed from. Raises `KeyError` for one that no case takes."""
        known = self.messages.get(name) or self.answers[name]
        held = next((each.answer for each in events if isinstance(each, CaseHeld) and each.answer), None)
        if held is not None:
            return known.kind.model_validate_json(held.body)
        news = next((each.answer for each in events if isinstance(each, ReferredToOfficer) and each.news), None)
        if news is not None and name in self.answers:
            return known.kind.model_validate_json(news.body)
        return known.kind() if known.said is None else known.said(events)  # type: ignore[call-arg]  # has a default

    @cached_property
    def retractable(self) -> Mapping[str, tuple[str, ...]]:
        """What may be taken back, by name, and who sends it."""
        known: list[MessageDefinition | AnswerDefinition] = [*self.messages.values(), *self.answers.values()]
        return {each.name: each.kind.SENDERS for each in known if each.retractable}

    def question_of(self, partner: str) -> str:
        """What an officer is asked when this partner is in doubt. Raises `KeyError` for one that gives no news."""
        return {each.partner: each.name for each in self.questions.values()}[partner]

    @cached_property
    def ending_kinds(self) -> frozenset[str]:
        """Messages after which somebody who may board may no longer; a partner's news is one of them."""
        ended = {each.name for each in self.messages.values() if each.ends}
        return frozenset(ended | {each.name for each in self.answers.values() if each.news is not None})

    def kind_of(self, name: str) -> type[Message] | None:
        """The class of a message of this name; None where no case of this family takes it."""
        if name == name_of(self.submission):
            return self.submission
        found = self.messages.get(name) or self.answers.get(name)
        return None if found is None else found.kind

    @cached_property
    def message_reader(self) -> TypeAdapter[Message]:
        """Reads any message that a case of this family takes, by its `message`."""
        kinds: list[Any] = [self.submission, *(each.kind for each in self.messages.values())]
        kinds += [each.kind for each in self.answers.values()]
        union: Any = Annotated[reduce(or_, kinds), Field(discriminator="message")]
        return TypeAdapter(union)

    def read(self, content: Any) -> Message:
        """The message that `content` is. Raises pydantic's `ValidationError`, which never repeats its input."""
        return self.message_reader.validate_python(content)

    def knows(self, rules: RuleSet) -> bool:
        """Whether every rule of the set is one of this family; a set of a newer version may name others."""
        return rules.rules.keys() <= self.rules.keys()

    def later(self, *stages: str) -> str:
        """The latest of these stages: nothing moves a stage back."""
        return max(stages, key=self.stage_names.index)

    def tried(self, occasion: Occasion, case: Case, world: Any) -> tuple[RuleResult, ...]:
        """What the rules of the case's set say, each rule that is tried on this occasion, in order."""
        return tuple(
            rule.test(case, world)
            for rule in self.rules.values()
            if rule.test is not None and occasion in rule.tried and rule.name in world.rules.rules
        )


@dataclass(frozen=True, slots=True)
class ProgrammeDefinition:
    """A programme as data: which family it belongs to, how its cases are named, and its rule sets."""

    id: str
    family: Family
    prefix: str
    opens_at: datetime
    """No case is filed before."""
    words: Mapping[str, Mapping[str, str]]
    """Its own words by language, `en` and `es`."""
    sets: Mapping[str, RuleSet]
    """The bundled rule sets, by version."""
