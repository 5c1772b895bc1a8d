"""`passage audit what-if`: who would have been decided differently under other rules."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from audit.replay.read import opened_log
from audit.whatif.report import Report, as_json, report
from audit.whatif.verdict import Question
from cli.errors import UnusableError
from cli.lines import echo_json, moment
from cli.reach import on_the_database
from domain import registry
from domain.kernel.rule_set import RuleSet, parse_rule_set
from domain.programme_files import rule_set_of
from domain.registry import UnknownProgramme
from eventstore.keys import KeyUnknown
from process.backing import opened_keys
from process.config import Settings

_DAYS = ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"]


def what_if(
    rules: Annotated[Path, typer.Option(exists=True, dir_okay=False, help="The other rule set, a TOML file.")],
    since: Annotated[
        datetime | None, typer.Option("--from", formats=_DAYS, help="Decisions from then on, UTC.")
    ] = None,
    until: Annotated[datetime | None, typer.Option("--to", formats=_DAYS, help="Decisions before then, UTC.")] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Decide every past decision again under other rules. Nothing is written, and no case is changed."""
    question = Question(rules=_rules(rules), since=_utc(since), until=_utc(until))

    async def work(settings: Settings) -> None:
        found = await asked(settings, question)
        if json:
            echo_json(as_json(found))
            return
        for line in lines(found):
            typer.echo(line)

    on_the_database(work)


async def asked(settings: Settings, question: Question) -> Report:
    """The report over the whole log. Raises UnusableError where the keys are another log's."""
    async with opened_keys(settings) as keys, opened_log(settings.required_database_url) as log:
        try:
            return await report(log, keys, question)
        except KeyUnknown as unknown:
            raise UnusableError(f"the key store has no key of {unknown}: set PASSAGE_KEYS_DIR") from None


def _rules(file: Path) -> RuleSet:
    try:
        text = file.read_text("utf-8")
        programme = registry.programme(parse_rule_set(text).programme)
        return rule_set_of(programme.family, programme.id, text)
    except UnknownProgramme as unknown:
        raise UnusableError(f"{file} is of a programme that there is not: {unknown}") from None
    except ValueError as error:
        raise UnusableError(f"{file} is no rule set: {str(error).splitlines()[0]}") from None


def _utc(at: datetime | None) -> datetime | None:
    return None if at is None else at.replace(tzinfo=UTC)


def lines(found: Report) -> Iterator[str]:
    """The report for people."""
    yield f"Under the rules of {found.rules_version}  {found.rules_digest}"
    for digest, cases in found.decided_under.most_common():
        yield f"decided under             {digest}  {cases} cases"
    yield f"{found.cases} cases, {found.decided_again} decisions made again, {found.diverged} cases decided differently"
    if found.erased:
        yield f"{found.erased} cases are erased and cannot be decided again"
    if found.not_reproduced:
        yield f"{found.not_reproduced} decisions could not be made as they were under the rules of the time, and stand"
    for (rule, was, would_be), cases in found.by_change.most_common():
        yield f"{cases:>7}  {rule}: {was} → {would_be}"
    if found.sample:
        yield "Such as"
    for each in found.sample:
        yield f"  {each.case_id}:{each.version}  {moment(each.decided_at)}  {each.rule}: {each.was} → {each.would_be}"
