"""Nothing personal enters Temporal: what may be a payload, what may be a failure (decision 8).

Every client, worker and replayer of the project uses `DATA_CONVERTER`, or none of this holds; every worker also
`activities.failures.FailuresAsCodes` and `CallStackAnswers`.
"""

import functools
import operator
import re
import types
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final, Union, get_args, get_origin

from google.protobuf.json_format import MessageToJson
from pydantic import TypeAdapter, ValidationError
from temporalio.api.common.v1 import Payload
from temporalio.api.enums.v1 import TimeoutType
from temporalio.api.failure.v1 import Failure
from temporalio.api.sdk.v1 import EnhancedStackTrace, WorkflowMetadata
from temporalio.common import RawValue
from temporalio.converter import DataConverter, DefaultFailureConverter, PayloadConverter
from temporalio.exceptions import ActivityError, ApplicationError, CancelledError, FailureError
from temporalio.exceptions import TimeoutError as TimedOutError
from temporalio.worker import (
    HandleQueryInput,
    Interceptor,
    WorkflowInboundInterceptor,
    WorkflowInterceptorClassInput,
)

from activities.safe import Coded, Summary, TemporalSafe, Unreadable

_CODE = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_JSON: Final = {"encoding": b"json/plain"}
_NULL: Final = {"encoding": b"binary/null"}
_SDK_ANSWERS: Final = (WorkflowMetadata, EnhancedStackTrace)
"""What the SDK itself answers to the UI's queries: handler names, our own details, source lines."""


class NotTemporalSafe(Coded, TypeError):
    """A value of a type that may not enter Temporal: a defect of the code that passed it."""

    code = "not-temporal-safe"


class UnreadablePayload(Coded, ValueError):
    """A payload that is not what its receiver reads. What it held is not repeated."""

    code = "unreadable-payload"


class TemporalSafePayloadConverter(PayloadConverter):
    """Lets in and out None, `TemporalSafe` and `Summary`, and nothing else."""

    def to_payloads(self, values: Sequence[Any]) -> list[Payload]:
        """Raises `NotTemporalSafe` for a value of any other type."""
        return [_to_payload(value) for value in values]

    def from_payloads(self, payloads: Sequence[Payload], type_hints: list[type] | None = None) -> list[Any]:
        """Raises `UnreadablePayload`, or gives `Unreadable()` where the type asked for allows it."""
        hints: list[Any] = list(type_hints or ())
        if not hints and [payload.metadata["encoding"] for payload in payloads] == [_NULL["encoding"]]:
            # The result of a workflow, asked for by its id alone. Never two: the SDK passes a signal's payloads without
            # types when their number is wrong, and a handler called with the wrong number fails the workflow task.
            return [None]
        hints += [None] * (len(payloads) - len(hints))
        return [_from_payload(payload, hint) for payload, hint in zip(payloads, hints, strict=False)]


def _to_payload(value: Any) -> Payload:
    if value is None:
        return Payload(metadata=_NULL)
    if isinstance(value, TemporalSafe):
        return Payload(metadata=_JSON, data=value.model_dump_json(exclude_defaults=True).encode())
    if isinstance(value, Summary):
        return Payload(metadata=_JSON, data=_TEXT.dump_json(value))
    if isinstance(value, _SDK_ANSWERS):
        metadata = {"encoding": b"json/protobuf", "messageType": value.DESCRIPTOR.full_name.encode()}
        return Payload(metadata=metadata, data=MessageToJson(value).encode())
    raise NotTemporalSafe


def _from_payload(payload: Payload, hint: Any) -> Any:
    if hint is RawValue:
        return RawValue(payload)
    reader = _reader(hint)
    encoding, text = payload.metadata.get("encoding", b""), payload.data
    if encoding == _NULL["encoding"]:
        text = b"null"
    elif encoding != _JSON["encoding"]:
        text = b""
    # Raised after the handler and not in it: a context would carry pydantic's words into logs and failures.
    try:
        return reader.validate_json(text)
    except ValidationError:
        pass
    if _tells_unreadable(hint):
        return Unreadable()
    raise UnreadablePayload


_TEXT: Final[TypeAdapter[str]] = TypeAdapter(str)


@functools.lru_cache(maxsize=64)
def _reader(hint: Any) -> TypeAdapter[Any]:
    members = tuple(member for member in _members(hint) if member is not Unreadable)
    if not members or not all(_is_safe(member) for member in members):
        raise NotTemporalSafe
    return TypeAdapter(functools.reduce(operator.or_, members))


def _members(hint: Any) -> tuple[Any, ...]:
    return get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,)


def _is_safe(member: Any) -> bool:
    return member is type(None) or (isinstance(member, type) and issubclass(member, TemporalSafe))


def _tells_unreadable(hint: Any) -> bool:
    return Unreadable in _members(hint)


class CodeFailureConverter(DefaultFailureConverter):
    """A failure is its code: no message of its own, no cause, no details, no stack."""

    def to_failure(self, exception: BaseException, payload_converter: PayloadConverter, failure: Failure) -> None:
        """Writes the code and what Temporal itself needs: retryable or not, when again, which activity."""
        del payload_converter  # it would be asked to encode details, and none are let through
        code = code_of(exception)
        failure.message = code
        if isinstance(exception, CancelledError):
            failure.canceled_failure_info.SetInParent()
        elif isinstance(exception, TimedOutError):
            failure.timeout_failure_info.timeout_type = TimeoutType.ValueType(exception.type or 0)
        elif isinstance(exception, ActivityError) and exception.failure is not None:
            failure.activity_failure_info.CopyFrom(exception.failure.activity_failure_info)
        else:
            _write_application_failure(exception, code, failure)

    def from_failure(self, failure: Failure, payload_converter: PayloadConverter) -> BaseException:
        """As by default, but for details, which are never read."""
        bare = Failure()
        bare.CopyFrom(failure)
        node = bare
        while True:
            for info in ("application_failure_info", "canceled_failure_info"):
                if node.HasField(info):
                    getattr(node, info).ClearField("details")
            node.ClearField("encoded_attributes")
            if not node.HasField("cause"):
                return super().from_failure(bare, payload_converter)
            node = node.cause


def code_of(exception: BaseException) -> str:
    """The code of an exception: its own, its Temporal kind's, or `internal`."""
    match exception:
        case Coded():
            return exception.code
        case ApplicationError(type=str(code)) if _CODE.fullmatch(code):
            return code
        case ActivityError():
            return "activity-failed"
        case TimedOutError():
            return "timed-out"
        case CancelledError():
            return "cancelled"
        case _:
            return "internal"


def _write_application_failure(exception: BaseException, code: str, failure: Failure) -> None:
    info = failure.application_failure_info
    info.type = code
    if isinstance(exception, ApplicationError):
        info.non_retryable = exception.non_retryable
        if exception.next_retry_delay:
            info.next_retry_delay.FromTimedelta(exception.next_retry_delay)
    elif isinstance(exception, FailureError):
        info.non_retryable = True


class CallStackAnswers(Interceptor):
    """Workflow code holds nothing personal, so its call stack may be shown to the engineer who asks for it."""

    def workflow_interceptor_class(
        self,
        input: WorkflowInterceptorClassInput,  # noqa: A002 -- the SDK's name
    ) -> type[WorkflowInboundInterceptor]:
        """See base class."""
        del input
        return _CallStack


class _CallStack(WorkflowInboundInterceptor):
    async def handle_query(self, input: HandleQueryInput) -> Any:  # noqa: A002 -- the SDK's name
        answer = await super().handle_query(input)
        return Summary(answer) if input.query == "__stack_trace" else answer


DATA_CONVERTER: Final = replace(
    DataConverter.default,
    payload_converter_class=TemporalSafePayloadConverter,
    failure_converter_class=CodeFailureConverter,
)
