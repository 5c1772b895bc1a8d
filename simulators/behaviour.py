"""How a simulated partner behaves: what it answers, when, and how badly.

The `partners:` part of a scenario has this shape; `temper` is beyond what scenarios need, for tests and demonstrations.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any, Final, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator
from pydantic_core import to_json

from domain.kernel.ids import Code
from domain.kernel.messages import PartnerAnswer
from simulators.durations import Duration

Calls = Annotated[int, Field(ge=0, le=1000)]
"""How many of a case's calls to one partner."""

Fault = Literal["unavailable", "busy", "malformed", "oversized", "misdirected", "forgotten"]
"""What goes wrong with one call: 503; 429; a receipt that is cut off, too long, or about another request; a receipt for
what is then forgotten."""

AnswerName = Literal[
    "none",
    "sponsor.confirmed",
    "sponsor.not_confirmed",
    "sponsor.needs_review",
    "entry.matched",
    "entry.not_found",
    "entry.mismatch",
    "vetting.cleared",
    "vetting.referred",
    "vetting.hit",
    "work_permit.eligible",
    "work_permit.ineligible",
]
"""A partner's answer (`domain/messages.py`), or `none`: it takes the call and stays silent."""


def _answers() -> dict[str, type[PartnerAnswer]]:
    return {kind.model_fields["message"].default: kind for kind in PartnerAnswer.__subclasses__()}


ANSWERS: Final = _answers()
"""Each partner's answer by its message name; its `SENDERS` says whose it is."""


def _tuples(given: Any) -> Any:
    """`given` with tuples in place of lists: a list is how YAML and JSON write what a message holds as a tuple."""
    if isinstance(given, Mapping):
        return {key: _tuples(value) for key, value in given.items()}
    return tuple(map(_tuples, given)) if isinstance(given, list) else given


class Temper(BaseModel):
    """How badly a partner behaves, beyond `fail`; the first calls meet `fail`, then these in the order given here."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    busy: Calls = 0
    """So many calls get 429 with Retry-After."""
    retry_after_s: Annotated[int, Field(ge=0, le=86400)] = 1
    malformed: Calls = 0
    """So many calls are taken, but their receipt is cut off."""
    oversized: Calls = 0
    """So many calls are taken, but their receipt is far too long."""
    misdirected: Calls = 0
    """So many calls are taken, but their receipt is about another request."""
    forgotten: Calls = 0
    """So many calls get a receipt, and the partner then knows nothing of them."""

    slow_s: Annotated[float, Field(ge=0, le=600)] = 0.0
    """Real seconds until the first receipt of a request returns; it was taken at once, and a repeated call is quick."""
    early: bool = False
    """It answers before its receipt has returned; `after` does not matter then."""
    twice: bool = False
    """The answer is delivered twice under the same message id."""
    lost: bool = False
    """The answer never comes; who asks for it is told it."""
    wrong_case: bool = False
    """Before the answer comes one about another case, with this case's request id and a message id of its own."""

    def faults(self) -> tuple[Fault, ...]:
        """What goes wrong with the calls after `fail`, in order."""
        counts: tuple[tuple[Fault, int], ...] = (
            ("busy", self.busy),
            ("malformed", self.malformed),
            ("oversized", self.oversized),
            ("misdirected", self.misdirected),
            ("forgotten", self.forgotten),
        )
        return tuple(fault for fault, count in counts for _ in range(count))


class PartnerBehaviour(BaseModel):
    """How one partner behaves towards one case. Every other key is a field of the answer, and checked as such."""

    # `allow` only gathers the answer's fields: `_fields_are_the_answers` refuses what the answer does not know.
    model_config = ConfigDict(frozen=True, extra="allow", strict=True, hide_input_in_errors=True)

    answer: AnswerName
    after: Duration = timedelta(0)
    """From the accepted call to the answer."""
    fail: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    """So many of the first calls get 503; a call an hour for a hundred years is fewer."""
    temper: Temper = Temper()

    @model_validator(mode="after")
    def _fields_are_the_answers(self, info: ValidationInfo) -> Self:
        fields = self.fields
        for reserved in ("message", "request_id"):
            if reserved in fields:
                raise ValueError(f"{reserved} is the partner's to say, not the script's")
        if self.answer == "none":
            if fields:
                raise ValueError(f"no answer, so no fields of one: {', '.join(sorted(fields))}")
        elif info.mode == "json":
            ANSWERS[self.answer].model_validate_json(to_json(fields), strict=True)
        else:
            ANSWERS[self.answer].model_validate(_tuples(fields), strict=True)
        return self

    @property
    def fields(self) -> dict[str, Any]:
        """The answer's own fields, as they were given."""
        return dict(self.model_extra or {})

    def answer_to(self, request_id: str) -> PartnerAnswer | None:
        """The answer to request `request_id`; None when the partner stays silent."""
        if self.answer == "none":
            return None
        return ANSWERS[self.answer].model_validate(self.fields | {"request_id": request_id})

    def fault(self, call: int) -> Fault | None:
        """What goes wrong with the `call`th call (from 1) of a case to this partner."""
        if call <= self.fail:
            return "unavailable"
        faults = self.temper.faults()
        return faults[call - self.fail - 1] if call - self.fail <= len(faults) else None


class PartnerBehaviours(BaseModel):
    """How each partner behaves; one that is left out is not told here."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)

    sponsor_registry: PartnerBehaviour | None = None
    entry_records: PartnerBehaviour | None = None
    vetting: PartnerBehaviour | None = None
    work_permit_office: PartnerBehaviour | None = None

    @field_validator("*")
    @classmethod
    def _answer_is_the_partners(cls, told: PartnerBehaviour | None, info: ValidationInfo) -> PartnerBehaviour | None:
        if told is not None and told.answer != "none" and info.field_name not in ANSWERS[told.answer].SENDERS:
            raise ValueError(f"{told.answer} is not an answer of {info.field_name}")
        return told

    def of(self, partner: Code) -> PartnerBehaviour | None:
        """How `partner` behaves, if it is told."""
        told: PartnerBehaviour | None = getattr(self, partner)
        return told


AGREEABLE: Final = PartnerBehaviours(
    sponsor_registry=PartnerBehaviour(answer="sponsor.confirmed", after=timedelta(days=3)),
    entry_records=PartnerBehaviour(answer="entry.matched", after=timedelta(hours=1)),
    vetting=PartnerBehaviour(answer="vetting.cleared", after=timedelta(days=5)),
    work_permit_office=PartnerBehaviour(answer="work_permit.eligible", after=timedelta(days=30)),
)
"""Partners who say yes in the usual time, until they are told otherwise."""

PARTNERS: Final[tuple[Code, ...]] = get_args(Code)
