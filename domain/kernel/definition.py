"""What a family of programmes declares, and what a programme in it is.

A family is one folder. Each of its stages is one module that declares, in a `Stage`, the messages it takes, the events
it records, the limits it keeps, the questions it puts to officers and the rules it tries. Everything else that needs
such a list (activities, signals, HTTP kinds, simulators, the scenario format, words, reconciliation, tables of the
documentation) reads it from here.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property, reduce
from operator import or_
from types import MappingProxyType
from typing import Annotated, Any, Literal, NamedTuple, TypeVar

from pydantic import Field, TypeAdapter

from domain.kernel.case import Case, Request
from domain.kernel.events import Basis, CaseEvent, CaseHeld, RuleResult
from domain.kernel.limits import Deadline
from domain.kernel.messages import (
    Command,
    FileApplication,
    Message,
    PartnerAnswer,
    PartnerCheck,
    Submission,
    TakeMessage,
)
from domain.kernel.programme import Programme
from domain.kernel.rule_set import PAUSE_FLOOR, RuleParameters, RuleSet

M = TypeVar("M", bound=Message)
A = TypeVar("A", bound=PartnerAnswer)
E = TypeVar("E", bound=CaseEvent)
W = TypeVar("W")

Events = tuple[CaseEvent, ...]


class Words(NamedTuple):
    """The same in both languages of the programmes. `{name}` is a public field of the event that they tell of."""

    en: str
    es: str


Codes = Mapping[str, Words]
"""Codes, and what each says to people."""

NO_CODES: Codes = MappingProxyType({})


def first_of(kind: type[E], events: Events) -> E:
    """The first event of this kind. Raises `ValueError` where there is none."""
    for each in events:
        if isinstance(each, kind):
            return each
    raise ValueError(f"no {kind.__name__} among the events")


def name_of(kind: type[Message]) -> str:
    """The name under which a kind of message is sent, such as `vetting.cleared`."""
    name: str = kind.model_fields["message"].default
    return name


NO_EXAMPLE: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class MessageDefinition:
    """A kind of message: its class, what it does, and how the Temporal UI and the API describe it."""

    kind: type[Message]
    take: Callable[[Any, Any, TakeMessage], None]
    """Records what it reports in a draft; raises `Rejection` where the case cannot take it now."""
    says: str
    """One sentence for operators and partners."""
    example: Mapping[str, Any] | None = None
    """Fields to start from where the message may be signalled directly; None where its content is personal."""
    ends: bool = False
    """After it somebody who may board may no longer: a boarding check waits until it is decided."""
    said: Callable[[Events], Message] | None = None
    """Makes the message again from the events that followed from it; None for one that holds nothing but its kind."""

    @property
    def name(self) -> str:
        """The name under which it is sent."""
        return name_of(self.kind)


def message(
    kind: type[M],
    take: Callable[[Any, M, TakeMessage], None],
    says: str,
    example: Mapping[str, Any] | None = None,
    *,
    ends: bool = False,
    said: Callable[[Events], M] | None = None,
) -> MessageDefinition:
    """Declare a message that nobody asked for."""
    return MessageDefinition(kind, take, says, example, ends, said)


@dataclass(frozen=True, slots=True)
class AnswerDefinition:
    """A partner's answer to a request: what follows from it, at once or when a suspension ends."""

    kind: type[PartnerAnswer]
    follow: Callable[[Any, Any], Events]
    says: str
    example: Mapping[str, Any] | None
    said: Callable[[Events], PartnerAnswer] | None = None
    """As `MessageDefinition.said`."""

    @property
    def name(self) -> str:
        """The name under which it is sent."""
        return name_of(self.kind)


def answer(
    kind: type[A],
    follow: Callable[[Any, A], Events],
    says: str,
    example: Mapping[str, Any] | None = NO_EXAMPLE,
    *,
    said: Callable[[Events], A] | None = None,
) -> AnswerDefinition:
    """Declare an answer of a partner."""
    return AnswerDefinition(kind, follow, says, example, said)


@dataclass(frozen=True, slots=True)
class SignalDefinition:
    """A kind of message as operators see it in the Temporal UI."""

    kind: type[Message]
    says: str
    example: Mapping[str, Any] | None
    """Fields to start from; None for one whose content is personal, which is in the inbox before it is signalled."""


def _either(names: Sequence[str]) -> str:
    quoted = [f"`{name}`" for name in names]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} or {quoted[-1]}"


@dataclass(frozen=True, slots=True)
class EventDefinition:
    """An event and what it makes of a case; handlers judge nothing and never fail on a stored history."""

    kind: type[CaseEvent]
    evolve: Callable[[Case, Any], Case]
    words: Words | None
    """One sentence on what happened; None where another stage says it."""
    codes: Codes = field(default_factory=lambda: NO_CODES)
    """What values of its public fields say, where they say something else than the family's codes of that name."""
    lengths: tuple[str, ...] = ()
    """The lengths of the rule set that it follows from."""


def event(
    kind: type[E],
    evolve: Callable[[Case, E], Case],
    words: Words,
    *,
    codes: Codes = NO_CODES,
    lengths: tuple[str, ...] = (),
) -> EventDefinition:
    """Declare an event with what it changes."""
    return EventDefinition(kind, evolve, words, codes, lengths)


def report(kind: type[E], words: Words, *, codes: Codes = NO_CODES) -> EventDefinition:
    """Declare an event that tells what happened; what it changes, other events say."""
    return EventDefinition(kind, lambda case, _: case, words, codes)


def also(kind: type[E], evolve: Callable[[Case, E], Case]) -> EventDefinition:
    """Declare what an event of another stage changes in this one."""
    return EventDefinition(kind, evolve, None)


@dataclass(frozen=True, slots=True)
class PartnerDefinition:
    """An external check: whom the case waits on while a request to it is open, and the answers it may give."""

    name: str
    title: Words
    """As it is called where its messages and a case's waiting for it are told."""
    waiting_on: str
    answers: tuple[AnswerDefinition, ...]
    asks: type[PartnerCheck]
    """What it is asked about a case, and no more than it needs."""
    check: Callable[[Case, Request], PartnerCheck]
    """Makes that of a case and its open request."""
    waits_while_suspended: bool = True
    """Its answers take effect only when the programme resumes."""


@dataclass(frozen=True, slots=True)
class QuestionDefinition:
    """What a referral asks an officer: the rule whose answer is in doubt, and what each answer leads to."""

    name: str
    partner: str | None
    """Whose request ends when the question is put."""
    approved: Callable[[Any], Events]
    denied: Callable[[Any, int], Events]


@dataclass(frozen=True, slots=True)
class LimitDefinition:
    """A limit of a case, by the name that deadlines carry, and what follows when it is over."""

    name: str
    meet: Callable[[Any, datetime], None]
    says: str
    allots: str | None = None
    """The allotment whose new places are given out, in the order of the waiting list, before it is met."""


Occasion = Literal["filing", "authorization"]
"""When a rule is tried: on what was filed, and again just before a place is taken."""


@dataclass(frozen=True, slots=True)
class RuleDefinition:
    """A rule: when it is tried, what it reads from a set, and where in events the facts stand that it looks at."""

    name: str
    title: Words
    because: Codes
    """Why it says what it says, by its codes."""
    test: Callable[[Case, Any], RuleResult] | None = None
    """What it says of a case; None for a rule that only an answer or an officer settles."""
    tried: tuple[Occasion, ...] = ()
    parameters: type[RuleParameters] = RuleParameters
    facts: tuple[str, ...] = ()
    """Paths into an event as JSON, such as `application.beneficiary.nationalities`."""


def rule(
    name: str,
    title: Words,
    because: Codes,
    test: Callable[[Case, W], RuleResult],
    *tried: Occasion,
    parameters: type[RuleParameters] = RuleParameters,
    facts: tuple[str, ...] = (),
) -> RuleDefinition:
    """Declare a rule with its test."""
    return RuleDefinition(name, title, because, test, tried, parameters, facts)


class Wait(NamedTuple):
    """Whom or what a case waits on, where that is no partner."""

    title: Words
    next: str
    """What would move the case, for operators."""


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage of a family's cases, with everything that belongs to it. One without a name is none to wait in."""

    name: str | None
    title: Words | None = None
    """As it is called; a stage with a name has one."""
    events: tuple[EventDefinition, ...] = ()
    messages: tuple[MessageDefinition, ...] = ()
    partners: tuple[PartnerDefinition, ...] = ()
    questions: tuple[QuestionDefinition, ...] = ()
    limits: tuple[LimitDefinition, ...] = ()
    rules: tuple[RuleDefinition, ...] = ()
    senders: Codes = field(default_factory=lambda: NO_CODES)
    """Who sends its messages, partners apart."""
    waits: Mapping[str, Wait] = field(default_factory=lambda: MappingProxyType({}))
    """What a case may wait on, partners apart, by the name that `Case.waiting_on` has."""
    ends: Codes = field(default_factory=lambda: NO_CODES)
    """Outcomes of a case, and reasons that are no rules."""
    lengths: tuple[str, ...] = ()
    """The lengths in days that it reads from a rule set, by the names that they have there."""
    carry_on: Callable[[Any], Events] | None = None
    """The step towards the end of this stage; nothing of a later stage is begun before `done`."""
    done: Callable[[Case], bool] = lambda _: True
    """The case has what this stage is for."""
    lasts_years: bool = False
    """A case mostly waits here, for years: its workflow does so in a run of its own."""


CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Backer:
    """Who stands behind a case, as text to be hashed: the person, and details that are compared with other backers'.

    A detail that was left empty is the empty text, which is equal to nobody's.
    """

    person: str
    tax_id: str = ""
    phone: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True)
class Enquiry:
    """By what a case is compared with others, as text to be hashed with a key; nothing here is stored in clear."""

    persons: tuple[str, ...] = ()
    """One for each way to tell that it is about the same person."""
    backer: Backer | None = None
    principal: str | None = None
    """The case that this one goes with."""


@dataclass(frozen=True, slots=True)
class Places:
    """What a decision does to the places of its case's pool."""

    change: Literal["take", "join", "leave", "free"]
    allotment: str
    """Of which of the programme's allotments."""
    ready_at: datetime | None = None
    """With `join`: first come by this moment."""
    quantity: int = 1


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
    """What else the head keeps of a case, in the family's words, as JSON has it."""
    fact_titles: Codes
    """As each of these is called."""
    on_hold: Callable[[Case], bool]
    """It waits for the programme, or what it was given may not be used at the moment."""
    may_travel: Callable[[Case, Programme, RuleSet, datetime], str] | None = None
    """The answer to a boarding check; None in a family that nobody boards for."""

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
    def codes(self) -> Codes:
        """Outcomes, reasons and rules."""
        ends = {code: words for stage in self.stages for code, words in stage.ends.items()}
        return {**ends, **{name: rule.title for name, rule in self.rules.items()}}

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
        return known.kind() if known.said is None else known.said(events)  # type: ignore[call-arg]  # has a default

    @cached_property
    def ending_kinds(self) -> frozenset[str]:
        """Messages after which somebody who may board may no longer."""
        return frozenset(each.name for each in self.messages.values() if each.ends)

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
