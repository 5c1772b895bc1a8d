"""The files that hold the partners' keys: what the gateway verifies with, and what simulated partners sign with."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, TypeVar

from cases.inbound.senders import Senders
from cases.inbound.webhooks import KeyMalformed, Signer, Verifier
from domain import registry
from process.config import ConfigurationError, Settings

KEYS_MAX: Final = 2
"""Active keys of one sender: the present one, and its successor while the key is being changed."""

_SENDERS: Final = frozenset(registry.senders())

Key = TypeVar("Key")


def read_keys(file: Path, parse: Callable[[str], Key]) -> dict[str, tuple[Key, ...]]:
    """The keys in a JSON file: an object of sender to its one or two keys. A sender without keys is not in it.

    Raises:
        ConfigurationError: the file cannot be read or has another form. The text names the file and the sender, never
            a key.
    """
    try:
        found = json.loads(file.read_bytes())
    except OSError as error:
        raise ConfigurationError(f"the keys in {file} cannot be read: {error.strerror}") from None
    except ValueError:
        raise ConfigurationError(f"{file} is not JSON") from None
    if not isinstance(found, dict):
        raise ConfigurationError(f"{file} is not a JSON object of sender to keys")
    if not _SENDERS.issuperset(found):
        raise ConfigurationError(f"{file} names an unknown sender: the senders are {', '.join(sorted(_SENDERS))}")
    return {sender: _keys_of(file, sender, texts, parse) for sender, texts in found.items()}


def sender_keys(file: Path | None) -> Mapping[str, tuple[Signer, ...]]:
    """What each sender signs with; empty when no file is named. Raises `ConfigurationError`."""
    return {} if file is None else read_keys(file, Signer.parse)


def senders_of(settings: Settings) -> Senders:
    """The senders that the settings name. Raises `ConfigurationError`."""
    keys = {} if settings.partner_keys is None else read_keys(settings.partner_keys, Verifier.parse)
    return Senders(keys, unsigned=bool(settings.unsigned_messages))


def _keys_of(file: Path, sender: str, texts: object, parse: Callable[[str], Key]) -> tuple[Key, ...]:
    if not isinstance(texts, list) or not 1 <= len(texts) <= KEYS_MAX or not all(isinstance(t, str) for t in texts):
        raise ConfigurationError(f"{file} ({sender}): one key, or two while they are being changed, in an array")
    try:
        return tuple(parse(text) for text in texts)
    except KeyMalformed as error:
        raise ConfigurationError(f"{file} ({sender}): {error}") from None
