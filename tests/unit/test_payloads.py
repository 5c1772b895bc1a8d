"""Nothing but ids, codes, numbers and moments goes into Temporal, and nothing of a refused input comes out of it."""

import enum
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any, Literal

import asyncpg
import pytest
from pydantic import Field, StringConstraints, TypeAdapter, ValidationError
from temporalio.api.common.v1 import Payload
from temporalio.api.failure.v1 import Failure
from temporalio.common import RawValue
from temporalio.exceptions import ActivityError, ApplicationError, CancelledError, RetryState, TerminatedError
from temporalio.exceptions import TimeoutError as TimedOutError

from activities.contracts import Advance, CaseStart, DirectMessage, MessageRef, Notification, Step
from activities.safe import Summary, TemporalSafe, Unreadable, UnsafeField
from domain.humanitarian_parole.stages.travel import Port
from domain.kernel.events import Flag, FreeText
from domain.kernel.ids import CaseId, Code, MessageId, OfficerRef, case_id_from_entropy
from workflows.payloads import CodeFailureConverter, NotTemporalSafe, TemporalSafePayloadConverter, UnreadablePayload

CANARY = "Rojas Pérez"
CASE = case_id_from_entropy("VEN", b"12345678")
NOON = datetime(2022, 10, 20, 12, tzinfo=UTC)
CONVERTER = TemporalSafePayloadConverter()
STEP: dict[str, Any] = {
    "version": 7,
    "stage": "travel_authorization",
    "waiting_on": "arrival",
    "since": "2022-11-01T14:00:00Z",
    "due": {"name": "authorization", "at": "2023-01-31T05:00:00Z", "wake_at": "2026-01-31T05:00:00Z"},
    "calls": [{"request_id": "r-1", "partner": "vetting"}],
    "taken": 4,
    "answers": [{"number": 4, "answer": "accepted"}],
    "flags": ["shared-phone"],
    "programme": "venezuela-air",
    "rules_version": "2022-10-19",
}


class Colour(enum.Enum):
    RED = "red"


class Inner(TemporalSafe):
    number: int


@pytest.mark.parametrize(
    "kind",
    [
        CaseId,
        MessageId,
        OfficerRef,
        Port | None,
        Code,
        int,
        bool,
        datetime,
        date,
        Colour,
        Literal["a", "b"],
        Inner,
        Inner | None,
        Annotated[tuple[Inner, ...], Field(max_length=3)],
        Annotated[tuple[Code, ...], Field(max_length=3)],
    ],
)
def test_a_field_may_be_an_id_a_closed_word_a_number_or_a_moment(kind: Any) -> None:
    type("Safe", (TemporalSafe,), {"__annotations__": {"field": kind}})


@pytest.mark.parametrize(
    "kind",
    [
        str,
        str | None,
        Flag,
        FreeText,
        Annotated[str, StringConstraints(max_length=10)],
        Annotated[str, StringConstraints(pattern=r"^[a-z ]{1,30}$")],
        Annotated[str, StringConstraints(pattern=r"^\w{1,30}$")],
        Annotated[str, StringConstraints(pattern=r"^[^0-9]{1,30}$")],
        Annotated[str, StringConstraints(pattern=r"^[a-z]+$")],
        Annotated[str, StringConstraints(pattern=r"[a-z]{3}")],
        Annotated[tuple[FreeText, ...], Field(max_length=3)],
        tuple[int, ...],
        tuple[int, str],
        list[int],
        dict[str, int],
        float,
        bytes,
        Any,
        object,
    ],
)
def test_a_field_that_could_hold_a_name_is_refused_when_its_class_is_written(kind: Any) -> None:
    with pytest.raises(UnsafeField, match=r"Unsafe\.field"):
        type("Unsafe", (TemporalSafe,), {"__annotations__": {"field": kind}})


@dataclass
class Plain:
    number: int


@pytest.mark.parametrize(
    "value",
    [CANARY, b"Rojas", True, 7, 7.5, [], {"name": CANARY}, (Inner(number=1),), Plain(1), NOON, RawValue(Payload())],
    ids=lambda value: type(value).__name__,
)
def test_any_other_type_is_refused_by_the_converter(value: object) -> None:
    with pytest.raises(NotTemporalSafe) as refusal:
        CONVERTER.to_payloads([value])
    assert str(refusal.value) == "not-temporal-safe"


@pytest.mark.parametrize(
    "value",
    [
        None,
        CaseStart(case_id=CASE, seen_version=3),
        Notification(message_id="ops-1", officer="o-1", decision="deny", why="name-match"),
        Notification(message_id="m", country="PAN", crossed_at=NOON, until=date(2024, 11, 19), flags=("a", "b")),
        Step.model_validate(STEP),
        Advance(
            case_id=CASE,
            direct=(DirectMessage(message="vetting.hit", notification=Notification(message_id="m", kind="alias")),),
        ),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_is_safe_comes_back_as_it_went_in(value: Any) -> None:
    [payload] = CONVERTER.to_payloads([value])
    assert CONVERTER.from_payloads([payload], [type(value)]) == [value]


def test_an_operator_sees_only_the_fields_that_were_given() -> None:
    [payload] = CONVERTER.to_payloads([Notification(message_id="m-1", number=4)])
    assert payload.data == b'{"message_id":"m-1","number":4}'


BAD_PAYLOADS = {
    "unknown key": b'{"message_id": "m-1", "Rojas P\xc3\xa9rez": 1}',
    "unknown value": b'{"message_id": "m-1", "name": "Rojas P\xc3\xa9rez"}',
    "free text": b'{"message_id": "m-1", "why": "Rojas P\xc3\xa9rez"}',
    "not an object": b'"Rojas P\xc3\xa9rez"',
    "not json": b"Rojas P\xc3\xa9rez",
    "nothing": b"",
}


@pytest.mark.parametrize("data", BAD_PAYLOADS.values(), ids=BAD_PAYLOADS.keys())
def test_a_payload_that_cannot_be_read_is_not_repeated(data: bytes) -> None:
    payload = Payload(metadata={"encoding": b"json/plain"}, data=data)
    with pytest.raises(UnreadablePayload) as refusal:
        CONVERTER.from_payloads([payload], [Notification])
    error = refusal.value
    assert (str(error), error.__cause__, error.__context__) == ("unreadable-payload", None, None)
    assert CONVERTER.from_payloads([payload], [Notification | Unreadable | None]) == [Unreadable()]  # type: ignore[list-item]  # the SDK passes unions too


@pytest.mark.parametrize("encoding", [b"binary/plain", b"json/protobuf", b"binary/encrypted", b""])
def test_another_encoding_cannot_be_read(encoding: bytes) -> None:
    payload = Payload(metadata={"encoding": encoding}, data=b'{"message_id": "m-1"}')
    with pytest.raises(UnreadablePayload):
        CONVERTER.from_payloads([payload], [Notification])


def test_nothing_is_read_without_a_safe_type_to_read_it_as() -> None:
    payload = Payload(metadata={"encoding": b"json/plain"}, data=b'{"name": 1}')
    for hint in (dict, str, object):
        with pytest.raises(NotTemporalSafe):
            CONVERTER.from_payloads([payload], [hint])
    with pytest.raises(NotTemporalSafe):
        CONVERTER.from_payloads([payload])


def test_a_step_of_a_newer_worker_is_read_and_an_input_of_one_is_not() -> None:
    step = Step.model_validate({**STEP, "later": 1})
    assert step == Step.model_validate(STEP)
    with pytest.raises(ValidationError):
        Advance.model_validate({"case_id": CASE, "later": 1})


def test_a_summary_takes_codes_and_moments_and_no_text() -> None:
    line = Summary.of("{name} deadline, {at}, number {number}", name="parole-end", at=NOON, number=3)
    assert line == "parole-end deadline, 2022-10-20 12:00 UTC, number 3"
    assert CONVERTER.to_payloads([line])[0].data == TypeAdapter(str).dump_json(line)
    with pytest.raises(UnsafeField):
        Summary.of("{name}", name=CANARY)


def _raised(error: BaseException) -> BaseException:
    """With a stack, a cause and a context, each with the canary in it."""
    try:
        try:
            raise KeyError(CANARY)
        except KeyError as cause:
            error.__context__ = ValueError(CANARY)
            raise error from cause
    except BaseException as raised:  # noqa: BLE001 -- any kind is passed in
        return raised


def _activity_error() -> ActivityError:
    return ActivityError(
        CANARY,
        scheduled_event_id=5,
        started_event_id=6,
        identity=CANARY,
        activity_type="vetting",
        activity_id="1",
        retry_state=RetryState.NON_RETRYABLE_FAILURE,
    )


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ValueError(CANARY), "internal"),
        (asyncpg.UniqueViolationError(CANARY), "internal"),
        (ApplicationError(CANARY, CANARY, type="log-restored", next_retry_delay=timedelta(seconds=9)), "log-restored"),
        (ApplicationError(CANARY, {"name": CANARY}, type=CANARY, non_retryable=True), "internal"),
        (TimedOutError(CANARY, type=None, last_heartbeat_details=[CANARY]), "timed-out"),
        (CancelledError(CANARY, CANARY), "cancelled"),
        (TerminatedError(CANARY), "internal"),
        (_activity_error(), "activity-failed"),
        (UnreadablePayload(), "unreadable-payload"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else value,
)
def test_a_failure_is_its_code_and_nothing_else(error: BaseException, code: str) -> None:
    failure = Failure()
    CodeFailureConverter().to_failure(_raised(error), CONVERTER, failure)
    assert failure.message == code
    assert (failure.stack_trace, failure.HasField("cause")) == ("", False)
    assert "Rojas" not in str(failure)


def test_what_temporal_needs_of_a_failure_stays() -> None:
    error = ApplicationError("x", type="partner-busy", non_retryable=True, next_retry_delay=timedelta(seconds=9))
    failure = Failure()
    CodeFailureConverter().to_failure(error, CONVERTER, failure)
    back = CodeFailureConverter().from_failure(failure, CONVERTER)
    assert isinstance(back, ApplicationError)
    assert (back.type, back.non_retryable, back.next_retry_delay) == ("partner-busy", True, timedelta(seconds=9))


def test_a_foreign_failure_is_read_without_its_details() -> None:
    failure = Failure(message="x")
    failure.cause.application_failure_info.details.payloads.append(
        Payload(metadata={"encoding": b"json/plain"}, data=f'"{CANARY}"'.encode())
    )
    error = CodeFailureConverter().from_failure(failure, CONVERTER)
    assert isinstance(error.__cause__, ApplicationError)
    assert list(error.__cause__.details) == []


def test_errors_of_a_payload_class_do_not_repeat_the_input() -> None:
    with pytest.raises(ValidationError) as refusal:
        MessageRef.model_validate({"message_id": CANARY, "number": CANARY})
    assert not re.search("Rojas", str(refusal.value))
