"""A run's history as it is kept: canonical JSON, hashed, then gzip; and read back within its known size."""

import gzip
import hashlib
import json
import zlib
from dataclasses import dataclass
from typing import Any, Final

MAX_BYTES: Final = 64 * 1024 * 1024
"""Of the JSON. A run of a case stays near 4 MiB, for then it continues as new; Temporal ends any at 50 MiB."""


class HistoryTooLarge(Exception):
    """A history beyond `MAX_BYTES`: a run that no case makes; for an engineer to look at."""

    code = "history-too-large"


class HistoryDamaged(Exception):
    """What is kept is not gzip of JSON, or not of the size that was recorded."""


@dataclass(frozen=True, slots=True)
class PackedHistory:
    """A history ready to be kept; `sha256` and `size` are of the JSON, `content` is its gzip."""

    sha256: str
    size: int
    content: bytes


def pack(history: dict[str, Any]) -> PackedHistory:
    """Equal histories give equal bytes. Raises HistoryTooLarge."""
    text = json.dumps(history, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    if len(text) > MAX_BYTES:
        raise HistoryTooLarge
    return PackedHistory(hashlib.sha256(text).hexdigest(), len(text), gzip.compress(text, 6, mtime=0))


def unpack(content: bytes, size: int) -> bytes:
    """The JSON of `size` bytes, whatever the content claims to be. Raises HistoryDamaged."""
    if not 0 < size <= MAX_BYTES:
        raise HistoryDamaged
    reader = zlib.decompressobj(wbits=31)
    try:
        text = reader.decompress(content, size + 1)
        whole = reader.eof and not reader.unused_data
    except zlib.error:
        raise HistoryDamaged from None
    if not whole or len(text) != size:
        raise HistoryDamaged
    return text
