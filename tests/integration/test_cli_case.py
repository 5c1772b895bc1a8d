"""`passage case` and `passage programme` over a real database; Temporal is away, as it may be when they are needed."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cli.case.history import show_history
from cli.case.restart import restart_case
from cli.case.view import show_case
from cli.errors import FaultFoundError, UnusableError
from cli.governing import open_programme, rules_named, sets_of, show_programme, show_programmes, tell
from cli.reach import Reached, TemporalAway
from domain.kernel.messages import CapChange, ProgrammeSuspension
from process.config import Settings
from tests.support.gateway import PROGRAMME, Desk, gateway_desk

SECRETS = ("Rojas", "151234567", "Gómez", "713-555", "Main St")
NOBODY = "VEN-7Q4K-M2XS"


@pytest.fixture
async def desk(database_url: str, tmp_path: Path) -> AsyncIterator[Desk]:
    async with gateway_desk(database_url, tmp_path / "keys") as opened:
        yield opened


@pytest.fixture
def stack(desk: Desk, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Reached:
    monkeypatch.setenv("TEMPORAL_ADDRESS", "127.0.0.1:1")
    settings = Settings(
        data_dir=tmp_path, temporal_ui_url="http://127.0.0.1:8233", embedded_stack=True, unsigned_messages=True
    )
    return Reached(settings, desk.backing)


async def test_a_case_on_show_says_where_it_stands_and_nothing_personal(
    desk: Desk, stack: Reached, capsys: pytest.CaptureFixture[str]
) -> None:
    case_id = await desk.filed_case()
    await desk.take_all(case_id)
    await desk.send("applicant", "m-1", {"case": case_id, "message": "application.withdrawn"})
    await show_case(stack, case_id, json=False)
    shown = capsys.readouterr().out
    for line in (
        "Waiting on   sponsor",
        "Owed         a call to sponsor_registry: 0 attempts so far",
        "Undecided    application.withdrawn from applicant",
        "Workflow     unknown",
        f"Temporal UI  http://127.0.0.1:8233/namespaces/default/workflows/{case_id}",
    ):
        assert line in shown
    assert not any(secret in shown for secret in SECRETS)


async def test_a_case_on_show_as_json_is_one_line(
    desk: Desk, stack: Reached, capsys: pytest.CaptureFixture[str]
) -> None:
    case_id = await desk.filed_case()
    capsys.readouterr()
    await show_case(stack, case_id, json=True)
    before = json.loads(capsys.readouterr().out)
    assert (before["case_id"], before["stage"], before["undecided"][0]["message"]) == (
        case_id,
        None,
        "application.submitted",
    )
    await desk.take_all(case_id)
    await show_case(stack, case_id, json=True)
    after = json.loads(capsys.readouterr().out)
    assert (after["stage"], after["waiting_on"], after["undecided"]) == ("sponsor_confirmation", "sponsor", [])
    assert [call["partner"] for call in after["calls"]] == ["sponsor_registry"]


async def test_the_history_tells_every_rule_in_words_and_why_one_failed(
    desk: Desk, stack: Reached, capsys: pytest.CaptureFixture[str]
) -> None:
    case_id = await desk.filed_case(nationalities=["VEN", "ESP"])
    await desk.take_all(case_id)
    await show_history(stack, case_id, json=False)
    shown = capsys.readouterr().out
    assert "passed    nationality: national" in shown
    assert "FAILED    sole-nationality: status elsewhere" in shown
    assert "Source: 87 FR 63507" in shown
    assert "outcome ineligible, reason sole-nationality" in shown
    assert not any(secret in shown for secret in SECRETS)


async def test_the_history_as_json_is_one_object_an_event(
    desk: Desk, stack: Reached, capsys: pytest.CaptureFixture[str]
) -> None:
    case_id = await desk.filed_case()
    await desk.take_all(case_id)
    capsys.readouterr()
    await show_history(stack, case_id, json=True)
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [event["type"] for event in events] == ["ApplicationFiled", "SponsorConfirmationRequested"]
    assert [event["version"] for event in events] == [1, 2]
    assert events[1]["basis"]["results"][0]["rule"] == "nationality"
    assert "application" not in events[0]["facts"]


async def test_a_case_that_nobody_filed_is_named(stack: Reached) -> None:
    for work in (show_case(stack, NOBODY, json=False), show_history(stack, NOBODY, json=False),
                 restart_case(stack, NOBODY, replace=False)):  # fmt: skip
        with pytest.raises(UnusableError, match=f"no case {NOBODY}"):
            await work


async def test_a_closed_case_needs_no_workflow_and_an_open_one_needs_temporal(
    desk: Desk, stack: Reached, capsys: pytest.CaptureFixture[str]
) -> None:
    closed = await desk.filed_case("closed", nationalities=["COL"])
    await desk.take_all(closed)
    await restart_case(stack, closed, replace=False)
    assert "is closed (ineligible)" in capsys.readouterr().out
    opened = await desk.filed_case("open")
    with pytest.raises(TemporalAway):
        await restart_case(stack, opened, replace=False)


async def test_the_programme_takes_what_the_governments_say(stack: Reached, capsys: pytest.CaptureFixture[str]) -> None:
    await tell(stack, PROGRAMME, CapChange(places=7))
    await tell(stack, PROGRAMME, ProgrammeSuspension())
    await show_programme(stack, PROGRAMME, json=True)
    shown = json.loads(capsys.readouterr().out)
    assert (shown["status"], shown["authorized"], shown["pools"]) == (
        "suspended", 0, [{"pool": PROGRAMME, "places": 7, "period": "total", "taken": 0}],
    )  # fmt: skip
    with pytest.raises(FaultFoundError, match=r"already-suspended.*it is suspended already"):
        await tell(stack, PROGRAMME, ProgrammeSuspension())


async def test_while_temporal_is_away_the_relay_is_left_to_name_the_inbox(
    desk: Desk, stack: Reached, capsys: pytest.CaptureFixture[str]
) -> None:
    case_id = await desk.authorized_case()
    capsys.readouterr()
    await tell(stack, PROGRAMME, ProgrammeSuspension())
    assert "the relay will notify the cases concerned (1)" in capsys.readouterr().err
    assert await stack.inbox.has_undecided(case_id, {"programme.changed"})
    assert case_id in {row.case_id for row in await stack.inbox.claim_notifications(100)}


async def test_a_programme_must_be_open(stack: Reached) -> None:
    with pytest.raises(UnusableError, match="cuba-air is not open"):
        await tell(stack, "cuba-air", ProgrammeSuspension())
    with pytest.raises(UnusableError, match="cuba-air is not open"):
        await show_programme(stack, "cuba-air", json=False)


async def test_there_must_be_such_a_programme(stack: Reached) -> None:
    with pytest.raises(UnusableError, match=r"no programme chile-air \(there are cuba-air, haiti-air,"):
        await show_programme(stack, "chile-air", json=False)


async def test_programmes_are_opened_once_and_all_are_shown(stack: Reached, capsys: pytest.CaptureFixture[str]) -> None:
    rules = rules_named("2023-01-06", sets_of("cuba-air"))
    await open_programme(stack, rules, 7)
    with pytest.raises(FaultFoundError, match="cuba-air is open already"):
        await open_programme(stack, rules, None)

    await show_programmes(stack, json=True)
    shown = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [each["programme"] for each in shown] == ["cuba-air", PROGRAMME]
    assert shown[0]["pools"] == [{"pool": "chnv", "places": 7, "period": "month", "taken": 0}]
    await show_programmes(stack, json=False)
    assert "Not open   haiti-air, nicaragua-air" in capsys.readouterr().out
