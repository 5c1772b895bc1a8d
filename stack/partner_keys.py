"""Keys of the partners of an embedded stack, made at its first start, for both directions and both sides."""

import json
import os
from pathlib import Path
from typing import Any, Final, NamedTuple

from cases.inbound.webhooks import new_key_pair, new_shared_key
from domain import registry

_PAIRS: Final = ("vetting", "work_permit_office", "border", "governments")
"""These have a key pair, all other senders a shared key: both schemes are in daily use, so neither can break unseen."""


class PartnerKeys(NamedTuple):
    """Four files, each readable by its owner alone."""

    gateway: Path
    """What the gateway and the worker know senders by."""
    senders: Path
    """What they sign with."""
    calls: Path
    """What Passage signs its calls with."""
    callers: Path
    """What partners know Passage by."""


def ensure_partner_keys(directory: Path) -> PartnerKeys:
    """The keys in `directory`, made if it holds none. May block."""
    files = PartnerKeys(*(directory / f"{name}.json" for name in PartnerKeys._fields))
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not files.senders.exists() or not files.gateway.exists():
        shared = {sender: new_shared_key() for sender in registry.senders() if sender not in _PAIRS}
        pairs = {sender: new_key_pair() for sender in _PAIRS}
        _write(files.gateway, shared | {sender: public for sender, (_, public) in pairs.items()})
        _write(files.senders, shared | {sender: private for sender, (private, _) in pairs.items()})
    if not files.calls.exists() or not files.callers.exists():
        own = {partner: new_key_pair() for partner in registry.partners()}
        _write(files.callers, {partner: public for partner, (_, public) in own.items()})
        _write(files.calls, {partner: private for partner, (private, _) in own.items()})
    return files


def _write(file: Path, keys: dict[str, Any]) -> None:
    text = json.dumps({sender: [key] for sender, key in sorted(keys.items())}, indent=2)
    begun = file.with_suffix(".new")
    with os.fdopen(os.open(begun, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as new:
        new.write(text + "\n")
        new.flush()
        os.fsync(new.fileno())
    begun.replace(file)
