"""`passage erase`: two officers erase what is personal in a closed case; a legal hold keeps a case from it."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Final

import typer
from pydantic import ValidationError

from cases.erasure import Erased, ErasureOrder, erase, hold, release
from cli.errors import FaultFoundError, UnusableError
from cli.identity import acting
from cli.lines import echo_json
from cli.reach import checked_case_id, domain_now, on_the_database
from domain.kernel.proof import OFFICER
from eventstore.conflicts import Conflict, ErasureRefused
from process.backing import open_backing
from process.config import Settings

_ROLE: Final = "passage_eraser"
"""The role that may erase and hold, and nothing else; the login must be a member of it."""
_REFUSED: Final = {
    "one-officer-twice": "two different officers must order it",
    "officer-not-proven": "an officer must order it: `passage login`",
    "unknown-case": "nobody filed it",
    "case-open": "it is open: only a closed case is erased",
    "legal-hold": "a legal hold keeps it",
    "messages-undecided": "a message to it is undecided: try again in a moment",
    "not-held": "no hold keeps it",
    "erased": "it was erased already",
}


def erase_case(
    case_id: Annotated[str, typer.Argument(help="The case's id.", metavar="ID", show_default=False)],
    reason: Annotated[str, typer.Option(help="A code, such as retention-ended.")],
    token_file: Annotated[Path | None, typer.Option(help="Token of the officer.", show_default="passage login")] = None,
    second_token_file: Annotated[
        Path | None, typer.Option(help="Token of another officer; erasing needs both.")
    ] = None,
    place_hold: Annotated[bool, typer.Option("--hold", help="Do not erase: keep the case from erasure.")] = False,
    release_hold: Annotated[bool, typer.Option("--release-hold", help="Do not erase: release a hold.")] = False,
    json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Erase what is personal in a closed case, for good; the log still verifies and replays."""
    known = checked_case_id(case_id)
    if place_hold and release_hold:
        raise UnusableError("a hold is either placed or released")
    if not (place_hold or release_hold) and second_token_file is None:
        raise UnusableError("erasing needs a second officer: --second-token-file")

    async def work(settings: Settings) -> None:
        now = domain_now(settings)
        async with open_backing(settings, role=_ROLE, connections=2) as eraser:
            officer = await acting(settings, eraser.store.staff, OFFICER, file=token_file)
            if place_hold or release_hold:
                change = hold if place_hold else release
                await change(eraser.cases, known, officer, reason, f"hold:{secrets.token_hex(8)}", now)
                _tell_hold(known, json=json, held=place_hold)
            else:
                second = await acting(settings, eraser.store.staff, OFFICER, file=second_token_file)
                order = ErasureOrder(case_id=known, first=officer, second=second, because=reason)
                _tell_erased(known, await erase(eraser.cases, eraser.keys, order, now), json=json)

    with _refusals_told(known):
        on_the_database(work)


@contextmanager
def _refusals_told(case_id: str) -> Iterator[None]:
    try:
        yield
    except ErasureRefused as refused:
        raise FaultFoundError(f"{case_id} is not changed: {_REFUSED[refused.code]}") from None
    except Conflict:
        raise FaultFoundError(f"{case_id} moved meanwhile: try again") from None
    except ValidationError:
        raise UnusableError("a reason is a code such as retention-ended") from None


def _tell_hold(case_id: str, *, json: bool, held: bool) -> None:
    if json:
        echo_json({"case_id": case_id, "held": held})
    else:
        typer.echo(f"{case_id} is {'kept by a legal hold' if held else 'no longer held'}.")


def _tell_erased(case_id: str, erased: Erased, *, json: bool) -> None:
    if json:
        echo_json({"case_id": case_id, "erased": True, "version": erased.version, "first": erased.first})
        return
    again = "" if erased.first else " (it was erased before; what was left to do is done)"
    typer.echo(f"{case_id}: personal data erased, event {erased.version}{again}.")
    typer.echo("Every process forgets the key within a minute. Destroy backups of the key store that are older.")
