"""`passage case history`: what happened, who caused it, and what each rule said, in plain words."""

import json as jsons
from typing import Any

import typer

from audit.programmes import ProgrammeHistory, history_of
from cli.errors import UnusableError
from cli.lines import echo_json, moment
from cli.reach import Reached
from domain import registry
from domain.kernel.events import Basis, RuleResult
from domain.kernel.ids import CaseId
from eventstore.format.codec import CODEC
from eventstore.port import Stored

_MARK = {"passed": "passed  ", "failed": "FAILED  ", "referred": "referred"}


async def show_history(stack: Reached, case_id: CaseId, *, json: bool) -> None:
    """Print the case's events, oldest first. Raises UnusableError where nobody filed it."""
    stream = await stack.store.load(case_id)
    if not stream.events:
        if not await stack.inbox.has_undecided(case_id):
            raise UnusableError(f"no case {case_id}")
        if not json:
            typer.echo("No events yet: the filing is received and not taken.")
    of_programme = await stack.store.load(registry.programme_of(case_id).id)
    programme = history_of(stored.event for stored in of_programme.events)
    for stored in stream.events:
        if json:
            echo_json(_as_json(stored))
        else:
            for line in _lines(stored, programme):
                typer.echo(line)


def _facts(stored: Stored) -> dict[str, Any]:
    """What the event says that is not personal, the basis of its decision apart."""
    public, _ = CODEC.encode(stored.event)
    return {name: value for name, value in jsons.loads(public).items() if name != "basis" and value not in (None, [])}


def _basis(stored: Stored) -> Basis | None:
    return getattr(stored.event, "basis", None)


def _as_json(stored: Stored) -> dict[str, Any]:
    basis = _basis(stored)
    return {
        "version": stored.version,
        "type": stored.type,
        "happened_at": stored.happened_at,
        "recorded_at": stored.recorded_at,
        "actor": stored.actor,
        "proof": stored.proof,
        "received_at": stored.received_at,
        "facts": _facts(stored),
        "basis": None if basis is None else basis.model_dump(mode="json"),
        "erased": stored.erased,
    }


def _lines(stored: Stored, programme: ProgrammeHistory) -> list[str]:
    facts = ", ".join(f"{name} {_said(value)}" for name, value in _facts(stored).items())
    erased = "personal data erased" if stored.erased else ""
    rest = "  ".join(part for part in (facts, erased) if part)
    lines = [
        f"{stored.version:>4}  {moment(stored.happened_at)}  {stored.type:<28}  by {stored.actor} ({stored.proof})"
    ]
    if rest:
        lines.append(f"      {rest}")
    basis = _basis(stored)
    if basis is not None:
        lines.append(f"      under the rules of {basis.rules_version}, on {basis.decided_on} in New York:")
        lines += [line for result in basis.results for line in _rule_lines(result, basis, programme)]
    return lines


def _said(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _rule_lines(result: RuleResult, basis: Basis, programme: ProgrammeHistory) -> list[str]:
    """What the rule said and why; where it did not pass, also what it asks for and where it comes from."""
    used = ", ".join((*result.facts, *result.cases))
    lines = [f"        {_MARK[result.result]}  {result.rule}: {result.because.replace('-', ' ')}"
             + (f"  ({used})" if used else "")]  # fmt: skip
    if result.result != "passed":
        text = programme.sets[basis.rules_digest].rules[result.rule]
        lines += [f"                  {text.en}", f"                  Source: {text.source}"]
    return lines
