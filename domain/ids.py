"""Identifiers that a person can read, spell over the telephone and trust.

None of them is built from personal data or from a Temporal run id.
"""

from typing import Annotated, NewType

from pydantic import AfterValidator, StringConstraints

ALPHABET = "123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""31 characters, none easily taken for another (no 0, I, L, O, U); 31 is prime, which the check character needs."""

_PREFIX = "VEN"
_RANDOM_CHARACTERS = 7

Source = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,31}$")]
"""Who a message came from: a partner, `applicant`, `supporter`, `officer`, `governments`, or `passage` itself."""

MessageId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:@+-]{0,127}$")]
"""The sender's own id of a message: the same id is the same message."""

ProgrammeId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")]

CommandId = NewType("CommandId", str)
"""`<source>:<message id>` or `deadline:<name>:<due_at>`: the same command again has the same id."""

EventId = NewType("EventId", str)
"""`<stream>:<version>`, for example `VEN-7Q4K-M2XS:3`."""


def check_character(body: str) -> str:
    """The character that makes the weighted sum of all eight characters divisible by 31.

    Weights 1 to 8 are distinct and 31 is prime, so each single wrong sign and each exchange of two is noticed.
    """
    total = sum(weight * ALPHABET.index(sign) for weight, sign in enumerate(body, start=1))
    # 8 * check ≡ -total (mod 31), and 4 is the inverse of 8, since 8 * 4 = 32 ≡ 1.
    return ALPHABET[(-total * 4) % len(ALPHABET)]


def case_id_from_entropy(entropy: bytes) -> "CaseId":
    """A case id from at least eight random bytes, supplied by the caller (the domain draws no randomness)."""
    if len(entropy) < 8:
        raise ValueError("a case id needs at least eight random bytes")
    number, characters = int.from_bytes(entropy, "big"), ""
    for _ in range(_RANDOM_CHARACTERS):
        number, index = divmod(number, len(ALPHABET))
        characters += ALPHABET[index]
    characters += check_character(characters)
    return f"{_PREFIX}-{characters[:4]}-{characters[4:]}"


def _checked(case_id: str) -> str:
    characters = case_id.removeprefix(f"{_PREFIX}-").replace("-", "")
    if check_character(characters[:-1]) != characters[-1]:
        raise ValueError("the check character does not match: a sign is wrong or two are exchanged")
    return case_id


CaseId = Annotated[
    str,
    StringConstraints(pattern=rf"^{_PREFIX}-[{ALPHABET}]{{4}}-[{ALPHABET}]{{4}}$"),
    AfterValidator(_checked),
]
"""Human-safe, random, with a check character, for example `VEN-7Q4K-M2XS`; also the workflow id."""


def event_id(stream: str, version: int) -> EventId:
    """The id of the event at `version` (from 1) of `stream`."""
    return EventId(f"{stream}:{version}")


def message_command_id(source: str, message_id: str) -> CommandId:
    """The command id of a message from outside."""
    return CommandId(f"{source}:{message_id}")
