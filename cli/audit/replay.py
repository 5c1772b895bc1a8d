"""`passage audit replay`: what happened in a case and why, for an auditor."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Annotated, Final

import typer
from pydantic import TypeAdapter, ValidationError

from audit.access import Auditor, opened_access
from audit.programmes import ProgrammeHistory, read_programme
from audit.replay.asked import read_asked
from audit.replay.case import Replay, Until, as_json, replay
from audit.replay.html import page
from audit.replay.read import keys_of, opened_log, read_stream
from audit.replay.text import lines
from audit.replay.words import Language
from cli.errors import UnusableError
from cli.identity import acting
from cli.lines import echo_json
from cli.reach import checked_case_id, domain_now, on_the_database
from domain import registry
from domain.access import ReasonCode
from domain.kernel.ids import CaseId
from eventstore.format.envelope import Envelope
from eventstore.keys import CaseKey, KeyUnknown
from eventstore.viewing import Seen, record_view
from process.backing import opened_keys
from process.config import Settings

_AUDITOR: Final = "auditor"

Reason = Annotated[
    str | None,
    typer.Option(help="Shows what is personal: why, a code such as complaint. It and whose token it was go on record."),
]
Lang = Annotated[Language, typer.Option(help="Language.")]


def replay_case(
    case_id: Annotated[str, typer.Argument(help="The case's id.", metavar="ID", show_default=False)],
    at: Annotated[str | None, typer.Option(help="A version, or a moment such as 2022-11-01T00:00Z.")] = None,
    reason: Reason = None,
    lang: Lang = "en",
    html: Annotated[Path | None, typer.Option(help="Write one page that needs nothing else.")] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Replay a case: the timeline, the state then, and each decision with its rules, sources and facts."""
    known, until = checked_case_id(case_id), until_of(at)
    because = None if reason is None else reason_of(reason)

    async def work(settings: Settings) -> None:
        auditor = None if because is None else await auditor_of(settings, because)
        found = await replayed(settings, known, until, auditor)
        if html is not None:
            html.write_text(page(found, lang), "utf-8")
        if json:
            echo_json(as_json(found))
        elif html is None:
            for line in lines(found, lang):
                typer.echo(line)

    on_the_database(work)


async def replayed(settings: Settings, case_id: CaseId, until: Until, auditor: Auditor | None) -> Replay:
    """The replay; with an auditor what is personal is in it, and that they saw it is on record first."""
    url = settings.required_database_url
    async with opened_log(url) as log:
        rows = await read_stream(log, case_id)
        programme = await read_programme(log, registry.programme_of(case_id).id)
        public = _replay(rows, await keys_of(rows, None), programme, until, asked=False)
        moment = until if isinstance(until, datetime) else None
        asked = await read_asked(log, public.state["programme"], case_id, moment)
    if auditor is None:
        return replace(public, asked=asked)
    async with opened_keys(settings) as keys, opened_access(url, keys) as store:
        seen = Seen(public.state["programme"], case_id, public.version)
        await record_view(store.access, auditor.viewer, seen, domain_now(settings))
        try:
            found = await keys_of(rows, keys)
        except KeyUnknown:
            raise UnusableError(f"the key store has no key of {case_id}: set PASSAGE_KEYS_DIR") from None
    return replace(_replay(rows, found, programme, until, asked=True), asked=asked)


def _replay(
    rows: Sequence[Envelope],
    keys: Mapping[str, CaseKey | None],
    programme: ProgrammeHistory,
    until: Until,
    *,
    asked: bool,
) -> Replay:
    try:
        return replay(rows, keys, programme, until, asked=asked)
    except ValueError as error:
        raise UnusableError(f"{rows[0].stream}: {error}" if rows else str(error)) from None


def until_of(at: str | None) -> Until:
    """A version or a moment. Raises UnusableError."""
    if at is None or at.isdecimal():
        return None if at is None else int(at)
    try:
        moment = datetime.fromisoformat(at)
    except ValueError:
        raise UnusableError("--at is a version such as 7, or a moment such as 2022-11-01T00:00Z") from None
    if moment.tzinfo is None:
        raise UnusableError("--at needs the moment's zone: add Z for UTC")
    return moment


async def auditor_of(settings: Settings, because: str) -> Auditor:
    """Whoever runs the command, as an auditor. Raises UnusableError where they are not signed in as one."""
    async with opened_keys(settings) as keys, opened_access(settings.required_database_url, keys) as store:
        return Auditor(await acting(settings, store.staff, _AUDITOR), because)


def reason_of(reason: str) -> str:
    """Why somebody looks. Raises UnusableError where it is no code."""
    try:
        return TypeAdapter[str](ReasonCode).validate_python(reason)
    except ValidationError:
        raise UnusableError("--reason is a code such as complaint") from None
