"""`audit export`: one archive of a case that anybody can verify without us (`verify.py` travels in it).

The archive holds the exact bytes that were stored. What is personal in them stays encrypted; the replay pages show it
only where that was asked for.
"""

import base64
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from audit.export.verify import MANIFEST, SIGNATURE, canonical, manifest_of, pack, statement_of
from audit.log.log_key import LogKey
from audit.log.notes import Note
from audit.programmes import ProgrammeHistory
from audit.replay.case import Replay
from audit.replay.html import page
from eventstore.format.envelope import Envelope
from eventstore.format.published import file_name, published

_READ_ME = """\
Case {case}: {events} events as they were recorded, with the proofs that they are all of them and unchanged.

    python -m venv v && v/bin/pip install cryptography
    v/bin/python verify.py {case}.tar.gz --key VERIFIER-KEY --checkpoint FILE

Take verify.py from here, or better from somebody you trust, and the log's key from the log's owner, not from here.

replay.en.html, replay.es.html   what happened and why, in plain words, to read and to print
events.jsonl                     header, bodies and hash of each event, in base64; the hash is SHA-256(0x00 || header)
schemas/                         what the bodies of each type of event hold
rules/                           the rule sets that decisions name by their digest, which is the name of the file
proof.json                       checkpoint, inclusion proofs (RFC 9162), the map of all cases, consistency
manifest.txt, manifest.note      what is in the archive, and the log's signature over it
"""


async def archive_of(
    rows: Sequence[Envelope], proof: Mapping[str, Any], replay: Replay, programme: ProgrammeHistory, key: LogKey
) -> bytes:
    """The archive; the same case, proof and key give the same bytes."""
    case_id = rows[0].stream
    files = {
        "README.txt": _READ_ME.format(case=case_id, events=len(rows)).encode(),
        "events.jsonl": b"".join(canonical(_event(row)) + b"\n" for row in rows),
        "proof.json": canonical(dict(proof)),
        "replay.en.html": page(replay, "en").encode(),
        "replay.es.html": page(replay, "es").encode(),
        "verify.py": (Path(__file__).parent / "verify.py").read_bytes(),
    }
    for row in rows:
        name = file_name(row.type, row.schema_version)
        files[f"schemas/{name}"] = published(row.type, row.schema_version)
    for digest in {row.rules_digest for row in rows if row.rules_digest is not None}:
        files[f"rules/{digest}.json"] = programme.sets[digest].text.encode()
    files[MANIFEST] = manifest_of(files)
    signed = await key.sign(statement_of(case_id, files[MANIFEST]))
    files[SIGNATURE] = str(Note(signed.text, signed.signatures[:1])).encode()  # of one key, that of `proof.json`
    return pack(files)


def _event(row: Envelope) -> dict[str, Any]:
    return {
        "header": _base64(row.header),
        "public_body": _base64(row.public_body),
        "encrypted_body": None if row.encrypted_body is None else _base64(row.encrypted_body),
        "hash": row.hash.hex(),
    }


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()
