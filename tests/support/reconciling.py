"""A log that fits a recorded history: what the record would hold had it been written beside it."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from activities.contracts import MESSAGE_SENDERS
from audit.reconcile.case import Finding, InboxAnswer, LoggedCase, LoggedEvent
from audit.reconcile.compare import reconcile
from audit.reconcile.history import Reported, Run, Signal, read_run
from tests.support.replay import HISTORIES

RECORDED_AT: Final = datetime(2022, 11, 1, tzinfo=UTC)
NAMES: Final = sorted({path.name.split(".")[0] for path in HISTORIES.glob("*.json")})


def histories(name: str) -> list[dict[str, Any]]:
    """The runs of a golden case, oldest first."""
    return [json.loads(path.read_text()) for path in sorted(HISTORIES.glob(f"{name}.*.json"))]


def runs_of(name: str) -> list[Run]:
    """The same, read. Each is called as the history of the one before it calls it."""
    runs: list[Run] = []
    for history in histories(name):
        started = history["events"][0]["workflowExecutionStartedEventAttributes"]
        run_id = (runs[-1].next_run if runs else None) or started["originalExecutionRunId"]
        runs.append(read_run(run_id, history, "live"))
    return runs


def log_of(runs: list[Run]) -> LoggedCase:
    """The log in which everything stands that these runs tell of, and nothing else."""
    reports = [asked.reported for run in runs for asked in run.asked if asked.reported is not None]
    newest = max(reports, key=lambda each: each.version)
    rows = {number: _row(runs, number, reports) for number in _numbers(runs, reports)}
    return LoggedCase(
        case_id="VEN-7Q4K-M2XS",
        version_before=newest.version,
        closed_before=newest.closed,
        events=_events(reports, rows, newest),
        rows=rows,
    )


def _events(reports: list[Reported], rows: dict[int, InboxAnswer], newest: Reported) -> tuple[LoggedEvent, ...]:
    """At each version the event of the first message that was answered by then; of a limit, where there was none."""
    events: list[LoggedEvent] = []
    for report in reports:
        commands = [rows[number].command_id for number, _, _ in report.answers]
        while len(events) < report.version:
            command = commands[0] if commands else "deadline:evidence:2022-11-19T14:00:00+00:00"
            commands = commands[1:] or commands
            events.append(LoggedEvent(len(events) + 1, "SomethingHappened", command, RECORDED_AT))
    if newest.closed:
        closing = min(report.version for report in reports if report.closed)
        events[closing - 1] = replace(events[closing - 1], type="CaseClosed", outcome=newest.outcome)
    return tuple(events)


def _numbers(runs: list[Run], reports: list[Reported]) -> set[int]:
    notified = {signal.number for run in runs for signal in run.signals if signal.number is not None}
    return notified | {number for report in reports for number, _, _ in report.answers}


def _row(runs: list[Run], number: int, reports: list[Reported]) -> InboxAnswer:
    answers = [(answer, code) for report in reports for n, answer, code in report.answers if n == number]
    signals = [signal for run in runs for signal in run.signals if signal.number == number]
    if signals:
        kind, message_id = signals[0].kind, signals[0].message_id
    else:  # it came as a signal, or an update asked for its answer
        direct = _direct(runs)
        kind, message_id = direct.get(number, ("place.offered", f"m-{number}"))
    return InboxAnswer(MESSAGE_SENDERS[kind][0], message_id, *(answers[0] if answers else (None, None)))


def _direct(runs: list[Run]) -> dict[int, tuple[str, str]]:
    found: dict[int, tuple[str, str]] = {}
    for run in runs:
        for asked in run.asked:
            numbers = [] if asked.reported is None else [number for number, _, _ in asked.reported.answers]
            found.update(zip(numbers, [(each.kind, each.message_id) for each in asked.direct], strict=False))
    return found


def signal(kind: str, **content: Any) -> Signal:
    """One that a member of the staff sent by hand."""
    return Signal(9, kind, "ops-9", None, "staff-1", {"message_id": "ops-9", **content})


def found(
    case: LoggedCase, runs: list[Run], *, now: datetime | None = None, asked_temporal: bool = True
) -> list[Finding]:
    """What `reconcile` finds, a while after the newest run was read."""
    ended = [run.ended_at or run.started_at for run in runs] or [RECORDED_AT]
    return reconcile(case, runs, now or max(ended) + timedelta(hours=1), asked_temporal=asked_temporal)
