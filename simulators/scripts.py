"""How a simulated partner answers a case: what, when and how badly. The `partners:` of a scenario have this form."""

import json
from collections.abc import Iterator, Mapping
from datetime import timedelta
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    create_model,
    model_serializer,
    model_validator,
)

from domain import registry
from domain.kernel.ids import Code
from domain.kernel.messages import Message, PartnerAnswer
from simulators.durations import Duration

PARTNERS: Final = registry.partners()
ANSWER_KINDS: Final[Mapping[str, type[PartnerAnswer]]] = {
    name: each.kind for family in registry.families() for name, each in family.answers.items()
}
"""Each partner's answer by its message name; its `SENDERS` says whose it is."""
NOT_IN_SCRIPTS: Final = "request_id"
"""A request's id is drawn at run time, so no script can name one: an answer belongs to the request that is open."""

Calls = Annotated[int, Field(ge=0, le=1000)]
"""How many of a case's calls to one partner."""
Fault = Literal["unavailable", "busy", "malformed", "oversized", "misdirected", "forgotten"]
"""What goes wrong with one call: 503; 429; a receipt that is cut off, too long, or about another request; a receipt for
what is then forgotten."""

# mypy cannot see into a Literal or a Union that is closed over a registry; pydantic can, and the loader's tests do.
AnswerKind: Any = Literal[(*ANSWER_KINDS, "none")]
AnswerMessage: Any = Annotated[reduce(or_, ANSWER_KINDS.values()), Field(discriminator="message")] | None


class Section(BaseModel):
    """Base of every section: frozen, strict, nothing unknown."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)


class Saying(Section):
    """Base of a section that holds keys of its own beside the fields of the message that one of its keys names."""

    NAMED_BY: ClassVar[str]
    KINDS: ClassVar[Mapping[str, type[Message]]]

    @model_validator(mode="before")
    @classmethod
    def _gather_message(cls, given: Any) -> Any:
        """Gather the message's fields under `says`; without a known message they cannot be judged and are left out."""
        if not isinstance(given, Mapping):
            return given
        kind = given.get(cls.NAMED_BY)
        if kind == "none":
            return given
        keys = {each.alias or name for name, each in cls.model_fields.items()}
        beside = {*keys, "message", NOT_IN_SCRIPTS} - {"says"}
        own = {key: each for key, each in given.items() if key in beside}
        if not (isinstance(kind, str) and kind in cls.KINDS):
            return own
        fields = {key: each for key, each in given.items() if key not in beside}
        return {**own, "says": {"message": kind, **fields}}


class FaultProfile(Section):
    """How badly a partner behaves, beyond `fail`; the first calls meet `fail`, then these in the order given here."""

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

    def in_order(self) -> tuple[Fault, ...]:
        """What goes wrong with the calls after `fail`, in order."""
        kinds: tuple[Fault, ...] = ("busy", "malformed", "oversized", "misdirected", "forgotten")
        return tuple(kind for kind in kinds for _ in range(getattr(self, kind)))


class PartnerScript(Saying):
    """How one simulated partner answers one case."""

    NAMED_BY = "answer"
    KINDS = ANSWER_KINDS

    answer: AnswerKind
    """A message of that partner, or `none`: it takes the call and stays silent."""
    after: Duration = timedelta(0)
    """From the call it accepts to its answer."""
    fail: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    """So many of the case's first calls get 503; a call an hour for a hundred years is fewer."""
    faults: FaultProfile = FaultProfile()
    says: AnswerMessage = None
    """The answer's message with its fields; None when silent. In the file its fields stand beside `answer`."""

    @model_serializer(mode="wrap")
    def _as_in_a_file(self, serialize: SerializerFunctionWrapHandler) -> dict[str, Any]:
        own: dict[str, Any] = serialize(self)
        says: dict[str, Any] = own.pop("says", None) or {}
        return {**own, **{key: each for key, each in says.items() if key not in ("message", NOT_IN_SCRIPTS)}}

    def answer_to(self, request_id: str) -> PartnerAnswer | None:
        """The answer to request `request_id`; None when the partner stays silent."""
        says: PartnerAnswer | None = self.says
        return None if says is None else says.model_copy(update={NOT_IN_SCRIPTS: request_id})

    def fault(self, call: int) -> Fault | None:
        """What goes wrong with the `call`th call (from 1) of a case to this partner."""
        if call <= self.fail:
            return "unavailable"
        faults = self.faults.in_order()
        return faults[call - self.fail - 1] if call - self.fail <= len(faults) else None


class _Scripts(Section):
    """Each partner's script; nothing is said here about one that is left out."""

    def of(self, partner: Code) -> PartnerScript | None:
        """The script of `partner`, if it has one."""
        found: PartnerScript | None = getattr(self, partner)
        return found

    def foreign_answers(self) -> Iterator[tuple[Code, str]]:
        """Partners that are to give an answer which is not theirs."""
        for partner in PARTNERS:
            script = self.of(partner)
            if script is not None and script.says is not None and partner not in script.says.SENDERS:
                yield partner, script.answer


if TYPE_CHECKING:

    class PartnerScripts(_Scripts):
        """As below: its fields, one a partner, are not known before the families are."""

        def __init__(self, **scripts: PartnerScript | None) -> None: ...
        def __getattr__(self, partner: str) -> Any: ...

else:
    PartnerScripts = create_model(
        "PartnerScripts",
        __base__=_Scripts,
        __doc__=_Scripts.__doc__,
        **dict.fromkeys(PARTNERS, (PartnerScript | None, None)),
    )

SILENT: Final = PartnerScript(answer="none")
"""A partner without a script takes its calls and never answers."""
_USUAL: Final = {
    "sponsor_registry": timedelta(days=3),
    "entry_records": timedelta(hours=1),
    "vetting": timedelta(days=5),
    "work_permit_office": timedelta(days=30),
}
"""How long a partner takes; any other takes a day."""


def _agreeable(partner: str) -> PartnerScript:
    """It gives the first of its answers; silent where that one has no example."""
    first = registry.partner(partner).answers[0]
    if first.example is None:
        return SILENT
    says = first.kind.model_validate_json(json.dumps(dict(first.example)))
    fields = says.model_dump(exclude={"message", NOT_IN_SCRIPTS}, exclude_unset=True)
    return PartnerScript(answer=first.name, after=_USUAL.get(partner, timedelta(days=1)), **fields)


AGREEABLE: Final = PartnerScripts(**{partner: _agreeable(partner) for partner in PARTNERS})
"""Partners who say yes in the usual time, until they are told otherwise."""
