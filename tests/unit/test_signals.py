"""What a run keeps of the signals that nobody has taken yet."""

from activities.contracts import Notification
from workflows.signals import PENDING_MAX, PendingSignals


def test_the_same_message_again_is_one() -> None:
    signals = PendingSignals()
    for _ in range(2):
        signals.note("vetting.hit", Notification(message_id="ops-1", kind="name-match"))
    assert len(signals.hand_over()) == 1


def test_another_message_under_the_same_id_is_handed_over_too() -> None:
    """Whoever knows the inbox refuses it aloud; here it may not vanish."""
    signals = PendingSignals()
    signals.note("vetting.hit", Notification(message_id="ops-1"))
    taken = signals.hand_over()
    signals.note("vetting.cleared", Notification(message_id="ops-1"))
    signals.handed_over(taken)
    assert [message.message for message in signals.hand_over()] == ["vetting.cleared"]


def test_what_is_kept_is_bounded() -> None:
    signals = PendingSignals()
    for number in range(PENDING_MAX + 2):
        signals.note("vetting.hit", Notification(message_id=f"m-{number}"))
    assert signals.refused == 2
