"""Exports one case: seals the log and a map, reads one snapshot, packs, puts that on record, then hands it over."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from audit.access import Auditor, opened_access, record
from audit.export.archive import archive_of
from audit.export.proof import NotSealed, prove
from audit.log.log_key import LogKeys
from audit.log.sealer import opened_sealer
from audit.log.sealing import Sealer
from audit.programmes import read_programme
from audit.replay.case import replay
from audit.replay.read import keys_of, opened_log, read_stream
from audit.verify.record import known_checkpoint
from domain import registry
from domain.access import CaseExported
from domain.kernel.ids import CaseId
from eventstore.keys import DirectoryKeyStore
from eventstore.viewing import Seen, record_view

_APPENDS_MAX = 10_000
"""Bounds how long an export waits for what is appended while it seals."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """What is asked for."""

    case_id: CaseId
    auditor: Auditor
    personal: bool = False
    """The pages show what is personal, which is then on record as a view too."""
    older: str | None = None
    """A checkpoint that the auditor kept: the archive proves that the log only added to it."""


@dataclass(frozen=True, slots=True)
class Exported:
    """The archive, and what its event says of it."""

    archive: bytes
    sha256: str
    version: int


async def export_case(
    database_url: str,
    keys_directory: Path,
    asked: Export,
    now: datetime,
    keys: DirectoryKeyStore | None = None,
) -> Exported:
    """Export; the event of the access stream is durable before the archive is returned. `keys`: the directory's own.

    Raises:
        ValueError: there is no such case.
        NotSealed: its last event could not be sealed.
        SealRefused, EventGone: the log is not the one that was signed; `audit verify` says more.
        NoteForged, NoteMalformed: the kept checkpoint is not this log's.
        LogKeyMissing: the log's key is not in the keys directory: an export is signed where it is.
        KeyUnknown: what is personal was asked for, and this is not the log's key store.
        StoreUnavailable: the database is away.
    """
    keys = keys or DirectoryKeyStore(keys_directory)
    async with opened_sealer(database_url, keys_directory) as sealer:
        if asked.older is not None:
            known_checkpoint(asked.older, LogKeys(sealer.key.verifier))
        await _seal(sealer)
        async with opened_log(database_url) as log:
            rows = await read_stream(log, asked.case_id)
            if not rows:
                raise ValueError("no such case")
            name = registry.programme_of(asked.case_id).id
            programme = await read_programme(log, name)
            proved = await prove(log, asked.case_id, sealer.key.verifier, asked.older)
        rows = rows[: proved.version]
        if len(rows) != proved.version:
            raise NotSealed("the log has fewer events of the case than the map says: verify it")
        async with opened_access(database_url, keys) as store:
            if asked.personal:
                await record_view(store.access, asked.auditor.viewer, Seen(name, asked.case_id, len(rows)), now)
            shown = await keys_of(rows, keys if asked.personal else None)
            found = replay(rows, shown, programme, asked=asked.personal)
            archive = await archive_of(rows, proved.proof, found, programme, sealer.key)
            exported = Exported(archive, hashlib.sha256(archive).hexdigest(), len(rows))
            event = _event(asked, exported, now)
            await record(store, asked.auditor, name, event, f"export:{secrets.token_hex(12)}")
    return exported


def _event(asked: Export, exported: Exported, now: datetime) -> CaseExported:
    return CaseExported(
        at=now,
        case=asked.case_id,
        because=asked.auditor.because,
        case_version=exported.version,
        archive_sha256=exported.sha256,
    )


async def _seal(sealer: Sealer) -> None:
    for _ in range(_APPENDS_MAX):
        if not await sealer.seal():
            break
    if await sealer.seal_map() is None:
        raise NotSealed("other sealers never let this one put its map")
    await sealer.sign()
