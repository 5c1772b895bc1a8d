"""Temporal's histories against the log: what does not agree is named, what agrees is never accused."""

import base64
import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from activities.contracts import ADVANCE, OPEN_CASE
from audit.reconcile.case import NOTICES, Finding, Found, InboxAnswer, LoggedCase, LoggedEvent
from audit.reconcile.compare import KEPT_WITHIN, WITHOUT_WORKFLOW
from audit.reconcile.history import APPENDING, HistoryUnreadable, Run, read_run
from relay.histories import safe_event
from tests.support.reconciling import NAMES, RECORDED_AT, found, histories, log_of, runs_of, signal

CLOSED = "denied-by-two-officers"
TWO_RUNS = "five-steps"
BY_DEADLINE = "evidence-deadline"


def case_and_runs(name: str) -> tuple[LoggedCase, list[Run]]:
    runs = runs_of(name)
    return log_of(runs), runs


def codes(findings: list[Finding]) -> list[Found]:
    return [finding.code for finding in findings]


def without(case: LoggedCase, *versions: int) -> LoggedCase:
    return replace(case, events=tuple(event for event in case.events if event.version not in versions))


def test_what_reconcile_knows_of_the_workflow_is_what_the_workflow_knows() -> None:
    assert {*ADVANCE.values(), OPEN_CASE} == APPENDING


@pytest.mark.parametrize("name", NAMES)
def test_a_log_that_fits_is_not_accused(name: str) -> None:
    case, runs = case_and_runs(name)
    assert found(case, runs) == []
    assert found(case, runs, asked_temporal=False) == []


@pytest.mark.parametrize("name", NAMES)
def test_nor_by_what_is_kept_of_a_history(name: str) -> None:
    kept = [
        read_run(run.run_id, {"events": [safe_event(event) for event in history["events"]]}, "kept")
        for run, history in zip(runs_of(name), histories(name), strict=True)
    ]
    assert found(log_of(runs_of(name)), kept, asked_temporal=False) == []


@pytest.mark.parametrize("name", NAMES)
def test_nor_is_a_case_that_went_on_while_it_was_looked_at(name: str) -> None:
    """Each moment of a case: the histories as they were then, the log read before them, and the log at the end."""
    whole, runs = case_and_runs(name)
    *earlier, last = runs
    for upto in range(1, len(histories(name)[-1]["events"]) + 1):
        then = [*earlier, read_run(last.run_id, {"events": histories(name)[-1]["events"][:upto]}, "live")]
        reported = [asked.reported for run in then for asked in run.asked if asked.reported is not None]
        newest = max((each.version for each in reported), default=0)
        before = replace(whole, version_before=newest, closed_before=any(each.closed for each in reported))
        assert found(before, then, now=last.started_at) == [], upto


def test_a_deleted_event_is_named_with_the_command_that_caused_it() -> None:
    case, runs = case_and_runs(CLOSED)
    (finding,) = found(without(case, 3), runs)
    assert (finding.code, finding.version, finding.is_fault) == (Found.COMMAND_WITHOUT_EVENTS, 3, True)
    assert "event 3 is not in the log; sponsor_confirmation" in finding.detail
    assert "message 2 (sponsor_registry:m-2)" in finding.detail


def test_a_log_that_lost_its_tail_is_found_in_one_line() -> None:
    case, runs = case_and_runs(CLOSED)
    cut = replace(without(case, 9, 10, 11, 12), version_before=8, closed_before=False)
    findings = found(cut, runs)
    assert [each.detail[:36] for each in findings if each.code is Found.COMMAND_WITHOUT_EVENTS] == [
        "events 9 to 12 are not in the log; s"
    ]
    assert {Found.OUTCOME_DIFFERS, Found.OPEN_ONLY_IN_LOG} <= set(codes(findings))


def test_an_event_of_a_message_that_nobody_received() -> None:
    case, runs = case_and_runs(CLOSED)
    forged = replace(case.events[4], command_id="officer:m-never")
    findings = found(replace(case, events=(*case.events[:4], forged, *case.events[5:])), runs)
    assert [(each.code, each.version) for each in findings] == [(Found.EVENT_WITHOUT_COMMAND, 5)]
    assert "officer:m-never" in findings[0].detail


@pytest.mark.parametrize(
    ("command", "accused"),
    [
        ("deadline:evidence:2023-01-01T00:00:00+00:00", True),
        ("erase:VEN-7Q4K-M2XS", False),
        ("erase:VEN-2222-2222", True),
    ],
)
def test_an_event_after_the_last_activity(command: str, accused: bool) -> None:
    case, runs = case_and_runs(CLOSED)
    version = len(case.events) + 1
    kind = "PersonalDataErased" if command.startswith("erase") else "ReferralEscalated"
    more = LoggedEvent(version, kind, command, RECORDED_AT)
    findings = found(replace(case, events=(*case.events, more), version_before=version), runs)
    assert codes(findings) == [Found.EVENT_WITHOUT_COMMAND] * accused


def test_an_event_that_came_after_the_histories_were_read_is_not_accused() -> None:
    case, runs = case_and_runs(CLOSED)
    more = LoggedEvent(len(case.events) + 1, "ReferralEscalated", "deadline:referral:2023-01-01", RECORDED_AT)
    assert found(replace(case, events=(*case.events, more)), runs) == []


def test_an_activity_that_never_came_back_may_have_appended() -> None:
    case, runs = case_and_runs(BY_DEADLINE)
    last = runs[-1].asked[-1]
    assert case.events[-1].command_id.startswith("deadline:")
    last.reported, last.given_up = None, True
    assert Found.EVENT_WITHOUT_COMMAND not in codes(found(case, runs))
    del runs[-1].asked[-1]  # where nobody can have, the run that did is missing, and only that is said
    assert codes(found(case, runs)) == [Found.RUN_MISSING]
    still_open = replace(case, closed_before=False, events=tuple(replace(each, type="x") for each in case.events))
    assert [each.version for each in found(still_open, runs) if each.code is Found.EVENT_WITHOUT_COMMAND] == [7, 8]


def test_a_message_that_is_gone_from_the_inbox() -> None:
    case, runs = case_and_runs("asked-and-answered")
    rows = {number: row for number, row in case.rows.items() if number != 3}
    details = [each.detail for each in found(replace(case, rows=rows), runs)]
    assert details == ["message 3 was answered (rejected) and is not in the inbox"]


def test_a_notification_whose_message_is_gone() -> None:
    case, runs = case_and_runs("gave-up-and-went-on")
    rows = {number: replace(row, message_id="m-other") if number == 2 else row for number, row in case.rows.items()}
    findings = [each for each in found(replace(case, rows=rows), runs) if each.code is Found.INBOX_ROW_MISSING]
    assert [each.detail for each in findings] == ["sponsor.confirmed named message 2 (m-2), which is not in the inbox"]


def test_an_answer_that_was_changed_afterwards() -> None:
    case, runs = case_and_runs("asked-and-answered")
    rows = case.rows | {3: replace(case.rows[3], answer="accepted", code=None)}
    (finding,) = found(replace(case, rows=rows), runs)
    assert (finding.code, finding.detail) == (
        Found.ANSWER_DIFFERS,
        "message 3: Temporal was told rejected (not-now), the inbox says accepted",
    )


def test_a_direct_signal_whose_row_is_missing() -> None:
    case, runs = case_and_runs(CLOSED)
    sent = signal("vetting.referred", flags=["name-match"])
    taken_up = next(asked for asked in runs[-1].asked if asked.reported is not None)
    taken_up.direct = (sent,)
    findings = [each for each in found(case, runs) if "signalled directly" in each.detail]
    assert [(each.code, each.detail) for each in findings] == [
        (
            Found.INBOX_ROW_MISSING,
            f"vetting.referred was signalled directly as vetting:{case.case_id}:ops-9, which is not in the inbox",
        )
    ]
    assert taken_up.reported is not None
    taken_up.reported = replace(taken_up.reported, refused=(("vetting.referred", "ops-9"),))
    assert not [each for each in found(case, runs) if "signalled directly" in each.detail]


def test_a_direct_signal_that_was_lost_with_a_terminated_run() -> None:
    case, runs = case_and_runs("much-at-once")
    (run,) = runs
    run.signals.append(signal("application.withdrawn"))
    assert found(case, runs) == []  # it runs, and may still take it
    run.ended, run.ended_at = "terminated", run.started_at
    taken_up = replace(run, run_id="another", started_at=run.started_at + timedelta(hours=1), ended=None, ended_at=None)
    assert [each.code for each in found(case, [run])][:1] == [Found.INBOX_ROW_MISSING]
    assert found(case, [run, taken_up]) == []


def test_a_run_that_is_gone_is_named() -> None:
    case, runs = case_and_runs(TWO_RUNS)
    finding, other = found(case, runs[:1])
    assert (finding.code, finding.is_fault, other.code) == (Found.RUN_MISSING, True, Found.OPEN_ONLY_IN_LOG)
    assert str(runs[0].next_run) in finding.detail
    assert found(case, runs[1:]) == []  # Temporal forgets the older first, and nothing was kept yet


def test_a_closed_case_whose_last_run_was_deleted() -> None:
    case, runs = case_and_runs(CLOSED)
    (run,) = runs
    run.asked, run.ended, run.ended_at = run.asked[:3], "terminated", run.started_at
    assert codes(found(case, runs)) == [Found.RUN_MISSING]
    assert found(case, runs, asked_temporal=False, now=RECORDED_AT) == []  # it may not be kept yet
    assert codes(found(case, runs, asked_temporal=False, now=RECORDED_AT + 2 * KEPT_WITHIN)) == [Found.RUN_MISSING]


def test_no_history_at_all_is_said_and_is_no_fault() -> None:
    case, _ = case_and_runs(CLOSED)
    (finding,) = found(case, [])
    assert (finding.code, finding.is_fault) == (Found.NO_HISTORY, False)


def test_another_outcome_than_temporal_was_told() -> None:
    case, runs = case_and_runs(CLOSED)
    closing = replace(case.events[-1], outcome="withdrawn")
    (finding,) = found(replace(case, events=(*case.events[:-1], closing)), runs)
    assert finding.code is Found.OUTCOME_DIFFERS
    assert "had it closed (denied), the log has it closed (withdrawn)" in finding.detail


def test_a_case_that_the_log_closed_behind_the_back_of_its_workflow() -> None:
    case, runs = case_and_runs("much-at-once")
    version = len(case.events) + 1
    row = InboxAnswer("applicant", "m-99", "accepted", None)
    closing = LoggedEvent(version, "CaseClosed", row.command_id, RECORDED_AT, "withdrawn")
    closed = replace(
        case, events=(*case.events, closing), rows=case.rows | {99: row}, version_before=version, closed_before=True
    )
    assert codes(found(closed, runs)) == [Found.OPEN_ONLY_IN_TEMPORAL]
    runs[0].task_open = True  # it is just being told
    assert found(closed, runs) == []


def test_an_open_case_that_nobody_runs() -> None:
    case, runs = case_and_runs("much-at-once")
    (run,) = runs
    run.ended, run.ended_at = "terminated", run.started_at
    assert found(case, runs, now=run.started_at + WITHOUT_WORKFLOW / 2) == []  # the sweep has not come by yet
    assert codes(found(case, runs, now=run.started_at + WITHOUT_WORKFLOW * 2)) == [Found.OPEN_ONLY_IN_LOG]


def reset(history: dict[str, Any], keep: int, base_run: str, new_run: str) -> dict[str, Any]:
    """What a server makes of a reset: the beginning of the base run, a task that failed, and on."""
    failed = {
        "eventId": str(keep + 1),
        "eventTime": "2026-11-25T08:00:00Z",
        "eventType": "EVENT_TYPE_WORKFLOW_TASK_FAILED",
        "workflowTaskFailedEventAttributes": {
            "cause": "WORKFLOW_TASK_FAILED_CAUSE_RESET_WORKFLOW", "baseRunId": base_run, "newRunId": new_run
        },
    }  # fmt: skip
    return {"events": [*history["events"][:keep], failed]}


def test_a_reset_names_the_fork_and_is_no_fault() -> None:
    case, runs = case_and_runs(CLOSED)
    forked = read_run("run-b", reset(histories(CLOSED)[0], 11, runs[0].run_id, "run-b"), "live")
    assert forked.started_at > runs[0].started_at
    forked.ended, forked.ended_at = "completed", forked.started_at
    (finding,) = found(case, [forked, *runs])
    assert (finding.code, finding.is_fault) == (Found.FORK_AFTER_RESET, False)
    assert finding.detail == (
        f"run run-b was reset from run {runs[0].run_id} at event 11, which had gone on to version 12; "
        "the log keeps both ways"
    )


@pytest.mark.parametrize("broken", [{}, {"events": []}, {"events": [{"eventType": "x"}]}, {"events": "x"}])
def test_what_is_no_history_is_said_to_be_none(broken: dict[str, Any]) -> None:
    with pytest.raises(HistoryUnreadable, match="run run-1"):
        read_run("run-1", broken, "live")


def test_a_step_with_a_huge_version_is_one_line() -> None:
    history = histories(CLOSED)[0]
    step = base64.b64encode(json.dumps({"version": 10**12, "closed": True, "outcome": "denied"}).encode()).decode()
    for event in history["events"]:
        for result in event.get("activityTaskCompletedEventAttributes", {}).get("result", {}).get("payloads", ()):
            result["data"] = step
    runs = [read_run("run-1", history, "live")]
    case, _ = case_and_runs(CLOSED)
    missing = [each for each in found(case, runs) if each.code is Found.COMMAND_WITHOUT_EVENTS]
    assert [each.version for each in missing] == [len(case.events) + 1]


def test_every_finding_is_one_line_and_one_object() -> None:
    for code in Found:
        finding = Finding(code, "VEN-7Q4K-M2XS", "detail", 3)
        assert finding.line == f"{code}  VEN-7Q4K-M2XS:3  detail"
        assert finding.as_dict()["fault"] is (code not in NOTICES)
