"""A partner that answers one case with another's request confuses cases: the case rejects it, and somebody is woken."""

from datetime import UTC, datetime
from typing import Any

import pytest
from structlog.testing import capture_logs

from activities.partner_requests import tell_misdirected
from domain.humanitarian_parole.stages.filing import WithdrawalRequest
from domain.humanitarian_parole.stages.vetting import VettingClearedAnswer
from domain.kernel.proof import claimed
from eventstore.inbox import InboxRow
from tests.support.partner_calls import CASE_ID, OTHER_CASE_ID


def row(body: Any) -> InboxRow:
    return InboxRow(
        number=7,
        stream=CASE_ID,
        case_id=CASE_ID,
        programme="venezuela-air",
        source="vetting",
        message_id="m-1",
        kind=body.message,
        body=body,
        digest=bytes(32),
        received_at=datetime(2022, 10, 20, tzinfo=UTC),
        proof=claimed("vetting"),
    )


def test_an_answer_to_another_cases_request_wakes_somebody() -> None:
    with capture_logs() as logs:
        tell_misdirected(row(VettingClearedAnswer(request_id=f"{OTHER_CASE_ID}:5")))
    [alarm] = logs
    assert (alarm["alarm"], alarm["code"], alarm["log_level"]) == (True, "partner-misdirected", "error")
    assert (alarm["partner"], alarm["case_id"], alarm["message_id"]) == ("vetting", CASE_ID, "m-1")


@pytest.mark.parametrize(
    "body",
    [
        VettingClearedAnswer(request_id=f"{CASE_ID}:5"),  # late: the case has another request by now, or none
        VettingClearedAnswer(),
        WithdrawalRequest(),
    ],
)
def test_any_other_message_that_was_rejected_wakes_nobody(body: Any) -> None:
    with capture_logs() as logs:
        tell_misdirected(row(body))
    assert logs == []
