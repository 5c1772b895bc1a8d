"""`passage case show`: where one case stands, in words and as JSON. Nothing in it is personal."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from urllib.parse import quote

import typer
from temporalio.client import WorkflowExecutionDescription
from temporalio.service import RPCError, RPCStatusCode

from cli.errors import UnusableError
from cli.lines import echo_json, moment
from cli.reach import Reached, TemporalAway
from domain import registry
from domain.kernel.ids import CaseId
from eventstore.inbox import Waiting
from eventstore.port import OpenedCall
from eventstore.summary import CaseSummary

_ASK_TIMEOUT: Final = timedelta(seconds=3)
"""The case is shown all the same: a Temporal that is away must not hide what the log knows."""
_MESSAGES_MAX: Final = 50


@dataclass(frozen=True, slots=True)
class Run:
    """The case's workflow, as Temporal knows it."""

    state: str
    """`running`, another status of Temporal's, `none`, or `unknown` while Temporal is away."""
    run_id: str | None = None


@dataclass(frozen=True, slots=True)
class CaseOnShow:
    """Everything that is shown of a case; `summary` None is a filing that no worker has taken yet."""

    case_id: CaseId
    summary: CaseSummary | None
    calls: tuple[OpenedCall, ...]
    undecided: tuple[Waiting, ...]
    run: Run
    link: str | None


async def show_case(stack: Reached, case_id: CaseId, *, json: bool) -> None:
    """Print the case. Raises UnusableError where nobody filed it."""
    case = await _read(stack, case_id)
    if json:
        echo_json(_all_as_json(case))
    else:
        for line in _lines(case):
            typer.echo(line)


async def _read(stack: Reached, case_id: CaseId) -> CaseOnShow:
    summary = await stack.store.summary(case_id)
    undecided = await stack.inbox.waiting(case_id, _MESSAGES_MAX)
    if summary is None and not undecided:
        raise UnusableError(f"no case {case_id}")
    run = await _run(stack, case_id)
    calls = await stack.store.outstanding_calls(case_id)
    return CaseOnShow(case_id, summary, calls, undecided, run, ui_link(stack, case_id, run))


async def _run(stack: Reached, case_id: CaseId) -> Run:
    try:
        temporal = await stack.temporal()
        found = await temporal.get_workflow_handle(case_id).describe(rpc_timeout=_ASK_TIMEOUT)
    except TemporalAway:
        return Run("unknown")
    except RPCError as error:
        return Run("none" if error.status is RPCStatusCode.NOT_FOUND else "unknown")
    return Run(_status(found), found.run_id)


def _status(found: WorkflowExecutionDescription) -> str:
    return "unknown" if found.status is None else found.status.name.lower().replace("_", " ")


def ui_link(stack: Reached, case_id: CaseId, run: Run) -> str | None:
    """The page of the case's newest run in the Temporal UI; None where nobody said where the UI is."""
    base, namespace = stack.settings.temporal_ui_url, stack.settings.temporal["namespace"]
    if base is None:
        return None
    page = f"{base}/namespaces/{quote(namespace, safe='')}/workflows/{case_id}"
    return page if run.run_id is None else f"{page}/{run.run_id}/timeline"


def as_json(summary: CaseSummary) -> dict[str, Any]:
    """A case as one object of a listing."""
    due = None if summary.shown_due is None else dict(zip(("name", "at"), summary.shown_due, strict=True))
    return {
        "case_id": summary.case_id,
        "programme": summary.programme,
        "rules_version": summary.rules_version,
        "stage": summary.stage,
        "waiting_on": summary.waiting_on,
        "since": summary.since,
        "due": due,
        "outcome": summary.outcome,
        "reason": summary.reason,
        "held": summary.held,
        "flags": summary.flags,
        "filed_at": summary.filed_at,
        **summary.facts,
    }


def _all_as_json(case: CaseOnShow) -> dict[str, Any]:
    shown = {"case_id": case.case_id, "stage": None} if case.summary is None else as_json(case.summary)
    return {
        **shown,
        "calls": [{"request_id": c.request_id, "partner": c.partner, "attempts": c.attempts} for c in case.calls],
        "undecided": [
            {"number": m.number, "message": m.kind, "from": m.source, "received_at": m.received_at}
            for m in case.undecided
        ],
        "workflow": case.run.state,
        "link": case.link,
    }


def _lines(case: CaseOnShow) -> list[str]:
    lines = [f"Case         {case.case_id}"]
    lines += _of_summary(case.summary) if case.summary else ["Stage        received, not taken yet"]
    for call in case.calls:
        lines.append(f"Owed         a call to {call.partner}: {call.attempts} attempts so far ({call.request_id})")
    for message in case.undecided:
        lines.append(f"Undecided    {message.kind} from {message.source}, received {moment(message.received_at)}")
    lines.append(f"Workflow     {case.run.state}")
    if case.run.state == "none" and case.summary and not case.summary.closed:
        lines.append(f"             mend it with: passage case restart {case.case_id}")
    if case.link:
        lines.append(f"Temporal UI  {case.link}")
    return lines


def _of_summary(summary: CaseSummary) -> list[str]:
    titles = registry.programme(summary.programme).family.fact_titles
    named: list[tuple[str, object]] = [
        ("Programme", f"{summary.programme}, rules of {summary.rules_version}"),
        ("Filed", moment(summary.filed_at)),
        ("Stage", summary.stage),
        ("Waiting on", summary.waiting_on),
        ("Since", moment(summary.since)),
        ("Due", " at ".join((summary.shown_due[0], moment(summary.shown_due[1]))) if summary.shown_due else None),
        ("Overdue", "an officer's answer" if summary.overdue_since else None),
        ("Held", "yes" if summary.held and not summary.closed else None),
        ("Outcome", f"{summary.outcome}{f' ({summary.reason})' if summary.reason else ''}" if summary.closed else None),
        *((titles[name].en, value) for name, value in summary.facts.items()),
        ("Flags", ", ".join(summary.flags) or None),
    ]
    return [f"{f'{name} ':<13}{value}" for name, value in named if value is not None]
