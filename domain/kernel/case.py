"""The state of a case: what every family's cases have, and each stage's own part.

It is folded from the events of the case and from nothing else. A stage keeps what it must remember in a frozen
dataclass of its own, which `case.of(Part)` reads and `with_part` writes; no list of parts stands anywhere.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar

from domain.kernel.calendar import Pause
from domain.kernel.ids import CaseId, EventId, event_id

if TYPE_CHECKING:
    from dataclasses import replace as replace  # noqa: PLC0414  exported
else:
    from dataclasses import replace as _replace

    def replace(value, /, **changes):  # noqa: ANN001, ANN003, ANN201  typed as the function that it stands in for
        """As `dataclasses.replace`, which asks for each field by name, at each event.

        Folding is most of what a replay and a verification do; this is several times faster.
        """
        fields = getattr(value, "__dict__", None)
        if fields is None:
            return _replace(value, **changes)
        after = object.__new__(type(value))
        state = after.__dict__
        state.update(fields)
        state.update(changes)
        if len(state) != len(fields):
            return _replace(value, **changes)  # which says what there is not
        return after


Part = TypeVar("Part")


@cache
def _defaults_of(part: type[Part]) -> Part:
    """One for all cases, as parts are frozen: folding asks several times at each event."""
    return part()


@dataclass(frozen=True, slots=True)
class Request:
    """A request to a partner that is open: not answered, not void."""

    request_id: str
    partner: str
    at: datetime
    """When the case asked; the partner is told the same moment at every attempt."""


@dataclass(frozen=True, slots=True)
class Referral:
    """A question before an officer. It is open until approved or until a denial is confirmed."""

    number: int
    question: str
    since: datetime
    escalated: bool = False
    officer: str | None = None
    decision: str | None = None
    confirmed: bool = False
    settled: bool = False
    """What the officers decided has taken effect."""
    codes: tuple[str, ...] = ()
    """The public codes of its flags."""
    fact: EventId | None = None
    """The event that recorded what gave rise to it, where that may be taken back."""

    @property
    def open(self) -> bool:
        """Still before the officers: undecided, or denied by one of them only."""
        return self.decision is None or (self.decision == "deny" and not self.confirmed)

    @property
    def approved(self) -> bool:
        """An officer approved."""
        return self.decision == "approve"


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that its sender may take back."""

    message_id: str
    kind: str
    event: EventId
    """The first event that followed from it."""
    retracted: bool = False


@dataclass(frozen=True, slots=True)
class WaitingAnswer:
    """A partner's answer that waits for the programme to resume."""

    partner: str
    body: str
    news: bool = False
    fact: EventId | None = None


@dataclass(frozen=True, slots=True)
class Closing:
    """How a case stood when it closed, so that it can stand there again."""

    at: datetime
    stage: str
    facts: tuple[EventId, ...] = ()
    referral: int | None = None
    partners: tuple[str, ...] = ()
    """Who was being asked."""
    waiting: tuple[WaitingAnswer, ...] = ()


@dataclass(frozen=True, slots=True)
class Reconsideration:
    """Redress that an officer asked for."""

    number: int
    officer: str
    second_officer: str | None = None


@dataclass(frozen=True)
class Case:
    """A case. `version` 0 is a case that was never filed. Without slots: folding copies it at once."""

    case_id: CaseId
    version: int = 0
    programme: str = ""
    rules_version: str = ""
    filed_at: datetime | None = None
    stage: str = ""
    waiting_on: str | None = None
    since: datetime | None = None
    """Since when it is in this stage and waits on this."""
    last_at: datetime | None = None

    requests: tuple[Request, ...] = ()
    ended: tuple[Request, ...] = ()
    """Requests that were answered or became void."""
    referrals: tuple[Referral, ...] = ()
    referral_count: int = 0
    flags: tuple[str, ...] = ()
    held: bool = False
    """Its next step waits for the programme to resume."""
    held_answers: tuple[WaitingAnswer, ...] = ()
    """Partners' answers that wait with it."""
    rejected_count: int = 0
    facts: tuple[Fact, ...] = ()
    officers: tuple[str, ...] = ()
    """Who decided or confirmed anything in it."""

    outcome: str | None = None
    reason: str | None = None
    closed_at: datetime | None = None
    closing: Closing | None = None
    """Its latest closing, also after it was opened again."""
    stops: tuple[Pause, ...] = ()
    """From when to when it was closed, where it was opened again: limits stood still."""
    retracted: EventId | None = None
    """A fact for which it closed, taken back: it opens again when it may."""
    reconsideration: Reconsideration | None = None
    erased: bool = False
    parts: Mapping[type[Any], Any] = field(default_factory=lambda: MappingProxyType({}))

    def of(self, part: type[Part]) -> Part:
        """What a stage keeps of this case; its defaults where nothing has happened there."""
        found: Part | None = self.parts.get(part)
        return _defaults_of(part) if found is None else found  # type: ignore[arg-type]  # a class can be hashed

    @property
    def closed(self) -> bool:
        """It takes no step, unless it is opened again."""
        return self.closed_at is not None

    @property
    def filed(self) -> bool:
        """Whether there is a case at all."""
        return self.version > 0

    @property
    def next_event_id(self) -> EventId:
        """The id that the next event of this case will have."""
        return event_id(self.case_id, self.version + 1)

    @property
    def open_referrals(self) -> tuple[Referral, ...]:
        """Referrals that officers have yet to answer, the oldest first."""
        return tuple(referral for referral in self.referrals if referral.open)

    def request_to(self, partner: str) -> Request | None:
        """The open request to `partner`; there is at most one."""
        return next((request for request in self.requests if request.partner == partner), None)

    def has_referral(self, question: str) -> bool:
        """Whether an officer's answer to `question` is awaited, or has come and not yet taken effect."""
        return any(referral.question == question and not referral.settled for referral in self.referrals)


def with_part(case: Case, part: object, **changes: Any) -> Case:
    """The case with this part in place of the one of its class, and with other changes."""
    return replace(case, parts={**case.parts, type(part): part}, **changes)


def asked(case: Case, partner: str, request_id: str, at: datetime) -> tuple[Request, ...]:
    """The open requests with a new one to `partner`, in place of any before it."""
    return (*answered(case, partner), Request(request_id, partner, at))


def answered(case: Case, partner: str) -> tuple[Request, ...]:
    """The open requests without those to `partner`."""
    return tuple(request for request in case.requests if request.partner != partner)


def settled(case: Case, question: str) -> tuple[Referral, ...]:
    """The referrals, those approved on `question` marked as having taken effect."""
    return tuple(replace(r, settled=True) if r.question == question and r.approved else r for r in case.referrals)


def without_answers_of(case: Case, partner: str) -> tuple[WaitingAnswer, ...]:
    """The answers that wait with the case, without those of `partner`."""
    return tuple(answer for answer in case.held_answers if answer.partner != partner)
