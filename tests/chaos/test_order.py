"""A log in which a later message of a case was taken first is found out."""

from typing import Any, cast

from process.backing import Backing
from tests.support.invariants import Log

CASE = "VEN-7Q4K-M2XS"


def order_faults(taken: list[int]) -> list[str]:
    """Of a log of one case whose messages were taken in this order."""
    inbox: list[Any] = [
        {"stream": CASE, "source": "border", "message_id": str(number), "number": number} for number in sorted(taken)
    ]
    events: dict[str, list[Any]] = {
        CASE: [{"command_id": f"border:{number}"} for number in taken] + [{"command_id": "deadline:vetting:2022-11-01"}]
    }
    log = Log(backing=cast("Backing", None), events=events, inbox=inbox, heads={}, tables={})
    return [*log._order_faults()]


def test_messages_taken_in_their_order_are_well() -> None:
    assert order_faults([3, 5, 8]) == []


def test_messages_that_changed_places_are_named() -> None:
    assert order_faults([3, 8, 5]) == [f"{CASE}: its messages were taken in the order [3, 8, 5]"]
