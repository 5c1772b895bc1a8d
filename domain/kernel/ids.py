"""Identifiers and codes: what may stand in public, in Temporal, in stored events and in addresses.

Identifiers can be read, spelled over the telephone and trusted. None is built from personal data or from a Temporal
run id. Codes that are stored are bounded patterns and no closed lists, so that a new rule, reason, partner or outcome
changes no stored schema; a family's definition closes them when a command is decided.
"""

from typing import Annotated, NewType

from pydantic import AfterValidator, StringConstraints

ALPHABET = "123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""31 characters, none easily taken for another (no 0, I, L, O, U); 31 is prime, which the check character needs."""

_RANDOM_CHARACTERS = 7

Code = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]
"""A word of an agreed list, such as a rule, a reason, a stage, a partner or an outcome; never a sentence."""

MessageName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,31}\.[a-z][a-z0-9_]{0,47}$")]
"""The kind of a message, such as `vetting.cleared`."""

ProgrammeId = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,62}$")]
"""A programme, such as `venezuela-air`; also the stream of its events."""

Prefix = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9]{2}$")]
"""What the ids of a programme's cases begin with, such as `VEN`."""

RulesVersion = Annotated[str, StringConstraints(pattern=r"^\d{4}-\d{2}-\d{2}$")]
"""A rule set of a programme, named by a date."""

Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
"""SHA-256 in hexadecimal."""

OfficerRef = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
"""An officer's staff reference, never a name."""

Source = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,31}$")]
"""Who a message came from: a partner, `applicant`, `supporter`, `officer`, `governments`, or `passage` itself."""

MessageId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:@+-]{0,127}$")]
"""The sender's own id of a message: the same id is the same message."""

GivenId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$")]
"""A message's id as a sender may choose it from now on: no `@`, for an e-mail address names a person."""

CommandId = NewType("CommandId", str)
"""`<source>:<message id>` or `deadline:<name>:<due_at>`: the same command again has the same id."""

EventId = NewType("EventId", str)
"""`<stream>:<version>`, for example `VEN-7Q4K-M2XS:3`."""


def check_character(body: str) -> str:
    """The character that makes the weighted sum of all eight divisible by 31.

    Weights 1 to 8 are distinct and 31 is prime, so each single wrong character and each exchange of two is noticed.
    """
    total = sum(weight * ALPHABET.index(character) for weight, character in enumerate(body, start=1))
    # 8 * check ≡ -total (mod 31), and 4 is the inverse of 8, since 8 * 4 = 32 ≡ 1.
    return ALPHABET[(-total * 4) % len(ALPHABET)]


def case_id_from_entropy(prefix: str, entropy: bytes) -> "CaseId":
    """A case id from at least eight random bytes, supplied by the caller (the domain draws no randomness)."""
    if len(entropy) < 8:
        raise ValueError("a case id needs at least eight random bytes")
    number, characters = int.from_bytes(entropy, "big"), ""
    for _ in range(_RANDOM_CHARACTERS):
        number, index = divmod(number, len(ALPHABET))
        characters += ALPHABET[index]
    characters += check_character(characters)
    return f"{prefix}-{characters[:4]}-{characters[4:]}"


def prefix_of(case_id: str) -> str:
    """The first part of a case id, which names its programme."""
    return case_id.partition("-")[0]


def _checked(case_id: str) -> str:
    characters = case_id.partition("-")[2].replace("-", "")
    if check_character(characters[:-1]) != characters[-1]:
        raise ValueError("the check character does not match: a character is wrong or two are exchanged")
    return case_id


CaseId = Annotated[
    str,
    StringConstraints(pattern=rf"^[A-Z][A-Z0-9]{{2}}-[{ALPHABET}]{{4}}-[{ALPHABET}]{{4}}$"),
    AfterValidator(_checked),
]
"""Human-safe, random, with a check character, for example `VEN-7Q4K-M2XS`; also the workflow id."""


def event_id(stream: str, version: int) -> EventId:
    """The id of the event at `version` (from 1) of `stream`."""
    return EventId(f"{stream}:{version}")


def message_command_id(source: str, message_id: str) -> CommandId:
    """The command id of a message from outside."""
    return CommandId(f"{source}:{message_id}")


def scoped_id(case_id: str, message_id: str) -> str:
    """The id under which the inbox keeps a direct signal: who signals a case numbers messages case by case."""
    return f"{case_id}:{message_id}"
