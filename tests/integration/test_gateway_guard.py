"""The gateway as its process guards it: refusals on record, partners within their scope, and at their pace."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import httpx2
import pytest
from pydantic import SecretStr

from cases.inbound.webhooks import Signer, new_shared_key, sign
from eventstore.conflicts import StoreUnavailable
from eventstore.operations import Refusal
from eventstore.postgres.operations import PostgresGuard
from gateway.http.limits import Limits
from gateway.http.problems import Problem
from gateway.http.refusals import IDS_A_MINUTE, Refusals
from process.config import Settings
from tests.support.gateway import NOON, PROGRAMME, Desk, a_filing, gateway_desk

KEYS = {name: new_shared_key() for name in ("sponsor_registry", "vetting", "applicant", "border", "governments")}
CANARY = "Canaria-Quetzal"


def settings(database_url: str, home: Path, **more: Any) -> Settings:
    file = home / "partners.json"
    file.write_text(json.dumps({name: [key] for name, key in KEYS.items()}))
    file.chmod(0o600)
    return Settings(database_url=SecretStr(database_url), partner_keys=file, **more)


@pytest.fixture
async def desk(database_url: str, tmp_path: Path) -> AsyncIterator[Desk]:
    async with gateway_desk(database_url, tmp_path / "keys", guard=settings(database_url, tmp_path)) as opened:
        yield opened


async def send(desk: Desk, partner: str, body: Any, message_id: str = "m-1", key: str | None = None) -> httpx2.Response:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = sign([Signer.parse(key or KEYS[partner])], message_id, desk.moments[-1], raw)
    return await desk.http.post(
        f"/v1/partners/{partner}/messages", content=raw, headers={"content-type": "application/json", **headers}
    )


async def refusals(desk: Desk) -> list[tuple[str, str, str, str, int]]:
    rows = await desk.database.fetch(
        "SELECT partner, code, sender, message_id, times FROM passage.refusal ORDER BY first_at, code"
    )
    return [tuple(row) for row in rows]


def kept(desk: Desk, message_id: str) -> str:
    """What the record has of the id of a refused message."""
    return desk.deps.cases.message_id("refused", message_id)


class TestRecord:
    async def test_a_forged_a_stale_and_an_altered_message_change_nothing_and_are_on_record(self, desk: Desk) -> None:
        case_id = await desk.filed_case()
        body = {"case": case_id, "message": "application.withdrawn"}
        assert (await send(desk, "applicant", body, "forged", key=new_shared_key())).status_code == 401
        desk.moments.append(NOON - timedelta(hours=1))
        headers = sign([Signer.parse(KEYS["applicant"])], "stale", NOON, json.dumps(body).encode())
        desk.moments.append(NOON)
        desk.moments.append(NOON + timedelta(seconds=400))
        stale = {"content-type": "application/json", **headers}
        place = "/v1/partners/applicant/messages"
        assert (await desk.http.post(place, content=json.dumps(body), headers=stale)).status_code == 401
        fresh = sign([Signer.parse(KEYS["applicant"])], "altered", desk.moments[-1], json.dumps(body).encode())
        altered = {"content-type": "application/json", **fresh}
        assert (await desk.http.post(place, content=json.dumps(body) + "\n", headers=altered)).status_code == 401
        assert await desk.rows() == 1
        assert await refusals(desk) == [
            ("applicant", "signature-wrong", "", kept(desk, "forged"), 1),
            ("applicant", "signature-stale", "", kept(desk, "stale"), 1),
            ("applicant", "signature-wrong", "", kept(desk, "altered"), 1),
        ]
        assert (
            'passage_gateway_refusals_total{code="signature-wrong",partner="applicant"} 2.0'
            in (await desk.http.get("/metrics")).text
        )

    async def test_who_is_known_is_named_and_nothing_of_the_body_is_kept(self, desk: Desk) -> None:
        case_id = await desk.filed_case()
        body = {"case": case_id, "message": "application.withdrawn"}
        await send(desk, "border", body)
        await send(desk, "vetting", {"case": case_id, "message": "vetting.hit", "kind": 7, CANARY: CANARY})
        await send(desk, "vetting", f'{{"{CANARY}'.encode())
        fingerprint = {name: f"key:{name}:{desk.deps.senders.keys[name][0].fingerprint}" for name in KEYS}
        assert await refusals(desk) == [
            ("border", "wrong-partner", fingerprint["border"], kept(desk, "m-1"), 1),
            ("vetting", "malformed", fingerprint["vetting"], kept(desk, "m-1"), 1),
            ("vetting", "not-json", fingerprint["vetting"], kept(desk, "m-1"), 1),
        ]
        assert CANARY not in str(await desk.database.fetch("SELECT * FROM passage.refusal"))

    async def test_an_id_that_is_not_well_formed_and_a_partner_that_is_none_are_not_kept(self, desk: Desk) -> None:
        json_body = {"content-type": "application/json"}
        await desk.http.post(f"/v1/partners/{CANARY}/messages", content="{}", headers={**json_body, "webhook-id": "a"})
        await desk.http.post(
            "/v1/partners/vetting/messages",
            content="{}",
            headers={**json_body, "webhook-id": f"{CANARY} P"},
        )
        await desk.file(f"{CANARY} x", a_filing())
        assert await refusals(desk) == [
            ("", "malformed", "", kept(desk, "a"), 1),
            ("vetting", "malformed", "", "", 1),
            ("", "malformed", f"token:{await desk.reference('s-1')}", "", 1),
        ]

    async def test_what_cannot_be_recorded_is_not_answered_as_refused(
        self, desk: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def away(*_: object) -> None:
            raise StoreUnavailable("away")

        monkeypatch.setattr(Refusals, "_write", away)
        response = await send(desk, "applicant", {}, key=new_shared_key())
        assert (response.status_code, response.json()["code"]) == (503, "unavailable")

    async def test_a_flood_is_counted_whole_and_kept_small(self, desk: Desk) -> None:
        record = desk.deps.record_refusal
        many = 3 * IDS_A_MINUTE
        await asyncio.gather(
            *(
                record(
                    Refusal(partner="vetting", route="r", code="signature-wrong", sender="", message_id=f"m-{number}")
                )
                for number in range(many)
            )
        )
        rows = await refusals(desk)
        assert sum(times for *_, times in rows) == many
        assert len(rows) <= IDS_A_MINUTE + 2  # a minute may end meanwhile

    async def test_the_record_can_be_changed_by_nobody_who_writes_it(self, desk: Desk, database_url: str) -> None:
        await send(desk, "applicant", {}, key=new_shared_key())
        connection = await asyncpg.connect(database_url, server_settings={"role": "passage_writer"})
        for statement in ("DELETE FROM passage.refusal", "UPDATE passage.refusal SET code = ''"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(statement)
        await connection.close()


class TestScopes:
    async def test_a_partner_answers_about_cases_that_it_was_asked_about_alone(self, desk: Desk) -> None:
        case_id = await desk.filed_case()
        await desk.take_all(case_id)
        cleared = {"case": case_id, "message": "vetting.cleared"}
        early = await send(desk, "vetting", cleared)
        assert (early.status_code, early.json()["code"]) == (404, "unknown-case")
        confirmed = await send(desk, "sponsor_registry", {"case": case_id, "message": "sponsor.confirmed"})
        assert confirmed.status_code == 202, confirmed.text
        assert [(partner, code) for partner, code, *_ in await refusals(desk)] == [("vetting", "case-not-asked")]
        assert await desk.rows() == 2

    async def test_a_late_answer_is_still_about_a_case_it_was_asked_about(self, desk: Desk) -> None:
        case_id = await desk.filed_case()
        await desk.take_all(case_id)
        await send(desk, "applicant", {"case": case_id, "message": "application.withdrawn"})
        await desk.take_all(case_id)
        late = await send(desk, "sponsor_registry", {"case": case_id, "message": "sponsor.confirmed"})
        assert late.status_code == 202

    async def test_a_case_that_there_is_not_is_unknown_to_everybody(self, desk: Desk) -> None:
        sent = await send(desk, "vetting", {"case": "VEN-1111-1111", "message": "vetting.cleared"})
        assert (sent.status_code, sent.json()["code"]) == (404, "unknown-case")

    async def test_who_speaks_unasked_speaks_about_any_case(self, desk: Desk) -> None:
        case_id = await desk.filed_case()
        crossing = {"message": "border.irregular_crossing", "country": "PAN", "crossed_at": "2022-10-20T04:00:00-05:00"}
        assert (await send(desk, "border", {"case": case_id, **crossing})).status_code == 202
        cap = {"programme": PROGRAMME, "message": "programme.cap", "places": 5}
        assert (await send(desk, "governments", cap)).status_code == 202


class TestPace:
    async def test_a_sender_too_fast_is_told_when_to_go_on_and_others_are_not(
        self, database_url: str, tmp_path: Path
    ) -> None:
        guard = settings(database_url, tmp_path, sender_rate_per_s=0.2, sender_burst=3)
        async with gateway_desk(database_url, tmp_path / "keys", guard=guard) as desk:
            case_id = await desk.filed_case()
            body = {"case": case_id, "message": "application.withdrawn"}
            sent = [await send(desk, "applicant", body, f"m-{number}") for number in range(6)]
            assert [each.status_code for each in sent] == [202, 202, 202, 429, 429, 429]
            assert sent[-1].json()["code"] == "too-many-messages"
            assert 1 <= int(sent[-1].headers["retry-after"]) <= 5
            assert await desk.rows() == 4
            assert (await send(desk, "border", {"case": case_id})).status_code == 422

    async def test_who_is_not_known_uses_up_nobodys_pace(self, database_url: str, tmp_path: Path) -> None:
        guard = settings(database_url, tmp_path, sender_rate_per_s=0.2, sender_burst=2)
        async with gateway_desk(database_url, tmp_path / "keys", guard=guard) as desk:
            case_id = await desk.filed_case()
            body = {"case": case_id, "message": "application.withdrawn"}
            for number in range(5):
                await send(desk, "applicant", body, f"m-{number}", key=new_shared_key())
            assert (await send(desk, "applicant", body)).status_code == 202

    async def test_the_pace_holds_across_gateways(self, database_url: str) -> None:
        async with asyncpg.create_pool(database_url, min_size=0, max_size=4) as pool:
            gateways = [Limits(PostgresGuard(pool), rate_per_s=10, burst=100) for _ in range(3)]
            begun = asyncio.get_running_loop().time()
            passed = sum([await admitted(gateways[number % 3]) for number in range(400)])
            seconds = asyncio.get_running_loop().time() - begun
        assert 60 <= passed <= 100 + 10 * seconds + 1  # what one holds and does not use is lost to the others

    async def test_there_is_room_again_after_the_time_that_was_told(self, database_url: str) -> None:
        async with asyncpg.create_pool(database_url, min_size=0, max_size=4) as pool:
            limits = Limits(PostgresGuard(pool), rate_per_s=2, burst=1)
            assert await admitted(limits)
            assert not await admitted(limits)
            await asyncio.sleep(1)
            assert await admitted(limits)


async def admitted(limits: Limits) -> bool:
    try:
        await limits("vetting")
    except Problem as problem:
        return problem.code != "too-many-messages"
    return True


async def test_a_message_that_came_again_is_counted(desk: Desk) -> None:
    case_id = await desk.filed_case()
    for _ in range(3):
        await send(desk, "applicant", {"case": case_id, "message": "application.withdrawn"})
    assert await desk.database.fetchval("SELECT times FROM passage.repeat ") == 2
