"""What a run keeps of the signals that nobody has taken yet."""

from activities.contracts import Bell
from workflows.signals import PENDING_MAX, Bells


def test_the_same_message_again_is_one() -> None:
    bells = Bells()
    for _ in range(2):
        bells.note("vetting.hit", Bell(message_id="ops-1", kind="name-match"))
    assert len(bells.hand_over()) == 1


def test_another_message_under_the_same_id_is_handed_over_too() -> None:
    """Whoever knows the inbox refuses it aloud; here it may not vanish."""
    bells = Bells()
    bells.note("vetting.hit", Bell(message_id="ops-1"))
    taken = bells.hand_over()
    bells.note("vetting.cleared", Bell(message_id="ops-1"))
    bells.handed_over(taken)
    assert [message.message for message in bells.hand_over()] == ["vetting.cleared"]


def test_what_is_kept_is_bounded() -> None:
    bells = Bells()
    for number in range(PENDING_MAX + 2):
        bells.note("vetting.hit", Bell(message_id=f"m-{number}"))
    assert bells.refused == 2
