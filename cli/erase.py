"""`passage erase`: two officers erase what is personal in a closed case; a legal hold keeps a case from it."""

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Final

import typer
from pydantic import ValidationError

from activities.casebook import CaseBook
from activities.erase import ErasureOrder, erase, hold, release
from cli.errors import FaultFoundError, UnusableError
from cli.lines import echo_json
from cli.reach import Reached, checked_case_id, on_the_stack
from eventstore.conflicts import Conflict, ErasureRefused
from eventstore.keys import DirectoryKeyStore
from eventstore.lookups import Lookups
from eventstore.postgres import PostgresStore

_ROLE: Final = "passage_eraser"
_REFUSED: Final = {
    "one-officer-twice": "two different officers must order it",
    "unknown-case": "nobody filed it",
    "case-open": "it is open: only a closed case is erased",
    "legal-hold": "a legal hold keeps it",
    "messages-undecided": "a message to it is undecided: try again in a moment",
    "not-held": "no hold keeps it",
    "erased": "it was erased already",
}


def erase_case(
    case_id: Annotated[str, typer.Argument(help="The case's id.", metavar="ID", show_default=False)],
    officer: Annotated[str, typer.Option(help="Reference of the officer who orders it, such as o-17.")],
    reason: Annotated[str, typer.Option(help="A code, such as retention-ended.")],
    second_officer: Annotated[
        str | None, typer.Option(help="Reference of another officer; erasing needs both.")
    ] = None,
    place_hold: Annotated[bool, typer.Option("--hold", help="Do not erase: keep the case from erasure.")] = False,
    release_hold: Annotated[bool, typer.Option("--release-hold", help="Do not erase: release a hold.")] = False,
    json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Erase what is personal in a closed case, for good; the log still verifies and replays."""
    known = checked_case_id(case_id)
    if place_hold and release_hold:
        raise UnusableError("a hold is either placed or released")
    if not (place_hold or release_hold) and second_officer is None:
        raise UnusableError("erasing needs a second officer: --second-officer")

    async def work(stack: Reached) -> None:
        async with _eraser(stack) as (book, keys):
            if place_hold or release_hold:
                change = hold if place_hold else release
                await change(book, known, officer, reason, f"hold:{secrets.token_hex(8)}", stack.now)
                told: dict[str, object] = {"case_id": known, "held": place_hold}
            else:
                order = ErasureOrder(
                    case_id=known, officer=officer, second_officer=second_officer or "", because=reason
                )
                erased = await erase(book, keys, order, stack.now)
                told = {"case_id": known, "erased": True, "version": erased.version, "first": erased.first}
        _tell(told, json=json)

    try:
        on_the_stack(work)
    except ErasureRefused as refused:
        raise FaultFoundError(f"{known} is not changed: {_REFUSED[refused.code]}") from None
    except Conflict:
        raise FaultFoundError(f"{known} moved meanwhile: try again") from None
    except ValidationError:
        raise UnusableError(
            "officers are named by reference (letters, digits, hyphens), a reason by a code such as retention-ended"
        ) from None


@asynccontextmanager
async def _eraser(stack: Reached) -> AsyncIterator[tuple[CaseBook, DirectoryKeyStore]]:
    """The cases and the keys, in the role that may forget; the login must be a member of it."""
    keys = DirectoryKeyStore(stack.settings.keys_directory)
    store = await PostgresStore.connect(stack.settings.required_database_url, keys, connections=2, role=_ROLE)
    try:
        yield CaseBook(store, store.inbox, Lookups(await keys.pepper()), stack.backing.book.rules), keys
    finally:
        await store.close()


def _tell(told: dict[str, object], *, json: bool) -> None:
    if json:
        echo_json(told)
    elif "held" in told:
        typer.echo(f"{told['case_id']} is {'kept by a legal hold' if told['held'] else 'no longer held'}.")
    else:
        again = "" if told["first"] else " (it was erased before; what was left to do is done)"
        typer.echo(f"{told['case_id']}: personal data erased, event {told['version']}{again}.")
        typer.echo("Every process forgets the key within a minute. Destroy backups of the key store that are older.")
