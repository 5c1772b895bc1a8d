"""Checkpoints (c2sp.org/tlog-checkpoint): the size and root of the log at one moment, as a signed note. Pure."""

import base64
import binascii
import re
from dataclasses import dataclass
from typing import Final, Self

from audit.log.merkle import HASH_BYTES
from audit.log.notes import NoteMalformed

_SIZE: Final = re.compile(r"0|[1-9][0-9]{0,18}")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a checkpoint states; who signed it, its note tells."""

    origin: str
    """Names the log; also the name of its key."""
    size: int
    root: bytes

    @property
    def text(self) -> str:
        """The text that is signed."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"

    @classmethod
    def parse(cls, text: str) -> Self:
        """From the text of a note; extension lines are passed over. Raises NoteMalformed."""
        lines = text.split("\n")
        if len(lines) < 4 or lines[-1] or not all(lines[:-1]) or not _SIZE.fullmatch(lines[1]):
            raise NoteMalformed("not a checkpoint: origin, size and root, a line each")
        try:
            root = base64.b64decode(lines[2], validate=True)
        except (binascii.Error, ValueError):
            raise NoteMalformed("the root is not base64") from None
        if len(root) != HASH_BYTES:
            raise NoteMalformed(f"the root has not {HASH_BYTES} bytes")
        return cls(lines[0], int(lines[1]), root)
