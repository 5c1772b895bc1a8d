"""`passage audit verify` and `checkpoint`: whether the log is whole, and what to keep to ask again."""

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from audit.log.checkpoints import Checkpoint
from audit.log.log_key import read_verifiers
from audit.log.notes import NoteForged, NoteMalformed, Verifier
from audit.log.tables import newest_checkpoint
from audit.log.witnesses import Witness
from audit.verify.faults import Fault
from audit.verify.maps import MAPS_REBUILT
from audit.verify.record import ROLE, Scope, Verified, known_checkpoint, verify
from cli.errors import FaultFoundError, UnusableError
from cli.lines import echo_json, moment
from cli.reach import on_the_database
from eventstore.postgres.connections import connect
from eventstore.postgres.session import translated
from process.config import Settings

Keys = Annotated[
    list[str] | None,
    typer.Option(
        help="The log's verifier key, from a source you trust; again for each key that it had.",
        show_default="those in the keys directory",
    ),
]
_WITNESS = "A witness's verifier key: it must have cosigned this log. Again for each witness."
_FILE = typer.Option(exists=True, dir_okay=False, help="A checkpoint that you kept: the log must have grown from it.")


def verify_log(
    checkpoint: Annotated[Path | None, _FILE] = None,
    key: Keys = None,
    witness_key: Annotated[list[str] | None, typer.Option(help=_WITNESS, show_default="none")] = None,
    all_maps: Annotated[bool, typer.Option("--all-maps", help="Build every map seal anew, not the newest.")] = False,
    json: Annotated[bool, typer.Option("--json", help="One JSON object a line: faults, then what was seen.")] = False,
) -> None:
    """Derive the whole log again from its stored bytes; one line a fault, and exit 1 where there is one."""

    async def work(settings: Settings) -> Verified:
        verifiers, witnesses = _verifiers(key, settings), _witnesses(witness_key)
        scope = Scope(
            verifier=verifiers[0],
            other_verifiers=verifiers[1:],
            witnesses=witnesses,
            known=None if checkpoint is None else _known(checkpoint, verifiers, witnesses),
            maps=None if all_maps else MAPS_REBUILT,
        )
        return await verify(settings.required_database_url, scope, lambda fault: _tell(fault, json=json), _progress)

    found = on_the_database(work)
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


def _verifiers(keys: list[str] | None, settings: Settings) -> tuple[Verifier, ...]:
    try:
        verifiers = tuple(map(Verifier.parse, keys)) if keys else read_verifiers(settings.keys_directory)
    except NoteMalformed as error:
        raise UnusableError(str(error)) from None
    if not verifiers:
        raise UnusableError("no verifier key: give --key, or set PASSAGE_KEYS_DIR to where the log's key is")
    if len({each.name for each in verifiers}) > 1:
        raise UnusableError("the keys are of different logs")
    return verifiers


def _witnesses(keys: list[str] | None) -> tuple[Witness, ...]:
    try:
        return tuple(map(Witness.parse, keys or ()))
    except NoteMalformed as error:
        raise UnusableError(f"{error}: a witness's key is of type {Witness.SIGNATURE_TYPE}") from None


def _known(file: Path, verifiers: tuple[Verifier, ...], witnesses: tuple[Witness, ...]) -> Checkpoint:
    try:
        return known_checkpoint(file.read_text("utf-8"), *verifiers, witnesses=witnesses)
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
    for each in found.cosigned:
        at = "" if each.at is None else f", signed {moment(each.at)}"
        typer.echo(f"{each.witness} cosigned {each.checkpoints:,} checkpoints, up to leaf {each.size:,}{at}")
    typer.echo("The log is whole." if not found.faults else f"{found.faults} FAULTS")
