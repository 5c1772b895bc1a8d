"""Which direct signals must be in the inbox: those that the activity would have written there, by the same rules."""

import pytest

from activities.contracts import INBOX_ONLY
from audit import reconcile_signals
from audit.reconcile_history import Signal
from audit.reconcile_signals import expected_in_inbox
from tests.support.reconciling import signal


def test_the_kinds_whose_content_is_personal_are_those_of_the_activity() -> None:
    assert reconcile_signals.INBOX_ONLY == INBOX_ONLY


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (signal("sponsor.confirmed"), ["sponsor_registry:ops-9"]),
        (signal("application.withdrawn", source="supporter"), ["supporter:ops-9"]),
        (signal("sponsor.confirmed", source="border"), []),
        (signal("officer.decided"), []),
        (signal("sponsor.not_confirmed", why="A whole sentence"), []),
        (signal("evidence.submitted"), []),
        (signal("no.such.kind"), []),
        (signal("sponsor.confirmed", anything="else"), []),
    ],
)
def test_only_a_signal_that_could_be_a_message_is_expected_in_the_inbox(sent: Signal, expected: list[str]) -> None:
    assert list(expected_in_inbox(sent)) == expected
