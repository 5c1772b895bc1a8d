"""The words that the workflow, the activities and the domain share are the same words."""

import re
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest
from temporalio.exceptions import ApplicationError

from activities.contracts import ADVANCE, GATEWAY_ONLY, INBOX_ONLY, MESSAGE_SENDERS, DirectMessage, Notification
from activities.failures import FAILURES, LogRestored, as_application_error
from activities.partners.errors import PartnerBusy, PartnerRefused
from domain import registry
from domain.humanitarian_parole.stages.crossing import IrregularCrossingReport
from eventstore.conflicts import IllegalAppend, VersionConflict
from eventstore.keys import KeyDestroyed
from workflows.operator_view import NEXT
from workflows.signals import PENDING_MAX, MessageSignals, PendingSignals, description

KINDS = registry.signals()
READ = registry.programme("venezuela-air").family.read


def test_every_kind_of_message_has_its_signal() -> None:
    assert set(KINDS) == set(MESSAGE_SENDERS)
    assert all(hasattr(MessageSignals, kind.replace(".", "_")) for kind in KINDS)


def test_every_stage_has_its_activity_and_every_wait_its_next_actor() -> None:
    for family in registry.families():
        assert set(family.stage_names) <= set(ADVANCE)
        assert set(family.next_words) <= set(NEXT)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in INBOX_ONLY | GATEWAY_ONLY])
def test_the_payload_shown_in_the_ui_is_a_message_of_that_kind(kind: str) -> None:
    shown = re.search(r"\{.*\}", description(kind))
    assert shown
    direct = DirectMessage(message=kind, notification=Notification.model_validate_json(shown.group()))
    assert READ(direct.content()).message == kind
    assert direct.source() in MESSAGE_SENDERS[kind]


def test_kinds_with_personal_content_only_name_the_inbox() -> None:
    assert {"application.submitted", "sponsor.replaced", "evidence.submitted", "passport.changed"} == INBOX_ONLY
    for kind in INBOX_ONLY:
        with pytest.raises(ValueError, match="validation error"):
            READ(DirectMessage(message=kind, notification=Notification(message_id="m")).content())


def test_a_field_foreign_to_a_kind_is_refused_when_the_message_is_made() -> None:
    direct = DirectMessage(message="sponsor.confirmed", notification=Notification(message_id="m", decision="deny"))
    with pytest.raises(ValueError, match="decision"):
        READ(direct.content())


def test_notifications_keep_the_order_and_are_bounded() -> None:
    signals = PendingSignals()
    for index in range(PENDING_MAX + 3):
        signals.note("vetting.cleared", Notification(message_id=f"m-{index}"))
        signals.note("vetting.cleared", Notification(message_id=f"m-{index}"))
    assert signals.refused == 6
    taken: list[str] = []
    while signals.waiting(0):
        direct = signals.hand_over()
        assert len(direct) <= 20
        taken += [message.notification.message_id for message in direct]
        signals.handed_over(direct)
    assert taken == [f"m-{index}" for index in range(PENDING_MAX)]


def test_a_number_that_no_inbox_has_is_asked_for_once() -> None:
    signals = PendingSignals()
    signals.note("vetting.cleared", Notification(message_id="m", number=99))
    assert signals.waiting(3)
    signals.hand_over()
    assert not signals.waiting(3)


@pytest.mark.parametrize(
    ("error", "code", "final"),
    [
        (asyncpg.CannotConnectNowError("x"), "database-unavailable", False),
        (asyncpg.TooManyConnectionsError("x"), "database-unavailable", False),
        (asyncpg.DeadlockDetectedError("x"), "database-unavailable", False),
        (asyncpg.InterfaceError("x"), "database-unavailable", False),
        (ConnectionRefusedError("x"), "database-unavailable", False),
        (TimeoutError("x"), "timed-out", False),
        (VersionConflict(), "decision-contended", False),
        (LogRestored(), "log-restored", False),
        (KeyDestroyed("x"), "key-destroyed", True),
        (IllegalAppend("x"), "illegal-append", True),
        (PartnerRefused("vetting", "x"), "partner-refused", True),
        (asyncpg.UndefinedTableError("Rojas"), "internal", False),
        (ApplicationError("Rojas", "Rojas", type="Rojas"), "internal", False),
        (KeyError("Rojas"), "internal", False),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else str(value),
)
def test_every_failure_has_its_code_and_says_whether_to_try_again(error: Exception, code: str, final: bool) -> None:
    failure = as_application_error(error)
    assert (failure.type, failure.message, failure.non_retryable) == (code, code, final)
    assert FAILURES[code].meaning
    assert list(failure.details) == []
    assert failure.__cause__ is None


@pytest.mark.parametrize(("asked_s", "pause_s"), [(0.0, 1), (120.0, 120), (86_400.0, 3_600)])
def test_a_partner_may_ask_for_a_pause_but_not_for_ever(asked_s: float, pause_s: int) -> None:
    failure = as_application_error(PartnerBusy("vetting", "too-many", retry_after_s=asked_s))
    assert failure.next_retry_delay == timedelta(seconds=pause_s)


def test_moments_of_a_direct_signal_reach_the_message() -> None:
    notification = Notification(
        message_id="m", country="PAN", crossed_at=datetime(2022, 11, 1, 13, tzinfo=UTC), source="border"
    )
    message = READ(DirectMessage(message="border.irregular_crossing", notification=notification).content())
    assert isinstance(message, IrregularCrossingReport)
    assert message.crossed_at == datetime(2022, 11, 1, 13, tzinfo=UTC)
