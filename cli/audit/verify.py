"""`passage audit verify` and `checkpoint`: whether the log is whole, and what to keep to ask again."""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from audit.log.checkpoints import Checkpoint
from audit.log.log_key import LogKeys, read_verifiers
from audit.log.notes import NoteForged, NoteMalformed
from audit.log.tables import newest_checkpoint
from audit.verify.faults import Fault
from audit.verify.record import ROLE, Scope, Verified, known_checkpoint, verify
from audit.verify.sealed.maps import MAPS_REBUILT
from cli.errors import FaultFoundError, UnusableError
from cli.lines import echo_json
from cli.reach import on_the_database
from eventstore.keys import KeyStore, master_file
from eventstore.postgres.connections import connect
from eventstore.postgres.session import translated
from process.backing import opened_keys
from process.config import Settings
from stack.postgres.backup import opened_backup
from stack.postgres.files import PostgresFailed

Keys = Annotated[
    list[str] | None,
    typer.Option(
        help="The log's verifier key, from a source you trust; again, as `KEY SIZE`, for each that it had before.",
        show_default="those in the keys directory",
    ),
]
_BACKUP = typer.Option(
    exists=True, file_okay=False, help="A Postgres data directory: verify a copy of it, without any login."
)
_FILE = typer.Option(exists=True, dir_okay=False, help="A checkpoint that you kept: the log must have grown from it.")


def verify_log(
    checkpoint: Annotated[Path | None, _FILE] = None,
    key: Keys = None,
    backup: Annotated[Path | None, _BACKUP] = None,
    database: Annotated[str | None, typer.Option(help="Of the backup, where several have a log.")] = None,
    all_maps: Annotated[bool, typer.Option("--all-maps", help="Build every map seal anew, not the newest.")] = False,
    json: Annotated[bool, typer.Option("--json", help="One JSON object a line: faults, then what was seen.")] = False,
) -> None:
    """Derive the whole log again from its stored bytes; one line a fault, and exit 1 where there is one."""

    async def work(settings: Settings) -> Verified:
        keys = _log_keys(key, settings)
        known = None if checkpoint is None else _known(checkpoint, keys)
        maps = None if all_maps else MAPS_REBUILT
        async with _personal_keys(settings) as personal, _opened(settings, backup, database) as url:
            scope = Scope(verifier=keys.verifier, former=keys.former, known=known, maps=maps, keys=personal)
            return await verify(url, scope, lambda fault: _tell(fault, json=json), _progress)

    found = on_the_database(work, url_needed=backup is None)
    if json:
        echo_json(_as_json(found))
    else:
        _print(found)
    if found.faults:
        raise FaultFoundError(f"the log does not verify: {found.faults} faults")


def print_checkpoint() -> None:
    """Print the newest signed checkpoint: keep it, and `verify --checkpoint` holds the log to it ever after."""

    async def work(settings: Settings) -> str | None:
        with translated():
            connection = await connect(settings.required_database_url, "passage-audit", ROLE)
            try:
                return await newest_checkpoint(connection)
            finally:
                await connection.close()

    note = on_the_database(work)
    if note is None:
        raise UnusableError("the log has no checkpoint yet: is a sealer running?")
    typer.echo(note, nl=False)


@asynccontextmanager
async def _opened(settings: Settings, backup: Path | None, database: str | None) -> AsyncIterator[str]:
    """The database to verify: the deployment's, or one of a backup."""
    if backup is None:
        yield settings.required_database_url
        return
    try:
        async with opened_backup(backup, database) as url:
            yield url
    except PostgresFailed as error:
        raise UnusableError(str(error)) from None


def _log_keys(keys: list[str] | None, settings: Settings) -> LogKeys:
    lines = keys or read_verifiers(settings.keys_directory)
    if not lines:
        raise UnusableError("no verifier key: give --key, or set PASSAGE_KEYS_DIR to where the log's key is")
    try:
        return LogKeys.parse(lines)
    except NoteMalformed as error:
        raise UnusableError(str(error)) from None


@asynccontextmanager
async def _personal_keys(settings: Settings) -> AsyncIterator[KeyStore | None]:
    """Those at hand: looking must not make a key store where there is none."""
    if settings.kms_url is None and not (settings.master_key or master_file(settings.keys_directory)).is_file():
        yield None
        return
    async with opened_keys(settings) as keys:
        yield keys


def _known(file: Path, keys: LogKeys) -> Checkpoint:
    try:
        return known_checkpoint(file.read_text("utf-8"), keys)
    except (NoteMalformed, NoteForged, UnicodeDecodeError) as error:
        why = "not text" if isinstance(error, UnicodeDecodeError) else str(error)
        raise UnusableError(f"{file} is no checkpoint of this log: {why}") from None


def _tell(fault: Fault, *, json: bool) -> None:
    if json:
        echo_json({"fault": fault.as_dict()})
    else:
        typer.echo(fault.line)


def _progress(events: int) -> None:
    print(f"{events:,} events", file=sys.stderr, flush=True)  # noqa: T201  for who waits; the result is on stdout


def _as_json(found: Verified) -> dict[str, object]:
    newest = None if found.newest is None else {"size": found.newest.size, "root": found.newest.root.hex()}
    return {"verified": {**asdict(found), "newest": newest}}


def _print(found: Verified) -> None:
    typer.echo(f"{found.events:,} events of {found.streams:,} streams, {found.leaves:,} leaves")
    typer.echo(f"{found.checkpoints:,} checkpoints, {found.map_seals:,} map seals, {found.histories:,} kept histories")
    if found.newest is not None:
        typer.echo(f"signed up to leaf {found.newest.size:,}, root {found.newest.root.hex()}")
    if found.decided or found.undecided:
        typer.echo(f"{found.decided:,} cases decided again; {found.undecided:,} not: no key is here")
    typer.echo("The log is whole." if not found.faults else f"{found.faults} FAULTS")
