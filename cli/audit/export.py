"""`passage audit export`: one archive of a case that verifies offline."""

from pathlib import Path
from typing import Annotated

import typer

from audit.export.case import Export, Exported, export_case
from audit.export.proof import NotSealed
from audit.log.log_key import LogKeyMissing
from audit.log.notes import NoteForged, NoteMalformed
from audit.log.sealing import EventGone, SealRefused
from audit.log.tiles import MissingTile
from cli.audit.replay import auditor_of, reason_of
from cli.errors import FaultFoundError, UnusableError
from cli.lines import echo_json
from cli.reach import checked_case_id, domain_now, on_the_database
from eventstore.keys import KeyUnknown
from process.backing import opened_keys
from process.config import Settings


def export(
    case_id: Annotated[str, typer.Argument(help="The case's id.", metavar="ID", show_default=False)],
    reason: Annotated[
        str, typer.Option(help="Why: a code, such as court-order. It and whose token it was go on record.")
    ],
    out: Annotated[Path | None, typer.Option(help="The file to write.", show_default="ID.tar.gz")] = None,
    checkpoint: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="A checkpoint that you kept, to prove the log by.")
    ] = None,
    personal: Annotated[bool, typer.Option("--personal", help="Show what is personal on the pages.")] = False,
    json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Export a case: its events, schemas, rules, proofs, replay pages and the program that verifies them."""
    known, because = checked_case_id(case_id), reason_of(reason)
    older = None if checkpoint is None else checkpoint.read_text("utf-8")
    file = out or Path(f"{known}.tar.gz")

    async def work(settings: Settings) -> None:
        auditor = await auditor_of(settings, because)
        asked = Export(case_id=known, auditor=auditor, personal=personal, older=older)
        exported = await _exported(settings, asked)
        file.write_bytes(exported.archive)
        if json:
            echo_json({"case_id": known, "file": str(file), "sha256": exported.sha256, "version": exported.version})
            return
        typer.echo(f"{file}  {len(exported.archive)} bytes, {exported.version} events  sha256 {exported.sha256}")
        typer.echo(f"Verify it anywhere: python verify.py {file.name} --key KEY --checkpoint FILE")

    on_the_database(work)


async def _exported(settings: Settings, asked: Export) -> Exported:
    try:
        url, directory = settings.required_database_url, settings.keys_directory
        async with opened_keys(settings) as keys:
            return await export_case(url, directory, asked, domain_now(settings), keys)
    except (NoteForged, NoteMalformed) as error:
        raise UnusableError(f"the checkpoint is not this log's: {error}") from None
    except LogKeyMissing as error:
        raise UnusableError(f"{error}: export where the log's key is (PASSAGE_KEYS_DIR)") from None
    except KeyUnknown:
        raise UnusableError(f"the key store has no key of {asked.case_id}: set PASSAGE_KEYS_DIR") from None
    except (SealRefused, EventGone, MissingTile, NotSealed) as error:
        raise FaultFoundError(f"{asked.case_id} cannot be proved: {str(error) or type(error).__name__}") from None
    except ValueError as error:
        raise UnusableError(f"{asked.case_id}: {error}") from None
