"""By what the sender of a message was known. Whoever received the message says it; the message itself never does."""

from dataclasses import dataclass
from typing import Final

from domain.kernel.ids import OfficerRef

OFFICER: Final = "officer"
PASSAGE: Final = "passage"


@dataclass(frozen=True, slots=True)
class Proof:
    """`kind` is open, as all that is stored is; these are in use:

    `key` the sender signed: `reference` is the sender, `detail` the fingerprint of the key;
    `token` a person or a service showed a token: `reference` is its staff reference, `detail` the role;
    `operator` as `token`, at the command line;
    `asked` a partner's signed answer to a question of ours: as `key`;
    `clock` nobody sent it: a limit ended, or the store itself wrote the message;
    `none` nothing was proved, as only an embedded stack allows: `reference` is the sender that was claimed, `detail`
    the officer that was named.
    """

    kind: str
    reference: str = ""
    detail: str = ""

    @classmethod
    def parse(cls, text: str) -> "Proof":
        """The proof that `str` wrote."""
        kind, _, rest = text.partition(":")
        reference, _, detail = rest.partition(":")
        return cls(kind, reference, detail)

    def __str__(self) -> str:
        return ":".join(part for part in (self.kind, self.reference, self.detail) if part)

    @property
    def actor(self) -> str:
        """Who acted, as events record it: a sender, or a role and the reference of whoever has it."""
        match self.kind:
            case "token" | "operator":
                return f"{self.detail}:{self.reference}"
            case "clock":
                return PASSAGE
            case "none" if self.detail:
                return f"{self.reference}:{self.detail}"
            case _:
                return self.reference or self.kind

    @property
    def officer(self) -> OfficerRef | None:
        """The reference of the officer who is proved; in an embedded stack alone, of the one who was named."""
        match self.kind:
            case "token" | "operator" if self.detail == OFFICER:
                return self.reference
            case "none" if self.reference == OFFICER and self.detail:
                return self.detail
            case _:
                return None


CLOCK: Final = Proof("clock")


def claimed(sender: str, officer: str | None = None) -> Proof:
    """No proof: `sender` is only claimed, and so is the officer. For an embedded stack, simulations and tests."""
    return Proof("none", sender, "" if officer is None else normal(officer))


def normal(subject: str) -> str:
    """The subject of a token, so that two ways to write it are one: `O-1` and `o-1` are one person."""
    return subject.strip().casefold()
