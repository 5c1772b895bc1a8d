"""What the workflow and the activities say to each other: names, task queues, inputs and the Step.

A stored format: histories hold these for months. A field is only ever added, with a default; a name or a meaning
never changes. Results (`Step` and what it holds) ignore keys they do not know, so workers deploy in any order; inputs
refuse them, because an input that is half understood must wait for a worker that understands it.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, get_origin

from pydantic import AfterValidator, AwareDatetime, ConfigDict, Field, create_model
from pydantic.fields import FieldInfo

from activities.safe import TemporalSafe
from domain import registry
from domain.kernel.definition import CLOSED
from domain.kernel.ids import CaseId, Code, MessageId, MessageName, ProgrammeId, RulesVersion

CASES_TASK_QUEUE: Final = "cases"
"""Workflow `Case` and the activities that append."""
CALLS_TASK_QUEUE: Final = "partner-calls"
"""Where `call_partner` was asked for until each partner had a queue of its own; workers serve it for the calls that
cases of that time still wait for."""

CASE_WORKFLOW: Final = "Case"

OPEN_CASE: Final = "open_case"
"""First activity of every run: reads the case from the log, takes what waits in the inbox, returns the Step."""
CALL_PARTNER: Final = "call_partner"

ADVANCE: Final[Mapping[str, str]] = {**{name: name for name in registry.stages()}, CLOSED: OPEN_CASE}
"""The activity that takes the next messages of a case, by the stage it is in: one entrance under the stage's name, so
that an operator reads the story in the timeline. All take `Advance` and return `Step`, as `open_case` does."""

DIRECT_MAX: Final = 20
"""Direct messages handed over in one `Advance`: each costs a write to the inbox, 20 stay well under its timeout."""
ANSWERS_MAX: Final = 100
"""Rows one activity takes before it says `more`: at some 10 ms each a second, far below its timeout."""
REFUSED_MAX: Final = DIRECT_MAX
"""Refused signals that one Step tells of; each is on record among the refusals."""
CALLS_MAX: Final = 10
"""A case has at most one open request to each of four partners; the rest is room for partners to come."""
FLAGS_MAX: Final = 50
FLAGS_BYTES: Final = 2_000
"""Of the flags as JSON: the server refuses a search attribute of more than 2,048, and the workflow could not go on."""
MORE_FLAGS: Final = "more"
"""Stands last where a case has more flags than are shown; the head and the events hold them all."""

MESSAGE_SENDERS: Final[Mapping[str, tuple[str, ...]]] = {
    name: tuple(dict.fromkeys(sender for each in found for sender in each.kind.SENDERS))
    for name, found in registry.signals().items()
}
"""Who may send each kind of message of a case."""

INBOX_ONLY: Final = registry.inbox_only()
GATEWAY_ONLY: Final = registry.gateway_only()


def _shown_flags(flags: tuple[str, ...]) -> tuple[str, ...]:
    """`flags` where they are within the bounds; else as many of the first as are, and `more` after them."""
    if _fit(flags):
        return flags
    shown = flags[: FLAGS_MAX - 1]
    while not _fit((*shown, MORE_FLAGS)):
        shown = shown[:-1]
    return (*shown, MORE_FLAGS)


def _fit(flags: tuple[str, ...]) -> bool:
    return len(flags) <= FLAGS_MAX and sum(len(code) + 3 for code in flags) < FLAGS_BYTES  # two quotes and a comma


class Result(TemporalSafe):
    """Base of what activities return: a newer worker may say more than this one reads."""

    model_config = ConfigDict(extra="ignore")


class CaseStart(TemporalSafe):
    """Input of workflow `Case`: nothing that the log does not hold.

    `seen_version` is the newest version of the case that an earlier run has seen; a log whose head is older was
    restored from a backup, and nothing may be appended to it.
    """

    case_id: CaseId
    seen_version: Annotated[int, Field(ge=0)] = 0


SignatureText = Annotated[str, Field(pattern=r"^v1a?,[A-Za-z0-9+/]{43,88}={0,2}$")]
"""A signature of Standard Webhooks, such as `v1a,…`."""


class SignalledMessage(TemporalSafe):
    """The payload of every signal of workflow `Case`: which message to look at.

    `number` is set by the relay: the message is in the inbox under it. A trusted service, or an operator in the
    Temporal UI, has none: then the message is written to the inbox with the fields given, which are those of the
    families' messages so far as they are codes. Text is never given: `why` is a code, such as `name-match`. It is
    signed by its sender over its case, its id and these fields; an embedded stack alone takes it unsigned.
    """

    message_id: MessageId
    number: Annotated[int, Field(ge=1)] | None = None
    source: Code | None = None
    """Whose word it is, where a kind has more than one sender; by default the kind's first."""
    request_id: MessageId | None = None
    signed_at: Annotated[str, Field(pattern=r"^[0-9]{1,12}$")] | None = None
    """The timestamp of the signatures, as in `webhook-timestamp`."""
    signatures: Annotated[tuple[SignatureText, ...], Field(max_length=2)] = ()
    """As in `webhook-signature`; two while the sender changes its key."""

    def signature_header(self) -> str | None:
        """The signatures as a header has them."""
        return " ".join(self.signatures) or None


Codes = Annotated[tuple[Code, ...], Field(max_length=20)]


def _coded_fields() -> dict[str, Any]:
    """The fields that an example of some kind shows, each of them left out at will: text is a code here."""
    found: dict[str, Any] = {}
    for definitions in registry.signals().values():
        for each in definitions:
            fields = each.kind.model_fields
            found |= {name: _coded(fields[name]) for name in each.example or () if name in fields}
    return found


def _coded(field: FieldInfo) -> tuple[Any, Any]:
    whole = field.rebuild_annotation()
    if get_origin(field.annotation) is tuple:
        return Codes, ()
    if get_origin(field.annotation) is Literal:
        return Code | None, None
    bounded = any(getattr(each, "pattern", None) for each in field.metadata)
    return (Code if field.annotation is str and not bounded else whole) | None, None


if TYPE_CHECKING:

    class Notification(SignalledMessage):
        """As below: its fields are not known before the families are."""

        def __init__(self, **fields: Any) -> None: ...
        def __getattr__(self, name: str) -> Any: ...

else:  # made of the families' messages, so that a new kind needs no list here
    Notification = create_model(
        "Notification", __base__=SignalledMessage, __doc__=SignalledMessage.__doc__, **_coded_fields()
    )


_ABOUT: Final = {"message_id", "number", "source", "signed_at", "signatures"}
"""What a signal says of a message, beside the message itself."""


class DirectMessage(TemporalSafe):
    """A message that came as a signal and may not be in the inbox yet."""

    message: MessageName
    notification: Notification

    def source(self) -> str:
        """Whose word it is: the sender it names, else the first that may send this kind.

        A sender that may not send it is returned all the same: the inbox refuses and records it like any other.
        """
        return self.notification.source or MESSAGE_SENDERS[self.message][0]

    def content(self) -> dict[str, Any]:
        """The message as its family reads it; a field foreign to its kind fails there."""
        return {"message": self.message, **self.notification.model_dump(exclude=_ABOUT, exclude_defaults=True)}

    def said(self) -> dict[str, Any]:
        """The content as JSON has it, for its signature: moments in RFC 3339, those of UTC with a Z."""
        given = self.notification.model_dump(mode="json", exclude=_ABOUT, exclude_defaults=True)
        return {"message": self.message, **given}


class Deadline(TemporalSafe):
    """A limit of a case: `at` is domain time."""

    name: Code
    at: AwareDatetime


class Advance(TemporalSafe):
    """Input of `open_case` and of the stage-named activities.

    `due` is the deadline whose timer fired, if one did: what the workflow saw, not an order; the activity applies
    what is due by its own clock. `direct` are messages to write to the inbox first, in the order they came.
    """

    case_id: CaseId
    seen_version: Annotated[int, Field(ge=0)] = 0
    due: Deadline | None = None
    direct: Annotated[tuple[DirectMessage, ...], Field(max_length=DIRECT_MAX)] = ()


class Due(Result):
    """The next limit of a case. `at` is domain time; `wake_at` is the same moment on the server's clock."""

    name: Code
    at: AwareDatetime
    wake_at: AwareDatetime


class Call(Result):
    """A request to a partner that is in the log and that the partner has not accepted yet.

    Where calls to the partner paused when this was said: since when it takes none, and when the next one goes out.
    """

    request_id: MessageId
    partner: Code
    silent_since: AwareDatetime | None = None
    paused_until: AwareDatetime | None = None


class Reply(Result):
    """What became of inbox message `number`.

    `answer` is None where this run of the workflow no longer or not yet knows it: the inbox does.
    """

    number: Annotated[int, Field(ge=1)]
    answer: Literal["accepted", "rejected"] | None
    code: Code | None = None


class RefusedSignal(Result):
    """A direct signal from which nothing followed, and why."""

    message: MessageName
    message_id: MessageId
    code: Code


class Step(Result):
    """Where a case stands, computed from its head after the append; all that the workflow knows.

    `version` orders Steps. `taken` is the highest inbox number decided; `answers` are those of this call, oldest
    first. `since` and `due.at` are domain time. `more` says that the bounded call left undecided rows behind.
    """

    version: Annotated[int, Field(ge=0)]
    stage: Code
    waiting_on: Code | None
    since: AwareDatetime
    due: Due | None = None
    overdue_since: AwareDatetime | None = None
    calls: Annotated[tuple[Call, ...], Field(max_length=CALLS_MAX)] = ()
    taken: Annotated[int, Field(ge=0)] = 0
    answers: Annotated[tuple[Reply, ...], Field(max_length=ANSWERS_MAX)] = ()
    closed: bool = False
    outcome: Code | None = None
    reason: Code | None = None
    flags: Annotated[tuple[Code, ...], AfterValidator(_shown_flags), Field(max_length=FLAGS_MAX)] = ()
    programme: ProgrammeId
    rules_version: RulesVersion
    more: bool = False
    refused: Annotated[tuple[RefusedSignal, ...], Field(max_length=REFUSED_MAX)] = ()
    """Direct signals that this call refused, the newest of them if there are more."""


class CallPartner(TemporalSafe):
    """Input of `call_partner`, which sends a request that is in the log, with its id as idempotency key."""

    case_id: CaseId
    request_id: MessageId
    partner: Code


class MessageRef(TemporalSafe):
    """Input of update `answer`: a message that is in the inbox under `number`."""

    message_id: MessageId
    number: Annotated[int, Field(ge=1)]


def calls_task_queue(partner: Code) -> str:
    """The queue of `call_partner` for one partner, such as `calls-work-permit-office`.

    A dead partner fills its own slots, never another's nor those of the activities that append, and the server keeps
    the pace that is agreed with it.
    """
    return f"calls-{partner.replace('_', '-')}"
