"""The proof by which the sender of what led to an event was known, as it is written in the event (decision 17)."""

from typing import Final, NamedTuple

_BY_SENDER: Final = {"signed": "key", "token": "token", "asked": "asked", "auditor": "operator", "officer": "operator"}
"""What the word before the colon of a recorded sender proves; any other proves nothing."""


class Proof(NamedTuple):
    """`kind` is open, as all that is stored is: `key`, `token`, `asked`, `clock`, `operator` and `none` are in use."""

    kind: str
    reference: str = ""
    """Which key, token or command; never a name. For `asked`, whose signed answer; for `none`, who was claimed."""

    def __str__(self) -> str:
        return f"{self.kind}:{self.reference}" if self.reference else self.kind


CLOCK: Final = Proof("clock")
"""Nobody sent it: a limit was reached, or what the store itself wrote to the inbox."""


def proof_of(sender: str) -> Proof:
    """The proof that the recorded sender of a message stands for, such as `signed:border:5f3a` or `token:o-17`."""
    kind, _, reference = sender.partition(":")
    if sender == "passage":
        return CLOCK
    return Proof(_BY_SENDER[kind], reference) if kind in _BY_SENDER and reference else Proof("none", sender)
