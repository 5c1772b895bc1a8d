"""Whatever can be read shows nothing personal, or only to somebody who is on record with a reason."""

import gzip
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from audit.access import Auditor
from audit.export.case import Export, export_case
from audit.log.log_key import make_log_key
from audit.log.sealer import opened_sealer
from audit.replay.case import as_json
from audit.replay.html import page
from audit.replay.text import lines
from audit.whatif.verdict import Question
from cli.audit.replay import replayed
from cli.audit.whatif import asked
from cli.audit.whatif import lines as lines_of_report
from cli.case.history import show_history
from cli.case.view import show_case
from cli.reach import Reached
from domain import registry
from domain.access import PersonalDataViewed, access_stream
from domain.kernel.proof import Proof
from process.config import Settings
from tests.support import canary
from tests.support.gateway import PROGRAMME, Desk, gateway_desk
from tests.support.sealed_log import ORIGIN

SOMEBODY = Auditor(Proof("operator", "a-3", "auditor"), "complaint")


@pytest.fixture
async def desk(database_url: str, tmp_path: Path) -> AsyncIterator[Desk]:
    async with gateway_desk(database_url, tmp_path / "keys") as opened:
        yield opened


@pytest.fixture
def settings(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("TEMPORAL_ADDRESS", "127.0.0.1:1")
    return Settings(data_dir=tmp_path, keys_dir=tmp_path / "keys", database_url=database_url)


@pytest.fixture
async def case_id(desk: Desk) -> str:
    """A case of somebody with a word of their own for every detail, their documents included."""
    filing = {"programme": PROGRAMME, "application": canary.on_the_wire(canary.application(1))}
    filed: str = (await desk.file(body=filing)).json()["case_id"]
    await desk.take_all(filed)
    replaced = {"case": filed, "message": "sponsor.not_confirmed", "why": "Pwhyquark"}
    assert (await desk.send("sponsor_registry", "m-1", replaced)).status_code == 202
    await desk.take_all(filed)
    return filed


async def views(desk: Desk) -> int:
    events = (await desk.store.load(access_stream(PROGRAMME))).events
    return sum(isinstance(each.event, PersonalDataViewed) for each in events)


async def test_no_address_of_the_gateway_shows_anything_personal(
    desk: Desk, database_url: str, tmp_path: Path, case_id: str
) -> None:
    async with opened_sealer(database_url, tmp_path / "keys", ORIGIN) as sealer:
        await sealer.seal()
        await sealer.sign()
    document: dict[str, Any] = (await desk.http.get("/openapi.json")).json()
    values = {"case_id": case_id, "partner": "sponsor_registry", "message_id": "m-1", "programme": PROGRAMME}
    values |= {"level": "0", "number": "000.p/1"}
    read = 0
    for template, methods in document["paths"].items():
        if "get" in methods and "sha256" not in template:
            response = await desk.http.get(template.format(**values))
            assert response.status_code == 200, template
            assert canary.found_in(response.content) == set(), template
            read += 1
    assert read >= 5
    assert await views(desk) == 0


async def test_no_command_shows_anything_personal_unasked(
    desk: Desk, settings: Settings, case_id: str, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    stack = Reached(settings, desk.backing)
    for json_wanted in (False, True):
        await show_case(stack, case_id, json=json_wanted)
        await show_history(stack, case_id, json=json_wanted)
    found = await replayed(settings, case_id, None, None)
    question = Question(rules=registry.programme("venezuela-air").sets["2022-10-12"])
    told = [capsys.readouterr().out, *lines(found, "en"), page(found, "es"), json.dumps(as_json(found), default=str)]
    told += lines_of_report(await asked(settings, question))
    assert canary.found_in("\n".join(told).encode()) == set()
    assert await views(desk) == 0


async def test_an_auditor_with_a_reason_sees_it_and_is_on_record(desk: Desk, settings: Settings, case_id: str) -> None:
    found = await replayed(settings, case_id, None, SOMEBODY)
    assert canary.found_in("\n".join(lines(found, "en")).encode()) >= {"Xaviqueña", "QX773194", "ZZDOC551"}
    assert await views(desk) == 1


@pytest.mark.parametrize("personal", [False, True])
async def test_an_export_shows_it_only_where_that_is_on_record(
    desk: Desk, database_url: str, tmp_path: Path, case_id: str, personal: bool
) -> None:
    make_log_key(tmp_path / "keys", ORIGIN)
    wanted = Export(case_id=case_id, auditor=SOMEBODY, personal=personal)
    done = await export_case(database_url, tmp_path / "keys", wanted, desk.moments[-1])
    found = canary.found_in(gzip.decompress(done.archive))
    assert found >= {"Xaviqueña", "ZZDOC551"} if personal else found == set()
    assert await views(desk) == int(personal)
