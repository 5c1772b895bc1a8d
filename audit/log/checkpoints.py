"""Checkpoints (c2sp.org/tlog-checkpoint): the size and root of the log at one moment, as a signed note. Pure.

The moment of signing is an extension line, `time 2022-11-01T12:00:00.000000Z`, so that it is signed too.
"""

import base64
import binascii
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Self

from audit.log.merkle import HASH_BYTES
from audit.log.notes import NoteMalformed
from eventstore.format.envelope import moment

_SIZE: Final = re.compile(r"0|[1-9][0-9]{0,18}")
_TIME: Final = "time "


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a checkpoint states; who signed it, its note tells."""

    origin: str
    """Names the log; also the name of its key."""
    size: int
    root: bytes
    signed_at: datetime | None = None
    """None in a checkpoint of another program's."""

    @property
    def text(self) -> str:
        """The text that is signed."""
        time = "" if self.signed_at is None else f"{_TIME}{moment(self.signed_at)}\n"
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n{time}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """From the text of a note; other extension lines are passed over. Raises NoteMalformed."""
        lines = text.split("\n")
        if len(lines) < 4 or lines[-1] or not all(lines[:-1]) or not _SIZE.fullmatch(lines[1]):
            raise NoteMalformed("not a checkpoint: origin, size and root, a line each")
        try:
            root = base64.b64decode(lines[2], validate=True)
        except (binascii.Error, ValueError):
            raise NoteMalformed("the root is not base64") from None
        if len(root) != HASH_BYTES:
            raise NoteMalformed(f"the root has not {HASH_BYTES} bytes")
        return cls(lines[0], int(lines[1]), root, _signed_at(lines[3:-1]))


def _signed_at(extensions: list[str]) -> datetime | None:
    said = next((line.removeprefix(_TIME) for line in extensions if line.startswith(_TIME)), None)
    if said is None:
        return None
    try:
        at = datetime.fromisoformat(said)
    except ValueError:
        raise NoteMalformed("the checkpoint's time is no moment") from None
    if at.tzinfo is None or moment(at) != said:
        raise NoteMalformed("the checkpoint's time is written otherwise")
    return at
