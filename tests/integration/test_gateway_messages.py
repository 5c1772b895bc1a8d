"""Partners' messages as a partner meets them: over HTTP, on a real Postgres."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.gateway import NOON, PROGRAMME, Desk, gateway_desk

NOBODY = "VEN-1111-1111"


@pytest.fixture
async def desk(database_url: str, tmp_path: Path) -> AsyncIterator[Desk]:
    async with gateway_desk(database_url, tmp_path / "keys") as opened:
        yield opened


async def test_a_message_is_safe_before_it_is_answered_and_its_answer_can_be_read_later(desk: Desk) -> None:
    case_id = await desk.filed_case()
    sent = await desk.send("applicant", "m-1", {"case": case_id, "message": "application.withdrawn"})
    assert sent.status_code == 202
    assert sent.json() == {
        "message_id": "m-1",
        "number": 2,
        "received_at": "2022-10-20T12:00:00Z",
        "answer": None,
        "code": None,
    }
    await desk.take_all(case_id)
    read = await desk.http.get(sent.headers["Location"])
    assert (read.status_code, read.json()["answer"]) == (200, "accepted")


async def test_what_counts_is_when_it_came_in_by_the_domains_clock(desk: Desk) -> None:
    case_id = await desk.filed_case()
    later = NOON.replace(hour=15)
    desk.moments.append(later)
    sent = await desk.send("applicant", "m-1", {"case": case_id, "message": "application.withdrawn"})
    assert sent.json()["received_at"] == "2022-10-20T15:00:00Z"


async def test_an_early_message_is_taken_and_its_case_says_no(desk: Desk) -> None:
    case_id = await desk.filed_case()
    sent = await desk.send("vetting", "m-1", {"case": case_id, "message": "vetting.cleared"})
    assert sent.status_code == 202
    await desk.take_all(case_id)
    read = await desk.http.get("/v1/partners/vetting/messages/m-1")
    assert (read.json()["answer"], read.json()["code"]) == ("rejected", "no-open-request")


async def test_the_same_message_again_gets_the_first_answer_and_changes_nothing(desk: Desk) -> None:
    case_id = await desk.filed_case()
    body = {"case": case_id, "message": "application.withdrawn"}
    first = await desk.send("applicant", "m-1", body)
    await desk.take_all(case_id)
    before = await desk.rows()
    again = await desk.send("applicant", "m-1", dict(reversed(body.items())))
    assert again.json() == {**first.json(), "answer": "accepted"}
    assert await desk.rows() == before


async def test_ten_deliveries_at_once_are_one_message(desk: Desk) -> None:
    case_id = await desk.filed_case()
    body = {"case": case_id, "message": "application.withdrawn"}
    sent = await asyncio.gather(*(desk.send("applicant", "m-1", body) for _ in range(10)))
    assert {response.status_code for response in sent} == {202}
    assert {response.json()["number"] for response in sent} == {2}
    assert await desk.rows() == 2


async def test_the_same_id_with_another_body_is_refused_and_the_first_stands(desk: Desk) -> None:
    case_id = await desk.filed_case()
    await desk.send("vetting", "m-1", {"case": case_id, "message": "vetting.hit", "kind": "name"})
    other = await desk.send("vetting", "m-1", {"case": case_id, "message": "vetting.hit", "kind": "date"})
    assert (other.status_code, other.json()["code"]) == (409, "message-content-differs")
    assert await desk.rows() == 2


async def test_two_partners_may_use_the_same_id(desk: Desk) -> None:
    case_id = await desk.filed_case()
    await desk.send("applicant", "m-1", {"case": case_id, "message": "application.withdrawn"})
    sent = await desk.send("supporter", "m-1", {"case": case_id, "message": "application.withdrawn"})
    assert (sent.status_code, sent.json()["number"]) == (202, 3)


async def test_a_partner_may_not_say_what_another_knows(desk: Desk) -> None:
    case_id = await desk.filed_case()
    sent = await desk.send("carrier", "m-1", {"case": case_id, "message": "vetting.cleared"})
    assert (sent.status_code, sent.json()["code"]) == (403, "wrong-partner")
    assert "vetting.cleared comes from vetting" in sent.json()["detail"]
    assert await desk.rows() == 1


async def test_nobody_speaks_for_passage_itself(desk: Desk) -> None:
    case_id = await desk.filed_case()
    assert (await desk.send("passage", "m-1", {"case": case_id, "message": "place.offered"})).status_code == 422
    assert (await desk.send("officer", "m-1", {"case": case_id, "message": "place.offered"})).status_code == 422
    assert await desk.rows() == 1


async def test_a_message_about_a_case_that_nobody_filed_is_refused(desk: Desk) -> None:
    sent = await desk.send("applicant", "m-1", {"case": NOBODY, "message": "application.withdrawn"})
    assert (sent.status_code, sent.json()["code"]) == (404, "unknown-case")


async def test_a_message_nobody_sent_has_no_answer(desk: Desk) -> None:
    read = await desk.http.get("/v1/partners/vetting/messages/m-1")
    assert (read.status_code, read.json()["code"]) == (404, "unknown-message")


async def test_a_message_needs_an_id(desk: Desk) -> None:
    sent = await desk.http.post("/v1/partners/vetting/messages", json={})
    assert sent.status_code == 422
    assert sent.json()["faults"][0]["at"] == "header webhook-id"


class TestWaiting:
    async def test_a_sender_may_wait_for_the_answer(self, desk: Desk) -> None:
        case_id = await desk.filed_case()
        body = {"case": case_id, "message": "application.withdrawn"}
        sending = asyncio.create_task(desk.send("applicant", "m-1", body, Prefer="wait=10"))
        await asyncio.sleep(0.1)
        assert not sending.done()
        await desk.take_all(case_id)
        assert (await asyncio.wait_for(sending, 2)).json()["answer"] == "accepted"

    async def test_patience_ends_and_the_message_is_safe_all_the_same(self, desk: Desk) -> None:
        case_id = await desk.filed_case()
        sent = await desk.send(
            "applicant", "m-1", {"case": case_id, "message": "application.withdrawn"}, Prefer="respond-async, wait=1"
        )
        assert (sent.status_code, sent.json()["answer"]) == (202, None)
        assert await desk.rows() == 2

    async def test_the_answer_can_be_waited_for_when_it_is_read(self, desk: Desk) -> None:
        case_id = await desk.filed_case()
        await desk.send("applicant", "m-1", {"case": case_id, "message": "application.withdrawn"})
        reading = asyncio.create_task(desk.http.get("/v1/partners/applicant/messages/m-1", headers={"Prefer": "wait"}))
        await asyncio.sleep(0.1)
        await desk.take_all(case_id)
        assert (await asyncio.wait_for(reading, 2)).json()["answer"] == "accepted"


class TestGovernments:
    async def test_the_programme_answers_at_once(self, desk: Desk) -> None:
        body = {"programme": PROGRAMME, "message": "programme.cap", "places": 5}
        sent = await desk.send("governments", "g-1", body)
        assert (sent.status_code, sent.json()["answer"]) == (202, "accepted")
        shown = await desk.http.get(f"/v1/programmes/{PROGRAMME}")
        assert [pool["places"] for pool in shown.json()["pools"]] == [5]
        assert (await desk.send("governments", "g-1", body)).json() == sent.json()

    async def test_what_it_cannot_take_is_rejected_with_a_code(self, desk: Desk) -> None:
        sent = await desk.send("governments", "g-1", {"programme": PROGRAMME, "message": "programme.resumed"})
        assert (sent.json()["answer"], sent.json()["code"]) == ("rejected", "not-suspended")

    async def test_only_governments_speak_to_it_and_only_where_it_exists(self, desk: Desk) -> None:
        body = {"programme": PROGRAMME, "message": "programme.suspended"}
        assert (await desk.send("border", "g-1", body)).status_code == 403
        nowhere = await desk.send("governments", "g-1", {**body, "programme": "cuba-air"})
        assert (nowhere.status_code, nowhere.json()["code"]) == (404, "unknown-programme")

    async def test_a_suspension_leaves_notifications_for_the_cases_it_concerns(self, desk: Desk) -> None:
        case_id = await desk.authorized_case()
        await desk.send("governments", "g-1", {"programme": PROGRAMME, "message": "programme.suspended"})
        unnotified = await desk.deps.inbox.claim_notifications(10)
        assert [(notification.case_id, notification.kind) for notification in unnotified] == [
            (case_id, "programme.changed")
        ]
