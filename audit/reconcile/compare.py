"""`audit reconcile`, the comparison: what Temporal remembers of a case against what the log says.

Pure: histories and rows come in, findings go out. The log is the record; a history is a second witness, written at the
same time by another system. What the log held before a history was read must be explained by it, and what the history
holds must be in the log read after it; so a case that moves meanwhile is not accused.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final

from audit.reconcile.case import Finding, Found, LoggedCase
from audit.reconcile.history import Asked, Reported, Run
from audit.reconcile.signals import expected_in_inbox, lost_signals, refused_signals

WITHOUT_WORKFLOW: Final = timedelta(minutes=2)
"""An open case without a running workflow gets one within half a minute; a healthy stack never leaves one this long."""
KEPT_WITHIN: Final = timedelta(days=1)
"""A history is kept some seconds after its run has ended; of a case that closed this long ago every run is."""


def reconcile(case: LoggedCase, runs: Sequence[Run], now: datetime, *, asked_temporal: bool = True) -> list[Finding]:
    """Everything in which the log and these runs, all that are known of the case, do not agree.

    `now` is the moment at which the newest run was read. Where nobody `asked_temporal`, runs are only those that are
    kept, and Temporal may have others.
    """
    ordered = sorted(runs, key=lambda run: run.started_at)
    if not ordered:
        return [Finding(Found.NO_HISTORY, case.case_id, "neither Temporal nor the log has a history to compare with")]
    settled = asked_temporal or _closed_long_ago(case, now)
    missing = list(_missing_runs(case, ordered)) if settled else []
    return [
        *_forks(case, ordered),
        *missing,
        *_commands_without_events(case, ordered),
        *_events_without_command(case, ordered, all_known=settled and not missing),
        *_messages(case, ordered),
        *_standing(case, ordered, now),
    ]


def _closed_long_ago(case: LoggedCase, now: datetime) -> bool:
    return case.closing is not None and now - case.closing.recorded_at > KEPT_WITHIN


def _reports(runs: Iterable[Run]) -> Iterator[tuple[Run, Asked, Reported]]:
    for run in runs:
        for asked in run.asked:
            if asked.reported is not None:
                yield run, asked, asked.reported


def _forks(case: LoggedCase, runs: Sequence[Run]) -> Iterator[Finding]:
    by_id = {run.run_id: run for run in runs}
    for run in runs:
        if run.fork is None:
            continue
        base = by_id.get(run.fork.base_run)
        detail = f"{run.name} was reset from run {run.fork.base_run} at event {run.fork.at_event}"
        reported = [] if base is None else [each.version for _, _, each in _reports([base])]
        if reported:
            detail += f", which had gone on to version {max(reported)}; the log keeps both ways"
        yield Finding(Found.FORK_AFTER_RESET, case.case_id, detail)


def _missing_runs(case: LoggedCase, runs: Sequence[Run]) -> Iterator[Finding]:
    known = {run.run_id for run in runs}
    for run in runs:
        if run.next_run is not None and run.next_run not in known:
            detail = f"{run.name} went on as run {run.next_run}, which Temporal has no more and nobody kept"
            yield Finding(Found.RUN_MISSING, case.case_id, detail)
    if _closing_run_missing(case, runs):
        detail = "no run that is known saw the case close: its history was deleted, or lost with Temporal"
        yield Finding(Found.RUN_MISSING, case.case_id, detail)


def _saw_it_close(case: LoggedCase, *runs: Run) -> bool:
    """Whether one of the runs saw it close for the last time."""
    closed_at = 0 if case.closing is None else case.closing.version
    return any(reported.closed and reported.version >= closed_at for _, _, reported in _reports(runs))


def _closing_run_missing(case: LoggedCase, runs: Sequence[Run]) -> bool:
    may_have = any(asked.reported is None for run in runs for asked in run.asked) or runs[-1].ended is None
    return case.closed_before and not _saw_it_close(case, *runs) and not may_have


def _commands_without_events(case: LoggedCase, runs: Sequence[Run]) -> Iterator[Finding]:
    """What an activity reported as appended, and the log does not have; each gap once, by whoever told of it first."""
    reports = sorted(_reports(runs), key=lambda each: each[2].version)
    for first, last in _gaps([event.version for event in case.events], reports[-1][2].version if reports else 0):
        run, asked, reported = next(each for each in reports if each[2].version >= first)
        which = f"event {first} is" if first == last else f"events {first} to {last} are"
        messages = ", ".join(f"{number} ({_name(case, number)})" for number, _, _ in reported.answers)
        detail = f"{which} not in the log; {asked.name} (event {asked.at_event} of {run.name}) had it at version "
        detail += f"{reported.version}" + (f", having answered message {messages}" if messages else "")
        yield Finding(Found.COMMAND_WITHOUT_EVENTS, case.case_id, detail, first)


def _name(case: LoggedCase, number: int) -> str:
    row = case.rows.get(number)
    return "not in the inbox" if row is None else row.command_id


def _gaps(versions: Sequence[int], last: int) -> Iterator[tuple[int, int]]:
    """The ranges of 1 to `last` that are not among `versions`."""
    expected = 1
    for version in [*sorted(version for version in versions if version <= last), last + 1]:
        if version > expected:
            yield expected, version - 1
        expected = max(expected, version + 1)


def _events_without_command(case: LoggedCase, runs: Sequence[Run], *, all_known: bool) -> Iterator[Finding]:
    messages = {row.command_id for row in case.rows.values()}
    messages |= {
        command for run in runs for signal in run.signals for command in expected_in_inbox(case.case_id, signal)
    }
    spans = list(_spans(runs))
    for event in case.events:
        if event.version > case.version_before or event.command_id in messages:
            continue
        if event.type == "PersonalDataErased" and event.command_id == f"erase:{case.case_id}":
            continue  # an order of two officers, which never passes Temporal
        if event.command_id.startswith("deadline:"):
            if not all_known or any(
                low < event.version and (high is None or event.version <= high) for low, high in spans
            ):
                continue
            detail = f"{event.type} of {event.command_id}: no activity that is known can have appended it"
        else:
            detail = f"{event.type} of {event.command_id}, which stands in no history and in no row of the inbox"
        yield Finding(Found.EVENT_WITHOUT_COMMAND, case.case_id, detail, event.version)


def _spans(runs: Sequence[Run]) -> Iterator[tuple[int, int | None]]:
    """Of each activity, the versions it can have appended: above what had been reported, up to what it reported."""
    reports = [(asked.reported_at, reported.version) for _, asked, reported in _reports(runs)]
    for run in runs:
        for asked in run.asked:
            before = (version for at, version in reports if at is not None and at <= asked.asked_at)
            yield max(before, default=0), None if asked.reported is None else asked.reported.version


def _messages(case: LoggedCase, runs: Sequence[Run]) -> Iterator[Finding]:
    """Rows that a history knows of and that are gone, or were answered otherwise. Each once, in however many runs."""
    told: set[str] = set()
    for detail, code in (*_answers(case, runs), *_notifications(case, runs), *_direct(case, runs)):
        if detail not in told:
            told.add(detail)
            yield Finding(code, case.case_id, detail)


def _answers(case: LoggedCase, runs: Sequence[Run]) -> Iterator[tuple[str, Found]]:
    for _, _, reported in _reports(runs):
        for number, answer, code in reported.answers:
            row = case.rows.get(number)
            if row is None:
                yield f"message {number} was answered ({answer}) and is not in the inbox", Found.INBOX_ROW_MISSING
            elif answer is not None and (row.answer, row.code) != (answer, code):
                told, kept = (_answer(*each) for each in ((answer, code), (row.answer, row.code)))
                yield f"message {number}: Temporal was told {told}, the inbox says {kept}", Found.ANSWER_DIFFERS


def _answer(answer: str | None, code: str | None) -> str:
    return f"{answer or 'nothing'}" + (f" ({code})" if code else "")


def _notifications(case: LoggedCase, runs: Sequence[Run]) -> Iterator[tuple[str, Found]]:
    for run in runs:
        for signal in run.signals:
            # A number that was not given by one of our own programs may be anybody's guess.
            if signal.number is None or not signal.identity.startswith("passage-"):
                continue
            row = case.rows.get(signal.number)
            if row is None or row.message_id != signal.message_id:
                detail = f"{signal.kind} named message {signal.number} ({signal.message_id}), which is not in the inbox"
                yield detail, Found.INBOX_ROW_MISSING


def _direct(case: LoggedCase, runs: Sequence[Run]) -> Iterator[tuple[str, Found]]:
    known = {row.command_id for row in case.rows.values()} | {":".join(each) for each in case.elsewhere}
    handed_over = [
        signal for run in runs for asked in run.asked if asked.reported is not None for signal in asked.direct
    ]
    refused = refused_signals(runs)
    for signal in (*handed_over, *lost_signals(runs)):
        if (signal.kind, signal.message_id) in refused:
            continue
        for command in expected_in_inbox(case.case_id, signal):
            if command not in known:
                detail = f"{signal.kind} was signalled directly as {command}, which is not in the inbox"
                yield detail, Found.INBOX_ROW_MISSING


def _standing(case: LoggedCase, runs: Sequence[Run], now: datetime) -> Iterator[Finding]:
    closing, newest = case.closing, runs[-1]
    for run, asked, reported in _reports(runs):
        logged = case.closing_at(reported.version)
        told = (reported.closed, reported.outcome)
        if told != (logged is not None, logged.outcome if logged else None):
            said = f"closed ({reported.outcome})" if reported.closed else "open"
            has = f"closed ({logged.outcome})" if logged else "open"
            detail = f"{asked.name} (event {asked.at_event} of {run.name}) had it {said}, the log has it {has}"
            yield Finding(Found.OUTCOME_DIFFERS, case.case_id, detail, reported.version)
    if case.closed_before and newest.quiet and not _saw_it_close(case, newest):
        yield Finding(Found.OPEN_ONLY_IN_TEMPORAL, case.case_id, f"{newest.name} waits; the log has it closed")
    if newest.source == "live" and newest.ended_at is not None and closing is None and case.version_before > 0:
        done = newest.ended == "completed"  # a run does that when its case is closed
        if done or now - newest.ended_at > WITHOUT_WORKFLOW:
            detail = f"{newest.name} ended ({newest.ended}) and none runs; the log has it open"
            yield Finding(Found.OPEN_ONLY_IN_LOG, case.case_id, detail)
