"""`passage partners list` over a real database: who answers, who does not, and what is owed or overdue."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from activities.partners.circuit import TERMS
from cli.partners import show_partners
from process.config import Settings
from tests.support.gateway import Desk, gateway_desk


@pytest.fixture
async def desk(database_url: str, tmp_path: Path) -> AsyncIterator[Desk]:
    async with gateway_desk(database_url, tmp_path / "keys") as opened:
        yield opened


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path, database_url=SecretStr(database_url))


async def listed(settings: Settings, capsys: pytest.CaptureFixture[str]) -> dict[str, dict[str, Any]]:
    capsys.readouterr()  # what the desk logged before
    await show_partners(settings, json=True)
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return {each.pop("partner"): each for each in found}


async def test_partners_that_answer_and_are_owed_nothing(
    desk: Desk, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    await desk.rows()
    found = await listed(settings, capsys)
    assert list(found) == ["sponsor_registry", "entry_records", "vetting", "work_permit_office"]
    assert {(each["state"], each["owed"], each["overdue"]) for each in found.values()} == {("answers", 0, 0)}


async def test_a_dead_partner_is_paused_and_what_it_is_owed_is_counted(
    desk: Desk, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    case_id = await desk.filed_case()
    await desk.take_all(case_id)
    circuits = desk.store.circuits(TERMS)
    await circuits.note_failed("entry_records", probe=False)
    for _ in range(TERMS.failures_max):
        await circuits.note_failed("sponsor_registry", probe=False)

    found = await listed(settings, capsys)

    registry = found["sponsor_registry"]
    assert (registry["state"], registry["failures"], registry["owed"]) == ("paused", TERMS.failures_max, 1)
    assert registry["paused_until"] > registry["failing_since"]
    assert found["entry_records"]["state"] == "failing"
    await show_partners(settings, json=False)
    heads, line, *_ = capsys.readouterr().out.splitlines()
    assert heads.split()[:2] == ["PARTNER", "STATE"]
    assert line.split()[:2] == ["sponsor_registry", "paused"]


async def test_answers_that_did_not_come_are_counted(
    desk: Desk, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    for number, age in enumerate(("0 days", "7 days")):
        case_id = await desk.filed_case(f"filing-{number}", given_names=f"Ana {number}", passport=_passport(number))
        await desk.take_all(case_id)
        await desk.database.execute(
            "UPDATE passage.outbound_call SET accepted_at = now() - $2::text::interval WHERE case_id = $1", case_id, age
        )

    registry = (await listed(settings, capsys))["sponsor_registry"]

    assert (registry["owed"], registry["unanswered"], registry["overdue"], registry["asked_in_vain"]) == (0, 2, 1, 0)


def _passport(number: int) -> dict[str, str]:
    return {"number": f"V{number}", "issuing_country": "VEN", "issued_on": "2021-03-01", "expires_on": "2026-03-01"}
