"""`/v1/log`: the sealed log over HTTP, for whoever checks it without a login of the database.

Checkpoint and tiles are those of C2SP (tlog-checkpoint, tlog-tiles) and hold hashes alone, so anybody may read them.
Events are for auditors: headers, public bodies, and what is personal as it is stored, encrypted.
"""

import base64
import re
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Path, Query, Response
from pydantic import BaseModel, Field

from eventstore.postgres.sealed import PostgresSealedLog, SealedEntry
from gateway.deps import Deps, GatewayDeps
from gateway.http.problems import Problem, documented
from gateway.identity.callers import READS_LOG, UNKNOWN_CALLER

router = APIRouter(tags=["log"])

ENTRIES_MAX: Final = 500
"""Some half a megabyte of ordinary events; a filing with long texts has 60 KiB."""
_WIDTH: Final = 256
_HASH_BYTES: Final = 32
_TILE_NUMBER: Final = re.compile(r"((?:x[0-9]{3}/){0,5}[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?")
_FULL: Final = {"Cache-Control": "public, max-age=31536000, immutable"}
_NEWEST: Final = {"Cache-Control": "no-cache"}


class LogEntry(BaseModel):
    """An entry of the log. Bytes are base64."""

    leaf: int = Field(description="Its place in the log, from 0.")
    hash: str = Field(description="The leaf hash, in hex: SHA-256(0x00 ‖ header).")
    header: str = Field(description="Canonical JSON: every column of the event, or what a map seal states.")
    public_body: str | None = Field(description="Null in a map seal.")
    encrypted_body: str | None = Field(description="What is personal, encrypted under the case's key.")


class LogEntries(BaseModel):
    """Entries of the log, in order."""

    entries: list[LogEntry]
    next_leaf: int = Field(description="Give it as `leaf` to read on, now or when the log has grown.")


def _log_of(deps: GatewayDeps) -> PostgresSealedLog:
    if deps.sealed_log is None:
        raise Problem("not-found")
    return deps.sealed_log


@router.get(
    "/v1/log/checkpoint",
    summary="The newest signed checkpoint",
    response_class=Response,
    responses={**documented("not-found", "too-many-messages"), 200: {"content": {"text/plain": {}}}},
)
async def checkpoint(deps: Deps) -> Response:
    """A signed note (C2SP tlog-checkpoint): origin, size, root and time. Keep one, and hold the log to it later."""
    await deps.admit("log")
    note = await _log_of(deps).checkpoint()
    if note is None:
        raise Problem("not-found", "The log has no checkpoint yet.")
    return Response(note, media_type="text/plain; charset=utf-8", headers=_NEWEST)


@router.get(
    "/v1/log/tile/{level}/{number:path}",
    summary="A tile of the Merkle tree",
    response_class=Response,
    responses={
        **documented("not-found", "malformed", "too-many-messages"),
        200: {"content": {"application/octet-stream": {}}},
    },
)
async def tile(
    deps: Deps,
    level: Annotated[int, Path(ge=0, le=63)],
    number: Annotated[str, Path(max_length=64, description="As in C2SP tlog-tiles: `x001/234`, `067.p/8`.")],
) -> Response:
    """Up to 256 hashes of 32 bytes (C2SP tlog-tiles); a partial tile is asked for with its width."""
    await deps.admit("log")
    found = _TILE_NUMBER.fullmatch(number)
    if found is None:
        raise Problem("not-found")
    width = int(found[2] or _WIDTH)
    hashes = await _log_of(deps).tile(level, int(found[1].replace("x", "").replace("/", "")))
    if width > _WIDTH or (found[2] and width == _WIDTH) or hashes is None or len(hashes) < width * _HASH_BYTES:
        raise Problem("not-found")
    return Response(hashes[: width * _HASH_BYTES], media_type="application/octet-stream", headers=_FULL)


@router.get(
    "/v1/log/events",
    summary="What was sealed, from a leaf on",
    dependencies=[Depends(READS_LOG)],
    responses=documented(*UNKNOWN_CALLER, "not-found", "malformed", "too-many-messages"),
    openapi_extra=READS_LOG.documented,
)
async def events(
    deps: Deps,
    leaf: Annotated[int, Query(ge=0, le=2**62, description="The first leaf that is wanted.")] = 0,
    limit: Annotated[int, Query(ge=1, le=ENTRIES_MAX)] = 100,
) -> LogEntries:
    """Entries in the order of the log, which has no gap: `next_leaf` is a cursor that never skips anything."""
    await deps.admit("log")
    found = await _log_of(deps).entries(leaf, limit)
    return LogEntries(entries=[_entry(each) for each in found], next_leaf=found[-1].leaf_index + 1 if found else leaf)


def _entry(entry: SealedEntry) -> LogEntry:
    return LogEntry(
        leaf=entry.leaf_index,
        hash=entry.hash.hex(),
        header=_base64(entry.header),
        public_body=None if entry.public_body is None else _base64(entry.public_body),
        encrypted_body=None if entry.encrypted_body is None else _base64(entry.encrypted_body),
    )


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()
