"""What the auditor's witnesses cosigned: each cosignature is theirs, and how far they have seen this log grow."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from audit.log.checkpoints import Checkpoint
from audit.log.notes import Note, NoteMalformed, Signature
from audit.log.tables import Connection
from audit.log.witnesses import Witness, cosigned_at
from audit.verify.faults import Code, Faults

_ROWS: Final = 500

_CHECKPOINTS: Final = """
SELECT c.size, c.note, array_agg(w.content ORDER BY w.content) FILTER (WHERE w.kind = 'cosignature') AS lines
FROM passage.checkpoint AS c LEFT JOIN passage.checkpoint_witness AS w ON w.size = c.size
GROUP BY c.size ORDER BY c.size
"""


@dataclass(slots=True)
class Cosigned:
    """What one witness cosigned. Whether the tree of such a checkpoint is the log's, `tree.py` tells."""

    witness: str
    checkpoints: int = 0
    size: int = 0
    """Of the largest."""
    at: datetime | None = None
    """When the witness signed that."""


async def check_witnesses(connection: Connection, faults: Faults, witnesses: Sequence[Witness]) -> tuple[Cosigned, ...]:
    """Verify every line in the name of one of them; one that never cosigned is told as a fault."""
    known = {(each.name, each.key_id): (each, Cosigned(each.name)) for each in witnesses}
    if not known:
        return ()
    async for row in connection.cursor(_CHECKPOINTS, prefetch=_ROWS):
        try:
            note = Note.parse(row["note"])
            size = Checkpoint.parse(note.text).size
        except NoteMalformed:
            continue  # it was accused as a checkpoint
        for line in (*note.signatures, *_lines(row, faults)):
            witness, found = known.get((line.name, line.key_id), (None, None))
            if witness is not None and found is not None:
                _take(witness, found, note.text, size, line, faults)
    for _, found in known.values():
        if not found.checkpoints:
            faults.add(Code.COSIGNATURE_MISSING, None, None, f"{found.witness} cosigned no checkpoint of this log")
    return tuple(found for _, found in known.values())


def _lines(row: Any, faults: Faults) -> Iterable[Signature]:
    for content in row["lines"] or ():
        try:
            yield Signature.parse(content.decode().removesuffix("\n"))
        except (NoteMalformed, UnicodeDecodeError):
            faults.add(Code.COSIGNATURE_FORGED, None, None, f"size {row['size']}: a cosignature is no signature line")


def _take(witness: Witness, found: Cosigned, text: str, size: int, line: Signature, faults: Faults) -> None:
    try:
        at = cosigned_at(line.signature)
    except NoteMalformed:
        at = None
    if at is None or not witness.verifies(text, line.signature):
        detail = f"size {size}: the cosignature in the name of {witness.name} does not verify"
        faults.add(Code.COSIGNATURE_FORGED, None, None, detail)
        return
    found.checkpoints, found.size, found.at = found.checkpoints + 1, size, at
