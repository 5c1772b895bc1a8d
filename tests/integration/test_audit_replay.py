"""`passage audit replay` over a real database: who sees what is personal is on record before they see it."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from audit.access import Auditor
from cli.audit_replay import auditor_of, replayed, until_of
from cli.errors import UnusableError
from cli.reach import Reached
from config import Settings
from domain.access import PersonalDataViewed, access_stream
from tests.support.gateway import PROGRAMME, Desk, gateway_desk

EMAIL = "luis@example.org"


@pytest.fixture
async def desk(database_url: str, tmp_path: Path) -> AsyncIterator[Desk]:
    async with gateway_desk(database_url, tmp_path / "keys") as opened:
        yield opened


@pytest.fixture
def stack(desk: Desk, database_url: str, tmp_path: Path) -> Reached:
    return Reached(Settings(data_dir=tmp_path, keys_dir=tmp_path / "keys", database_url=database_url), desk.deps)


async def test_what_is_personal_is_shown_to_somebody_with_a_reason_who_is_on_record(desk: Desk, stack: Reached) -> None:
    case_id = await desk.authorized_case()
    hidden = await replayed(stack, case_id, None, None)
    assert hidden.personal == "withheld"
    assert (await desk.store.load(access_stream(PROGRAMME))).version == 0
    shown = await replayed(stack, case_id, 2, Auditor("a-3", "complaint"))
    assert EMAIL in json.dumps(shown.entries[0].details)
    (viewed,) = (await desk.store.load(access_stream(PROGRAMME))).events
    assert viewed.actor == "auditor:a-3"
    assert isinstance(viewed.event, PersonalDataViewed)
    assert (viewed.event.case, viewed.event.because, viewed.event.case_version) == (case_id, "complaint", 2)


async def test_nothing_is_shown_where_it_cannot_be_put_on_record(
    desk: Desk, stack: Reached, monkeypatch: pytest.MonkeyPatch
) -> None:
    case_id = await desk.authorized_case()

    async def away(*_: object) -> None:
        raise ConnectionError

    monkeypatch.setattr("cli.audit_replay.record_view", away)
    with pytest.raises(ConnectionError):
        await replayed(stack, case_id, None, Auditor("a-3", "complaint"))


async def test_a_case_that_nobody_filed_is_said_so(stack: Reached) -> None:
    with pytest.raises(UnusableError, match="no such case"):
        await replayed(stack, "VEN-7Q4K-M2XS", None, None)


def test_who_and_why_go_together_and_are_no_names() -> None:
    assert auditor_of(None, None) is None
    for actor, reason in (("a-3", None), (None, "complaint"), ("Ana Rojas", "complaint"), ("a-3", "He asked me")):
        with pytest.raises(UnusableError):
            auditor_of(actor, reason)


def test_a_moment_needs_its_zone() -> None:
    assert until_of("7") == 7
    moment = until_of("2022-11-01T00:00Z")
    assert moment is not None
    for wrong in ("2022-11-01T00:00", "yesterday"):
        with pytest.raises(UnusableError):
            until_of(wrong)
