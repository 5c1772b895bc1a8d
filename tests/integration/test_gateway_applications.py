"""Filing, and where a case then stands, as a supporter and the public meet them."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from domain.kernel.ids import CaseId
from gateway.routes import applications
from tests.support.gateway import PROGRAMME, Desk, a_filing, gateway_desk


@pytest.fixture
async def desk(database_url: str, tmp_path: Path) -> AsyncIterator[Desk]:
    async with gateway_desk(database_url, tmp_path / "keys") as opened:
        yield opened


async def test_an_application_gets_a_case_and_an_address_where_it_stands(desk: Desk) -> None:
    filed = await desk.file()
    assert filed.status_code == 202
    assert filed.json()["status_url"] == filed.headers["Location"] == f"/v1/cases/{filed.json()['case_id']}"
    shown = await desk.http.get(filed.headers["Location"])
    assert shown.status_code == 200
    assert shown.json()["stage"] == "sponsor_confirmation"
    assert shown.json()["since"] == "2022-10-20T12:00:00Z"


async def test_the_same_key_and_body_give_the_same_case_also_at_the_same_time(desk: Desk) -> None:
    filed = await asyncio.gather(*(desk.file() for _ in range(5)))
    assert {response.status_code for response in filed} == {202}
    assert len({response.json()["case_id"] for response in filed}) == 1
    assert await desk.rows() == 1


async def test_the_same_key_with_another_body_is_refused(desk: Desk) -> None:
    await desk.file()
    other = await desk.file(body=a_filing(given_names="Ana"))
    assert (other.status_code, other.json()["code"]) == (409, "message-content-differs")
    assert await desk.rows() == 1


async def test_another_key_is_another_filing_and_the_case_judges_it(desk: Desk) -> None:
    first, second = await desk.filed_case("filing-1"), await desk.filed_case("filing-2")
    await desk.take_all(first)
    await desk.take_all(second)
    shown = (await desk.http.get(f"/v1/cases/{second}")).json()
    assert (shown["stage"], shown["outcome"], shown["reason"]) == ("closed", "duplicate", "one-active-case")


async def test_a_key_is_required(desk: Desk) -> None:
    filed = await desk.http.post("/v1/applications", json=a_filing())
    assert filed.status_code == 422
    assert filed.json()["faults"][0]["at"] == "header Idempotency-Key"


@pytest.mark.parametrize(
    ("programme", "problem"), [("cuba-air", (409, "programme-not-open")), ("chile-air", (404, "unknown-programme"))]
)
async def test_a_programme_takes_no_application_before_it_is_open(
    desk: Desk, programme: str, problem: tuple[int, str]
) -> None:
    filed = await desk.file(body={**a_filing(), "programme": programme})
    assert (filed.status_code, filed.json()["code"]) == problem
    assert await desk.rows() == 0


async def test_an_id_that_is_taken_is_drawn_again(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    judged = await desk.filed_case("filing-1")
    await desk.take_all(judged)
    taken = await desk.filed_case("filing-2", given_names="Eva")
    draws = iter([taken, judged, "VEN-1111-1111"])

    def draw(_prefix: str, _entropy: bytes) -> CaseId:
        return next(draws)

    monkeypatch.setattr(applications, "case_id_from_entropy", draw)
    assert await desk.filed_case("filing-3", given_names="Rosa") == "VEN-1111-1111"


async def test_an_authorized_case_shows_its_last_moment_and_what_is_due(desk: Desk) -> None:
    case_id = await desk.authorized_case()
    shown = (await desk.http.get(f"/v1/cases/{case_id}")).json()
    assert (shown["stage"], shown["waiting_on"]) == ("travel_authorization", "arrival")
    assert shown["authorized_until"] == "2023-01-19T05:00:00Z"
    assert shown["due"] == {"name": "authorization", "at": "2023-01-19T05:00:00Z"}
    programme = (await desk.http.get(f"/v1/programmes/{PROGRAMME}")).json()
    assert (programme["status"], programme["authorized"], programme["waiting"]) == ("open", 1, 0)
    assert programme["pools"] == [{"pool": PROGRAMME, "period": "total", "places": 24000, "taken": 1}]


async def test_a_paroled_case_shows_the_last_day_of_parole(desk: Desk) -> None:
    case_id = await desk.authorized_case()
    body = {"case": case_id, "message": "arrival.paroled", "port": "MIA", "until": "2024-11-19"}
    await desk.send("border", "m-1", body)
    await desk.take_all(case_id)
    shown = (await desk.http.get(f"/v1/cases/{case_id}")).json()
    assert (shown["stage"], shown["paroled_until"]) == ("work_permit_eligibility", "2024-11-19")


async def test_events_tell_the_story_without_anything_personal(desk: Desk) -> None:
    case_id = await desk.authorized_case()
    told = (await desk.http.get(f"/v1/cases/{case_id}/events")).json()
    types = [event["type"] for event in told["events"]]
    assert types[0] == "ApplicationFiled"
    assert types[-1] == "TravelAuthorized"
    filed = told["events"][0]
    assert filed["event_id"] == f"{case_id}:1"
    assert filed["actor"] == "supporter"
    assert filed["facts"]["programme"] == PROGRAMME
    assert "application" not in filed["facts"]
    assert "Pérez" not in str(told)


async def test_events_are_read_in_pages(desk: Desk) -> None:
    case_id = await desk.authorized_case()
    whole = (await desk.http.get(f"/v1/cases/{case_id}/events")).json()
    read: list[dict[str, Any]] = []
    after: int | None = 0
    while after is not None:
        page = (await desk.http.get(f"/v1/cases/{case_id}/events", params={"after": after, "limit": 3})).json()
        read, after = read + page["events"], page["next_after"]
    assert read == whole["events"]


async def test_a_case_that_nobody_filed_is_not_there(desk: Desk) -> None:
    for path in ("/v1/cases/VEN-1111-1111", "/v1/cases/VEN-1111-1111/events"):
        response = await desk.http.get(path)
        assert (response.status_code, response.json()["code"]) == (404, "unknown-case")


async def test_a_mistyped_case_id_is_told_apart_from_an_unknown_one(desk: Desk) -> None:
    response = await desk.http.get("/v1/cases/VEN-1111-1112")
    assert response.status_code == 422
    assert "check character" in response.json()["faults"][0]["detail"]


async def test_an_unknown_programme_is_not_there(desk: Desk) -> None:
    response = await desk.http.get("/v1/programmes/cuba-air")
    assert (response.status_code, response.json()["code"]) == (404, "unknown-programme")
