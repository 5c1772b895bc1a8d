"""The files that hold the partners' keys, in both directions: what Passage verifies with, and what it signs with."""

import json
import ssl
import stat
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, TypeVar

from activities.partners.clients import CallSecurity
from activities.partners.signing import CallKeys
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
        ConfigurationError: the file cannot be read, is open to other users, has another form, or gives two senders one
            key. The text names the file and the sender, never a key.
    """
    try:
        _require_private(file)
        found = json.loads(file.read_bytes())
    except OSError as error:
        raise ConfigurationError(f"the keys in {file} cannot be read: {error.strerror}") from None
    except ValueError:
        raise ConfigurationError(f"{file} is not JSON") from None
    if not isinstance(found, dict):
        raise ConfigurationError(f"{file} is not a JSON object of sender to keys")
    if not _SENDERS.issuperset(found):
        raise ConfigurationError(f"{file} names an unknown sender: the senders are {', '.join(sorted(_SENDERS))}")
    keys = {sender: _keys_of(file, sender, texts, parse) for sender, texts in found.items()}
    _require_own_keys(file, found)
    return keys


def _require_private(file: Path) -> None:
    """A shared key lets its reader send as the partner, and a changed public key lets its writer."""
    if stat.S_IMODE(file.stat().st_mode) & (stat.S_IRWXG | stat.S_IRWXO):
        raise ConfigurationError(f"{file} is open to other users: chmod 600 it")


def _require_own_keys(file: Path, found: Mapping[str, list[str]]) -> None:
    """Who holds a key that two senders share could send as either."""
    counted = Counter(key for texts in found.values() for key in set(texts))
    for sender, texts in found.items():
        if any(counted[key] > 1 for key in texts):
            raise ConfigurationError(f"{file} ({sender}): another sender has the same key; each needs its own")


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


def call_security(settings: Settings) -> CallSecurity:
    """By what partners know Passage in calls, and Passage them.

    Raises:
        ConfigurationError: a key is missing where signatures are needed, or a file cannot be read.
    """
    passage = sender_keys(settings.call_keys)
    theirs = {} if settings.partner_keys is None else read_keys(settings.partner_keys, Verifier.parse)
    required = not settings.unsigned_messages
    if required:
        for variable, known in (("PASSAGE_CALL_KEYS", passage), ("PASSAGE_PARTNER_KEYS", theirs)):
            missing = [partner for partner in registry.partners() if partner not in known]
            if missing:
                raise ConfigurationError(f"{variable} has no key of {', '.join(missing)}")
    keys = {
        partner: CallKeys(passage.get(partner, ()), theirs.get(partner, ()), required)
        for partner in registry.partners()
    }
    return CallSecurity(keys=keys, tls=_authorities(settings.partner_ca_file))


def _authorities(file: Path | None) -> ssl.SSLContext | None:
    if file is None:
        return None
    try:
        return ssl.create_default_context(cafile=file)
    except OSError as error:
        raise ConfigurationError(
            f"PASSAGE_PARTNER_CA_FILE cannot be used: {error.strerror or 'no certificates'}"
        ) from None
