"""`passage audit replay` over a real database: who sees what is personal is on record before they see it."""

import json
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from audit.access import Auditor
from audit.replay.case import as_json
from audit.replay.html import page
from audit.replay.text import lines
from audit.replay.words import ASKED
from cli.audit.replay import reason_of, replayed, until_of
from cli.errors import UnusableError
from domain.access import ACCESS_EVENTS, AccessEvent, PersonalDataViewed, access_stream
from domain.kernel.proof import Proof
from process.config import Settings
from relay.maintenance import record_checks
from tests.support.gateway import NOON, PROGRAMME, Desk, gateway_desk

EMAIL = "luis@example.org"


@pytest.fixture
async def desk(database_url: str, tmp_path: Path) -> AsyncIterator[Desk]:
    async with gateway_desk(database_url, tmp_path / "keys") as opened:
        yield opened


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path, keys_dir=tmp_path / "keys", database_url=database_url)


async def test_what_is_personal_is_shown_to_somebody_with_a_reason_who_is_on_record(
    desk: Desk, settings: Settings
) -> None:
    case_id = await desk.authorized_case()
    hidden = await replayed(settings, case_id, None, None)
    assert hidden.personal == "withheld"
    assert (await desk.store.load(access_stream(PROGRAMME))).version == 0
    shown = await replayed(settings, case_id, 2, Auditor(Proof("operator", "a-3", "auditor"), "complaint"))
    assert EMAIL in json.dumps(shown.entries[0].details)
    (viewed,) = (await desk.store.load(access_stream(PROGRAMME))).events
    assert viewed.actor == "auditor:a-3"
    assert isinstance(viewed.event, PersonalDataViewed)
    assert (viewed.event.case, viewed.event.because, viewed.event.case_version) == (case_id, "complaint", 2)


async def test_nothing_is_shown_where_it_cannot_be_put_on_record(
    desk: Desk, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    case_id = await desk.authorized_case()

    async def away(*_: object) -> None:
        raise ConnectionError

    monkeypatch.setattr("cli.audit.replay.record_view", away)
    with pytest.raises(ConnectionError):
        await replayed(settings, case_id, None, Auditor(Proof("operator", "a-3", "auditor"), "complaint"))


async def test_a_case_that_nobody_filed_is_said_so(settings: Settings) -> None:
    with pytest.raises(UnusableError, match="no such case"):
        await replayed(settings, "VEN-7Q4K-M2XS", None, None)


def test_a_reason_is_a_code_and_tells_nothing() -> None:
    assert reason_of("complaint") == "complaint"
    with pytest.raises(UnusableError):
        reason_of("He asked me")


def test_a_moment_needs_its_zone() -> None:
    assert until_of("7") == 7
    moment = until_of("2022-11-01T00:00Z")
    assert moment is not None
    for wrong in ("2022-11-01T00:00", "yesterday"):
        with pytest.raises(UnusableError):
            until_of(wrong)


async def test_it_tells_who_asked_about_the_case_and_about_no_other(desk: Desk, settings: Settings) -> None:
    case_id, other = await desk.authorized_case(), await desk.authorized_case("filing-2", surnames="Otra")
    desk.moments.append(NOON + timedelta(hours=1))
    for asked in (other, case_id, case_id):
        await desk.board(asked)
    await record_checks(desk.store.access)
    await replayed(settings, case_id, None, Auditor(Proof("operator", "a-3", "auditor"), "complaint"))
    found = await replayed(settings, case_id, None, None)
    assert [(each.type, each.actor) for each in found.asked] == [
        ("BoardingChecked", "carrier"),
        ("BoardingChecked", "carrier"),
        ("PersonalDataViewed", "auditor:a-3"),
    ]
    assert (await replayed(settings, case_id, NOON + timedelta(minutes=30), None)).asked == ()
    told, html = "\n".join(lines(found, "en")), page(found, "es")
    assert "A carrier asked about boarding and was answered: ok." in told
    assert "Se vieron los datos personales: complaint." in html
    assert next(each["says"] for each in as_json(found)["asked"]) == {"answer": "ok"}
    assert found.state == (await replayed(settings, case_id, None, None)).state


@pytest.mark.parametrize("event", ACCESS_EVENTS, ids=lambda event: event.__name__)
def test_every_access_event_is_told_in_both_languages(event: type[AccessEvent]) -> None:
    words = ASKED[event.__name__]
    for sentence in words:
        assert set(re.findall(r"\{(\w+)\}", sentence)) <= event.model_fields.keys()
