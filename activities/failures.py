"""Every way an activity can fail: its code, and whether to try again, to refuse, or to refer to a person.

This is the only place that says which failure is final. What leaves an activity is a code; the exception's text, cause
and stack stay in the process, and of them only the class and the code lines are logged (decision 8).
"""

import asyncio
import traceback
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, Literal

import asyncpg
import structlog
from temporalio import activity
from temporalio.exceptions import ApplicationError
from temporalio.exceptions import CancelledError as ActivityCancelled
from temporalio.service import RPCError
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from activities.partners.errors import (
    PartnerBusy,
    PartnerError,
    PartnerMalformed,
    PartnerMisdirected,
    PartnerPaused,
    PartnerRefused,
    PartnerUnavailable,
)
from activities.safe import Coded
from cases.repository import EarlierFilingPending, RulesUnknown
from eventstore.conflicts import CommandContentDiffers, Conflict, IllegalAppend, StoreUnavailable
from eventstore.format.codec import UnknownEvent
from eventstore.inbox import MessageContentDiffers, UnknownStream
from eventstore.keys import KeyDestroyed, KeyUnknown

_log = structlog.get_logger()

_FRAMES_MAX: Final = 8

Kind = Literal["retry", "refuse", "refer"]
"""`retry`: heals by itself or with a repair of what it names. `refuse`: the same request can never succeed.
`refer`: only a person can tell what is right."""

RETRY_AFTER_MAX: Final = timedelta(hours=1)
"""A partner may ask for a pause, but not for one in which a repaired partner would go unnoticed for long."""


class LogRestored(Coded):
    """The log's head is older than a version this case's workflow has seen: a backup was restored.

    Nothing may be appended until people have compared the two.
    """

    code = "log-restored"


@dataclass(frozen=True, slots=True)
class Failure:
    """What a code means. `again_after` None leaves the pause to the caller's retry policy; `alarm` wakes a person."""

    kind: Kind
    meaning: str
    alarm: bool = False
    again_after: timedelta | None = None

    @property
    def final(self) -> bool:
        """No retry can mend it."""
        return self.kind != "retry"


FAILURES: Final[dict[str, Failure]] = {
    "database-unavailable": Failure("retry", "Postgres cannot be reached, restarts, or is out of connections or space"),
    "temporal-unavailable": Failure("retry", "another case could not be notified; the relay does it otherwise"),
    "decision-contended": Failure("retry", "five attempts met a changed world", again_after=timedelta(seconds=1)),
    "earlier-filing-pending": Failure(
        "retry", "an earlier filing of the same person is still being decided", again_after=timedelta(seconds=1)
    ),
    "rules-unknown": Failure(
        "retry",
        "the case follows a rule set that this worker does not have; a newer one will take it",
        alarm=True,
        again_after=timedelta(seconds=30),
    ),
    "event-unknown": Failure(
        "retry",
        "the case holds an event that this worker does not know; a newer one will take it",
        alarm=True,
        again_after=timedelta(seconds=30),
    ),
    "timed-out": Failure("retry", "something we waited for did not answer in time"),
    "log-restored": Failure(
        "retry",
        "the log is older than what the case has seen; nothing was appended: docs/runbooks",
        alarm=True,
        again_after=timedelta(minutes=1),  # until people have mended the log; the case must then go on by itself
    ),
    "key-unknown": Failure(
        "retry",
        "the key store lacks a key: the wrong store, or a restore that lost keys",
        alarm=True,
        again_after=timedelta(minutes=1),
    ),
    "key-destroyed": Failure("refuse", "the case's personal data was erased, so nothing more can be decided"),
    "unknown-case": Failure("refuse", "the log and the inbox know no such case"),
    "message-content-differs": Failure("refer", "a message id came again with other content", alarm=True),
    "command-content-differs": Failure("refer", "a command id came again with other content", alarm=True),
    "illegal-append": Failure("refer", "the decider asked for what the store's rules forbid: a defect", alarm=True),
    "unreadable-payload": Failure(
        "retry", "the input is from a newer or a broken sender", again_after=timedelta(seconds=30)
    ),
    "not-temporal-safe": Failure(
        "retry",
        "a value that may not enter Temporal was to be returned: a defect, mended by a deployment",
        alarm=True,
        again_after=timedelta(minutes=1),
    ),
    "partner-unavailable": Failure("retry", "a partner cannot be reached or fails"),
    "partner-busy": Failure("retry", "a partner asked us to come later"),
    "partner-paused": Failure("retry", "a partner takes no calls, so that they pause; nothing was sent"),
    "partner-malformed": Failure("retry", "a partner's answer is outside the agreement", alarm=True),
    "partner-misdirected": Failure("retry", "a partner's answer is about another request", alarm=True),
    "partner-refused": Failure("refer", "a partner will not take this request as it stands", alarm=True),
    "answer-missing": Failure(
        "refer", "a partner took a request, and what it answered was not taken, or never came", alarm=True
    ),
    "internal": Failure(
        "retry",
        "an unknown failure: a defect, mended by a deployment, after which the case goes on",
        alarm=True,
        again_after=timedelta(seconds=30),
    ),
}
"""The table of codes; an operator meets them in the Temporal UI, an engineer in the logs and the alarms."""

_CODES: Final[tuple[tuple[type[Exception], str], ...]] = (
    (StoreUnavailable, "database-unavailable"),
    (Conflict, "decision-contended"),
    (EarlierFilingPending, "earlier-filing-pending"),
    (RulesUnknown, "rules-unknown"),
    (CommandContentDiffers, "command-content-differs"),
    (MessageContentDiffers, "message-content-differs"),
    (IllegalAppend, "illegal-append"),
    (UnknownStream, "unknown-case"),
    (UnknownEvent, "event-unknown"),
    (KeyDestroyed, "key-destroyed"),
    (KeyUnknown, "key-unknown"),
    (PartnerRefused, "partner-refused"),
    (PartnerBusy, "partner-busy"),
    (PartnerPaused, "partner-paused"),
    (PartnerMalformed, "partner-malformed"),
    (PartnerMisdirected, "partner-misdirected"),
    (PartnerUnavailable, "partner-unavailable"),
    (asyncpg.PostgresConnectionError, "database-unavailable"),  # class 08
    (asyncpg.OperatorInterventionError, "database-unavailable"),  # class 57: shutdown, recovery, cancelled
    (asyncpg.InsufficientResourcesError, "database-unavailable"),  # class 53: connections, memory, disk
    (asyncpg.TransactionRollbackError, "database-unavailable"),  # class 40: deadlock, serialization
    (asyncpg.LockNotAvailableError, "database-unavailable"),
    (asyncpg.InterfaceError, "database-unavailable"),  # the pool is closing, or the connection was lost
    (RPCError, "temporal-unavailable"),
    (TimeoutError, "timed-out"),
    (OSError, "database-unavailable"),  # refused or reset; partners' own are PartnerUnavailable
)


def code_of(error: BaseException) -> str:
    """The code of an exception, `internal` for one that nobody foresaw."""
    if isinstance(error, Coded):
        code = error.code
    elif isinstance(error, ApplicationError):
        code = error.type or ""
    else:
        code = next((code for kind, code in _CODES if isinstance(error, kind)), "")
    return code if code in FAILURES else "internal"


def as_application_error(error: BaseException) -> ApplicationError:
    """What may leave an activity: a code, whether it is final, and when to try again. Holds nothing of `error`."""
    code = code_of(error)
    failure = FAILURES[code]
    pause = failure.again_after
    if isinstance(error, PartnerError) and error.retry_after_s is not None:
        pause = min(max(timedelta(seconds=error.retry_after_s), timedelta(seconds=1)), RETRY_AFTER_MAX)
    return ApplicationError(code, type=code, non_retryable=failure.final, next_retry_delay=pause)


class FailuresAsCodes(Interceptor):
    """Around every activity: binds the case to the log lines, and turns each exception into its code."""

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002 -- the SDK's name
        """See base class."""
        return _FailureAsCode(next)


class _FailureAsCode(ActivityInboundInterceptor):
    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002 -- the SDK's name
        info = activity.info()
        with structlog.contextvars.bound_contextvars(case_id=info.workflow_id, activity=info.activity_type):
            try:
                return await super().execute_activity(input)
            except (asyncio.CancelledError, ActivityCancelled):
                raise
            except Exception as error:  # noqa: BLE001 -- the boundary: whatever it is, only its code may pass
                log_failure("activity failed", error, attempt=info.attempt)
                failure = as_application_error(error)
        # Outside the handler: raised inside it, the original would go along as the context.
        raise failure


def log_failure(event: str, error: Exception, **more: object) -> None:
    """Log the code, the class and the code lines of `error`, never its text, which may hold personal data.

    The level is `error` where an operator must act, else `warning`.
    """
    code = code_of(error)
    frames = traceback.extract_tb(error.__traceback__)[-_FRAMES_MAX:]
    log = _log.error if FAILURES[code].alarm else _log.warning
    log(
        event,
        code=code,
        alarm=FAILURES[code].alarm,
        error=type(error).__name__,
        where=[f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames],
        **more,
    )
