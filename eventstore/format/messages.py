"""Between a message of `domain.messages` and what the inbox keeps of it."""

import hashlib
from typing import NamedTuple

from domain import registry
from domain.kernel.messages import GOVERNMENTS_MESSAGE, Message
from eventstore.inbox import Incoming
from eventstore.keys import CaseKey

FILING = "application.submitted"


class Kept(NamedTuple):
    """The stored columns of a body."""

    body: bytes
    key_id: str | None
    digest: bytes


def keep(incoming: Incoming, key: CaseKey | None) -> Kept:
    """The body as it is stored: whole, under the case's key.

    `key` None: in clear, for a message to the programme, which holds nothing personal.
    """
    plain: bytes = incoming.body.model_dump_json().encode()
    if key is None:
        return Kept(plain, None, hashlib.sha256(plain).digest())
    sealed = key.encrypt(plain, _bound_to(incoming.source, incoming.message_id, key.key_id))
    return Kept(sealed, key.key_id, key.digest(plain))


def digest_again(incoming: Incoming, key: CaseKey | None) -> bytes:
    """The digest that the row of this message would have under `key`."""
    plain: bytes = incoming.body.model_dump_json().encode()
    return hashlib.sha256(plain).digest() if key is None else key.digest(plain)


def read(body: bytes, key: CaseKey | None, source: str, message_id: str, *, case_id: str | None) -> Message:
    """The message of a stored row, validated. `case_id` None: it is to a programme. `key` None: stored in clear."""
    plain = body if key is None else key.decrypt(body, _bound_to(source, message_id, key.key_id))
    if case_id is None:
        return GOVERNMENTS_MESSAGE.validate_json(plain)
    return registry.family_of(case_id).message_reader.validate_json(plain)


def _bound_to(source: str, message_id: str, key_id: str) -> bytes:
    return f"inbox\n{source}\n{message_id}\n{key_id}".encode()
