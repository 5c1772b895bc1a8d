"""How an append says no; nothing was written (but see `StoreUnavailable`).

A `Conflict` is answered by reading and deciding again; `StoreUnavailable` by the same append again; the others never.
"""


class Conflict(Exception):
    """The world moved between reading and appending: nothing was written; read and decide again."""

    code: str = "conflict"

    def __init__(self) -> None:
        super().__init__(self.code)


class VersionConflict(Conflict):
    """The stream is not at the expected version and hash."""

    code = "version-conflict"


class ProgrammeConflict(Conflict):
    """The programme changed since it was read."""

    code = "programme-changed"


class PersonConflict(Conflict):
    """Another case of the same person was filed, changed or closed since."""

    code = "person-changed"


class NoPlace(Conflict):
    """No place is free for this case."""

    code = "no-place"


class PlaceFree(Conflict):
    """A place is free and nobody waits: take it instead of waiting."""

    code = "place-free"


class MessageFirst(Conflict):
    """A message received before the deadline is undecided and comes first."""

    code = "message-before-deadline"


class MessageDecided(Conflict):
    """The inbox row has its answer already, from another command."""

    code = "message-already-decided"


class CommandContentDiffers(Exception):
    """Alarm: a command id came again with other content; nothing was written. Not to be retried."""


class IllegalAppend(Exception):
    """A defect of the caller, such as freeing a place the case does not hold; nothing was written."""


class ErasureRefused(Exception):
    """The case must not be erased, or not yet; nothing was written. Not to be retried."""

    def __init__(self, code: str) -> None:
        """`code`: `unknown-case`, `case-open`, `legal-hold` or `messages-undecided`."""
        super().__init__(code)
        self.code = code


class StoreUnavailable(Exception):
    """The database did not answer, or gave up on a lock or a timeout; to be retried.

    Whether the transaction committed may be unknown: the same command again gives the first result.
    """

    code = "store-unavailable"
