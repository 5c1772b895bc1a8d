"""What a family of programmes declares, and what a programme in it is.

A family is one folder. Each of its stages is one module that declares, in a `Stage`, the messages it takes, the events
it records, the limits it keeps, the questions it puts to officers and the rules it tries. Everything else that needs
such a list (activities, signals, HTTP kinds, simulators, the scenario format, words, reconciliation, tables of the
documentation) reads it from here.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import MappingProxyType
from typing import Any, Literal, NamedTuple, TypeVar

from domain.kernel.case import Case, Request
from domain.kernel.events import CaseEvent, RuleResult
from domain.kernel.messages import (
    Message,
    PartnerAnswer,
    PartnerCheck,
    TakeMessage,
)
from domain.kernel.rule_set import RuleParameters

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
    after_close: bool = False
    """A closed case takes it too."""
    retractable: bool = False
    """Its sender may take it back."""

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
    after_close: bool = False,
) -> MessageDefinition:
    """Declare a message that nobody asked for."""
    return MessageDefinition(kind, take, says, example, ends, said, after_close)


@dataclass(frozen=True, slots=True)
class AnswerDefinition:
    """A partner's answer to a request: what follows from it, at once or when a suspension ends."""

    kind: type[PartnerAnswer]
    follow: Callable[[Any, Any], Events]
    says: str
    example: Mapping[str, Any] | None
    said: Callable[[Events], PartnerAnswer] | None = None
    """As `MessageDefinition.said`."""
    news: Callable[[Any, Any], Events] | None = None
    """What follows where nobody had asked and the partner speaks again; None: it is refused. May raise `Rejection`."""
    waits: Callable[[Any], bool] = lambda _: True
    """Whether it takes effect only when a suspended programme resumes, where its partner's answers do."""
    retractable: bool = False
    """Its sender may take it back."""

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
    news: Callable[[Any, A], Events] | None = None,
    waits: Callable[[A], bool] = lambda _: True,
) -> AnswerDefinition:
    """Declare an answer of a partner."""
    return AnswerDefinition(kind, follow, says, example, said, news, waits)


D = TypeVar("D", MessageDefinition, AnswerDefinition)


def retractable(definition: D) -> D:
    """The same, which its sender may take back."""
    return replace(definition, retractable=True)


@dataclass(frozen=True, slots=True)
class SignalDefinition:
    """A kind of message as operators see it in the Temporal UI."""

    kind: type[Message]
    says: str
    example: Mapping[str, Any] | None
    """Fields to start from; None for one whose content is personal, which is in the inbox before it is signalled."""


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
    outcomes: Codes = field(default_factory=lambda: NO_CODES)
    """How a case may close, by the word that `CaseClosed.outcome` has."""
    reasons: Codes = field(default_factory=lambda: NO_CODES)
    """Why a case closed where no rule is the reason."""
    lengths: tuple[str, ...] = ()
    """The lengths in days that it reads from a rule set, by the names that they have there."""
    carry_on: Callable[[Any], Events] | None = None
    """The step towards the end of this stage; nothing of a later stage is begun before `done`."""
    in_doubt: bool = False
    """The step is taken also while a referral is open."""
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
    allotment: str | None = None
    """Of which allotment it wants places; None where the programme has only one, or the case holds or awaits some."""
    quantity: int = 1
    """How many places it wants."""


@dataclass(frozen=True, slots=True)
class Places:
    """What a decision does to the places of its case's pool."""

    change: Literal["take", "join", "leave", "free", "pass-over", "resume"]
    allotment: str
    """Of which of the programme's allotments."""
    ready_at: datetime | None = None
    """With `join`: first come by this moment."""
    quantity: int = 1
