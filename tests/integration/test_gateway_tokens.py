"""Who may file, ask and decide: every operation by its roles, officers as themselves alone, refusals on record."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI, Response
from pydantic import SecretStr

from cases.inbound.webhooks import Signer, new_shared_key, sign
from gateway.assembly import open_tokens
from gateway.http.examples import BOARDING_QUESTION, FILING
from gateway.identity.tokens import ROLES
from process.config import ConfigurationError, Settings
from stack.token_issuer import ISSUER, ensure_issuer, issue_token
from tests.support.gateway import NOON, PROGRAMME, Desk, gateway_desk
from tests.support.partner_calls import served
from tests.support.staff import Nobodys

DESK_KEY, BORDER_KEY = new_shared_key(), new_shared_key()
FORGED = "Bearer eyJhbGciOiJFUzI1NiIsImtpZCI6IngiLCJ0eXAiOiJhdCtqd3QifQ.e30.AAAA"


def settings(database_url: str, home: Path, **more: Any) -> Settings:
    file = home / "partners.json"
    file.write_text(json.dumps({"officer": [DESK_KEY], "border": [BORDER_KEY]}))
    file.chmod(0o600)
    return Settings(database_url=SecretStr(database_url), partner_keys=file, **more)


@pytest.fixture
async def desk(database_url: str, tmp_path: Path) -> AsyncIterator[Desk]:
    async with gateway_desk(database_url, tmp_path / "keys", guard=settings(database_url, tmp_path)) as opened:
        yield opened


@pytest.fixture
async def embedded(database_url: str, tmp_path: Path) -> AsyncIterator[Desk]:
    """As `passage up` has it: an issuer, and whoever shows no token is let in all the same."""
    files = ensure_issuer(tmp_path / "token-issuer")
    urls = {"token_issuer": ISSUER, "token_keys_url": files.public_keys.as_uri()}
    guard = settings(
        database_url, tmp_path, embedded_stack=True, unsigned_messages=True, token_signing_key=files.signing_key, **urls
    )
    async with gateway_desk(database_url, tmp_path / "keys", guard=guard) as opened:
        yield opened


async def speak(desk: Desk, message_id: str, body: dict[str, Any], **headers: str) -> httpx2.Response:
    return await desk.send("officer", message_id, body, **headers)


def decision(case_id: str, officer: str = "o-1") -> dict[str, Any]:
    return {"case": case_id, "message": "officer.decided", "officer": officer, "decision": "approve"}


async def said(response: httpx2.Response) -> tuple[int, str]:
    return response.status_code, response.json().get("code")


async def refusals(desk: Desk) -> list[tuple[str, str, str, str]]:
    rows = await desk.database.fetch(
        "SELECT route, code, sender, message_id FROM passage.refusal ORDER BY first_at, code"
    )
    return [tuple(row) for row in rows]


def kept(desk: Desk, message_id: str) -> str:
    return desk.deps.cases.message_id("refused", message_id)


async def ask(desk: Desk, operation: str, case_id: str, headers: dict[str, str]) -> httpx2.Response:
    method, path = operation.split()
    path = path.replace("{case}", case_id).replace("{programme}", PROGRAMME)
    body = {"/v1/applications": dict(FILING), "/v1/boarding-checks": {**BOARDING_QUESTION, "case": case_id}}.get(path)
    return await desk.http.request(method, path, json=body, headers={"Idempotency-Key": "again", **headers})


MAY: dict[str, set[str]] = {
    "POST /v1/applications": {"intake"},
    "GET /v1/cases/{case}": {"intake", "officer", "operator", "auditor"},
    "GET /v1/cases/{case}/events": {"officer", "operator", "auditor"},
    "GET /v1/programmes/{programme}": {"intake", "officer", "operator", "auditor"},
    "POST /v1/boarding-checks": {"partner:carrier"},
}


@pytest.mark.parametrize("operation", MAY)
async def test_each_operation_is_for_its_roles_alone(desk: Desk, operation: str) -> None:
    case_id = await desk.filed_case()
    may = {role for role in ROLES if (await ask(desk, operation, case_id, desk.bearer(role))).is_success}
    assert may == MAY[operation]
    for headers in (desk.bearer(), desk.bearer(*(ROLES - may))):
        refused = await ask(desk, operation, case_id, headers)
        assert await said(refused) == (403, "role-missing")
        assert refused.headers["www-authenticate"] == 'Bearer realm="passage", error="insufficient_scope"'
    missing = await ask(desk, operation, case_id, {})
    assert await said(missing) == (401, "token-missing")
    assert missing.headers["www-authenticate"] == 'Bearer realm="passage"'


async def test_what_is_open_to_everybody_stays_so(desk: Desk) -> None:
    for path in ("/healthz", "/readyz", "/metrics", "/openapi.json", "/docs"):
        assert (await desk.http.get(path)).status_code == 200


async def test_who_files_is_on_record(desk: Desk) -> None:
    await desk.file()
    assert (
        await desk.database.fetchval("SELECT proof FROM passage.inbox") == f"token:{await desk.reference('s-1')}:intake"
    )


@pytest.mark.parametrize("operation", MAY)
async def test_a_token_that_is_not_good_says_why_and_is_on_record(desk: Desk, operation: str) -> None:
    case_id = await desk.filed_case()
    expired = desk.bearer("intake", "auditor", "partner:carrier")
    desk.moments.append(NOON + timedelta(hours=2))
    for headers, code in (
        ({"Authorization": FORGED}, "token-key-unknown"),
        (expired, "token-expired"),
        ({"Authorization": "Basic bzE6cHc="}, "token-malformed"),
        ({"Authorization": "Bearer"}, "token-malformed"),
        ({"Authorization": ""}, "token-malformed"),
    ):
        refused = await ask(desk, operation, case_id, headers)
        assert await said(refused) == (401, code)
        assert 'error="invalid_token"' in refused.headers["www-authenticate"]
    kept = await refusals(desk)
    assert {code for _, code, *_ in kept} == {"token-key-unknown", "token-expired", "token-malformed"}
    assert {sender for *_, sender, _ in kept} == {""}
    metrics = (await desk.http.get("/metrics")).text
    assert 'passage_gateway_refusals_total{code="token-expired",partner=""} 1.0' in metrics
    assert case_id not in str(kept)


async def test_two_tokens_are_none(desk: Desk) -> None:
    case_id = await desk.filed_case()
    twice = [*desk.bearer("auditor").items(), *desk.bearer("auditor").items()]
    assert await said(await desk.http.get(f"/v1/cases/{case_id}", headers=twice)) == (401, "token-malformed")


async def test_who_is_known_is_named_where_they_are_refused(desk: Desk) -> None:
    case_id = await desk.filed_case()
    await ask(desk, "GET /v1/cases/{case}/events", case_id, desk.bearer("intake", subject="portal-2"))
    assert await refusals(desk) == [
        (
            "/v1/cases/{case_id}/events",
            "role-missing",
            f"token:{await desk.reference('portal-2')}",
            kept(desk, "again"),
        )
    ]


async def test_a_stranger_learns_nothing_of_what_there_is(desk: Desk) -> None:
    for path in ("/v1/cases/VEN-1111-1111", "/v1/cases/nonsense", "/v1/programmes/nowhere", "/v1/cases/x/events"):
        assert await said(await desk.http.get(path)) == (401, "token-missing")
    nonsense = await desk.http.post("/v1/applications", content="nonsense")
    assert await said(nonsense) == (401, "token-missing")


class TestOfficers:
    async def test_an_officer_speaks_as_themselves_with_a_token_and_no_key(self, desk: Desk) -> None:
        case_id = await desk.filed_case()
        token = desk.bearer("officer", subject="o-1")
        sent = await speak(desk, "desk-1", decision(case_id), **token)
        assert sent.status_code == 202, sent.text
        proof = await desk.database.fetchval("SELECT proof FROM passage.inbox WHERE source = 'officer'")
        assert proof == f"token:{await desk.reference('o-1')}:officer"
        assert await desk.reference("O-1") == await desk.reference("o-1") != await desk.reference("o-2")
        again = await speak(desk, "desk-1", decision(case_id), **token)
        assert again.json() == sent.json()
        read = await desk.http.get(sent.headers["location"], headers=token)
        assert read.json()["message_id"] == "desk-1"
        another = await desk.http.get(sent.headers["location"], headers=desk.bearer("officer", subject="o-2"))
        assert await said(another) == (404, "unknown-message")  # each officer has a namespace of their own

    @pytest.mark.parametrize("officer", ["o-2", "o-11", "o"])
    async def test_nobody_lends_their_voice(self, desk: Desk, officer: str) -> None:
        case_id = await desk.filed_case()
        for body in (decision(case_id, officer), {"case": case_id, "message": "officer.confirmed", "officer": officer}):
            sent = await speak(desk, "desk-1", body, **desk.bearer("officer", subject="o-1"))
            assert await said(sent) == (403, "officer-differs")
            assert 'error="insufficient_scope"' in sent.headers["www-authenticate"]
        assert await desk.rows() == 1
        assert await refusals(desk) == [
            (
                "/v1/partners/{partner}/messages",
                "officer-differs",
                f"token:{await desk.reference('o-1')}:officer",
                kept(desk, "desk-1"),
            )
        ]

    async def test_a_second_officer_is_another_token(self, desk: Desk) -> None:
        case_id = await desk.filed_case()
        confirmed = {"case": case_id, "message": "officer.confirmed", "officer": "o-2"}
        sent = await speak(desk, "desk-2", confirmed, **desk.bearer("officer", subject="o-2"))
        assert sent.status_code == 202

    async def test_the_key_of_a_desk_makes_nobody_an_officer(self, desk: Desk) -> None:
        case_id = await desk.filed_case()
        raw = json.dumps(decision(case_id)).encode()
        signed = sign([Signer.parse(DESK_KEY)], "desk-1", desk.moments[-1], raw)
        headers = {"content-type": "application/json", **signed}
        place = "/v1/partners/officer/messages"
        assert await said(await desk.http.post(place, content=raw, headers=headers)) == (401, "token-missing")
        both = await desk.http.post(place, content=raw, headers={**headers, **desk.bearer("officer", subject="o-1")})
        assert both.status_code == 202

    async def test_a_signature_beside_a_token_is_held_to(self, desk: Desk) -> None:
        case_id = await desk.filed_case()
        forged = sign([Signer.parse(new_shared_key())], "desk-1", desk.moments[-1], b"{}")
        token = desk.bearer("officer", subject="o-1")
        sent = await desk.http.post(
            "/v1/partners/officer/messages", json=decision(case_id), headers={**forged, **token}
        )
        assert await said(sent) == (401, "signature-wrong")

    async def test_a_role_of_another_kind_is_no_officer(self, desk: Desk) -> None:
        case_id = await desk.filed_case()
        for roles in (["operator", "auditor", "intake"], ["partner:officer"], []):
            sent = await speak(desk, "desk-1", decision(case_id), **desk.bearer(*roles, subject="o-1"))
            assert await said(sent) == (403, "role-missing")

    async def test_a_token_stands_in_for_no_other_partners_signature(self, desk: Desk) -> None:
        case_id = await desk.filed_case()
        crossing = {"case": case_id, "message": "border.irregular_crossing", "country": "PAN",
                    "crossed_at": "2022-10-20T04:00:00-05:00"}  # fmt: skip
        sent = await desk.send("border", "b-1", crossing, **desk.bearer("partner:border"))
        assert await said(sent) == (401, "signature-missing")
        raw = json.dumps(crossing).encode()
        signed = sign([Signer.parse(BORDER_KEY)], "b-1", desk.moments[-1], raw)
        for bearer, status in ((desk.bearer("partner:carrier"), 403), (desk.bearer("partner:border"), 202)):
            headers = {"content-type": "application/json", **signed, **bearer}
            assert (
                await desk.http.post("/v1/partners/border/messages", content=raw, headers=headers)
            ).status_code == status


class TestEmbedded:
    @pytest.mark.parametrize("operation", MAY)
    async def test_without_a_token_everything_may_be_tried_by_hand(self, embedded: Desk, operation: str) -> None:
        case_id = (
            await embedded.http.post("/v1/applications", json=dict(FILING), headers={"Idempotency-Key": "f"})
        ).json()["case_id"]
        assert (await ask(embedded, operation, case_id, {})).is_success
        spoken = await speak(embedded, "desk-1", decision(case_id))
        assert spoken.status_code == 202

    @pytest.mark.parametrize("operation", MAY)
    async def test_a_token_that_is_there_is_tried_all_the_same(self, embedded: Desk, operation: str) -> None:
        case_id = await embedded.filed_case()
        assert await said(await ask(embedded, operation, case_id, {"Authorization": FORGED})) == (
            401,
            "token-key-unknown",
        )
        assert await said(await ask(embedded, operation, case_id, embedded.bearer())) == (403, "role-missing")
        spoken = await speak(embedded, "desk-1", decision(case_id, "o-2"), **embedded.bearer("officer", subject="o-1"))
        assert await said(spoken) == (403, "officer-differs")

    async def test_the_document_says_that_a_stranger_is_let_in(self, embedded: Desk) -> None:
        paths = (await embedded.http.get("/openapi.json")).json()["paths"]
        assert paths["/v1/applications"]["post"]["security"] == [{"token": ["intake"]}, {}]


async def test_the_document_names_the_roles_of_every_operation(desk: Desk) -> None:
    document = (await desk.http.get("/openapi.json")).json()
    assert set(document["components"]["securitySchemes"]) == {"token", "signature"}
    public = {"/v1/log/checkpoint", "/v1/log/tile/{level}/{number}"}  # anybody may hold the log to what it has signed
    for path, methods in document["paths"].items():
        for operation in methods.values():
            security = operation.get("security", [])
            assert bool(security) == (path.startswith("/v1/") and path not in public), path
            assert {} not in security
            named = {role for alternative in security for role in alternative.get("token", ())}
            assert named <= ROLES
            if named:
                problems = operation["responses"]
                assert "token-missing" in problems["401"]["content"]["application/problem+json"]["examples"]
                assert "role-missing" in problems["403"]["content"]["application/problem+json"]["examples"]


async def test_an_issuer_that_is_away_is_told_and_known_keys_go_on_working(database_url: str, tmp_path: Path) -> None:
    files = ensure_issuer(tmp_path / "token-issuer")
    app, status = FastAPI(), [503]
    app.get("/jwks")(lambda: Response(files.public_keys.read_bytes(), status_code=status[-1]))
    async with served(app) as address:
        urls = {"token_issuer": ISSUER, "token_keys_url": f"{address}/jwks", "token_signing_key": files.signing_key}
        guard = settings(database_url, tmp_path, embedded_stack=True, **urls)
        async with gateway_desk(database_url, tmp_path / "keys", guard=guard) as desk:
            away = await desk.file()
            assert await said(away) == (503, "issuer-unavailable")
            assert away.headers["retry-after"] == "10"
            assert (await desk.http.get("/readyz")).status_code == 200  # partners, who sign, are still served
        async with gateway_desk(database_url, tmp_path / "keys", guard=guard) as desk:
            status.append(200)
            assert (await desk.file()).status_code == 202
            status.append(503)
            assert (await desk.file()).status_code == 202


async def test_a_deployment_without_an_issuer_does_not_start(database_url: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="PASSAGE_TOKEN_ISSUER"):
        async with open_tokens(settings(database_url, tmp_path), Nobodys()):
            raise AssertionError


async def test_a_token_of_another_stack_is_another_issuers(embedded: Desk, tmp_path: Path) -> None:
    other = ensure_issuer(tmp_path / "other")
    token = issue_token(other.signing_key, subject="o-1", roles=["auditor"], audience="passage", at=NOON)
    response = await embedded.http.get("/v1/programmes/venezuela-air", headers={"Authorization": f"Bearer {token}"})
    assert await said(response) == (401, "token-key-unknown")
