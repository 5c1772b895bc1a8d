"""Documents: what an applicant shows is kept once, under the case's key, shown to nobody unseen, and erased."""

import hashlib
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import httpx2
import pytest

from cases.erasure import ErasureOrder, erase
from domain.access import PersonalDataViewed, access_stream
from domain.kernel.proof import claimed
from eventstore.documents import DOCUMENT_MAX_BYTES, DOCUMENTS_MAX
from eventstore.keys import DirectoryKeyStore
from eventstore.postgres.store import PostgresStore
from gateway.identity.callers import Needs
from gateway.identity.tokens import Caller
from gateway.routes import documents as module
from tests.support.gateway import NOON, PROGRAMME, Desk, gateway_desk

NOBODY = "VEN-1111-1111"
CANARY = b"%PDF-1.7 Xaviquena QX773194"


@pytest.fixture
async def desk(database_url: str, tmp_path: Path) -> AsyncIterator[Desk]:
    async with gateway_desk(database_url, tmp_path / "keys") as opened:
        yield opened


def address(case_id: str, content: bytes = CANARY) -> str:
    return f"/v1/cases/{case_id}/documents/{hashlib.sha256(content).hexdigest()}"


async def put(desk: Desk, case_id: str, content: bytes = CANARY, kind: str = "application/pdf") -> httpx2.Response:
    return await desk.http.put(address(case_id, content), content=content, headers={"content-type": kind})


async def read(desk: Desk, case_id: str, content: bytes = CANARY, because: str = "referral") -> httpx2.Response:
    return await desk.http.get(address(case_id, content), params={"because": because})


def code(response: httpx2.Response) -> tuple[int, Any]:
    return response.status_code, response.json().get("code")


async def views(desk: Desk) -> list[tuple[str, str, int]]:
    events = (await desk.store.load(access_stream(PROGRAMME))).events
    return [
        (each.actor, each.event.because, each.event.case_version)
        for each in events
        if isinstance(each.event, PersonalDataViewed)
    ]


async def test_a_document_is_put_once_and_read_by_somebody_who_is_on_record(desk: Desk) -> None:
    case_id = await desk.filed_case()
    first, again = await put(desk, case_id), await put(desk, case_id)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert first.json()["size_bytes"] == len(CANARY)
    assert await desk.database.fetchval("SELECT count(*) FROM passage.document") == 1
    unjudged = await read(desk, case_id)
    assert (unjudged.content, unjudged.headers["content-type"]) == (CANARY, "application/pdf")
    assert unjudged.headers["cache-control"] == "no-store"
    await desk.take_all(case_id)
    desk.app.dependency_overrides[module.VIEWS] = lambda: Caller("o-17", frozenset({"officer"}), "o-17")
    assert (await read(desk, case_id, because="complaint")).content == CANARY
    assert await views(desk) == [("officer", "referral", 0), ("officer:o-17", "complaint", 2)]


async def test_a_case_tells_which_documents_it_has_and_nothing_of_what_they_hold(desk: Desk) -> None:
    case_id, other = await desk.filed_case(), await desk.filed_case("filing-2", surnames="Otra")
    await put(desk, case_id)
    desk.moments.append(NOON + timedelta(days=1))
    await put(desk, case_id, b"\xff\xd8\xff picture", "image/jpeg")
    listed = await desk.http.get(f"/v1/cases/{case_id}/documents")
    assert listed.json()["documents"] == [
        {
            "sha256": hashlib.sha256(content).hexdigest(),
            "media_type": kind,
            "size_bytes": len(content),
            "received_at": at,
            "sender": "none:applicant",
        }
        for content, kind, at in (
            (CANARY, "application/pdf", "2022-10-20T12:00:00Z"),
            (b"\xff\xd8\xff picture", "image/jpeg", "2022-10-21T12:00:00Z"),
        )
    ]
    assert (await desk.http.get(f"/v1/cases/{other}/documents")).json() == {"documents": []}
    assert code(await desk.http.get(f"/v1/cases/{NOBODY}/documents")) == (404, "unknown-case")
    assert await views(desk) == []


async def test_it_is_kept_encrypted_and_without_a_hash_that_tells_what_it_was(desk: Desk) -> None:
    case_id = await desk.filed_case()
    await put(desk, case_id)
    row = await desk.database.fetchrow("SELECT * FROM passage.document")
    assert row is not None
    assert b"Xaviquena" not in row["content"]
    assert hashlib.sha256(CANARY).digest() not in bytes(row["digest"]) + bytes(row["content"])


async def test_a_document_moved_to_another_case_does_not_open(desk: Desk) -> None:
    case_id, other = await desk.filed_case(), await desk.filed_case("filing-2", surnames="Otra")
    await put(desk, case_id)
    await put(desk, other)
    await desk.database.execute("ALTER TABLE passage.document DISABLE TRIGGER ALL")
    await desk.database.execute(
        "UPDATE passage.document SET content = (SELECT content FROM passage.document WHERE case_id = $1)", case_id
    )
    assert (await read(desk, case_id)).status_code == 200
    assert (await read(desk, other)).status_code == 500


@pytest.mark.parametrize(
    ("content", "kind", "refused"),
    [
        (CANARY, "text/html", (415, "document-media-type")),
        (CANARY, "image/png", (415, "document-media-type")),
        (b"<svg onload=alert()>", "image/png", (415, "document-media-type")),
        (b"", "application/pdf", (415, "document-media-type")),
        (b"%PDF-" + bytes(DOCUMENT_MAX_BYTES - 4), "application/pdf", (413, "document-too-large")),
    ],
    ids=["no type of ours", "another type", "no picture", "empty", "too large"],
)
async def test_what_is_no_document_changes_nothing(
    desk: Desk, content: bytes, kind: str, refused: tuple[int, str]
) -> None:
    case_id = await desk.filed_case()
    assert code(await put(desk, case_id, content, kind)) == refused
    assert await desk.database.fetchval("SELECT count(*) FROM passage.document") == 0


async def test_the_largest_is_taken_and_one_cut_off_is_not(desk: Desk) -> None:
    case_id = await desk.filed_case()
    largest = b"%PDF-" + bytes(DOCUMENT_MAX_BYTES - 5)
    assert (await put(desk, case_id, largest)).status_code == 201
    assert (await read(desk, case_id, largest)).content == largest
    cut = await desk.http.put(
        address(case_id, CANARY), content=CANARY[:-1], headers={"content-type": "application/pdf"}
    )
    assert code(cut) == (422, "document-hash-differs")


async def test_what_is_not_there_and_what_is_not_asked_with_a_reason(desk: Desk) -> None:
    case_id = await desk.filed_case()
    assert code(await put(desk, NOBODY)) == (404, "unknown-case")
    assert code(await read(desk, NOBODY)) == (404, "unknown-case")
    assert code(await read(desk, case_id)) == (404, "unknown-document")
    await put(desk, case_id)
    assert code(await desk.http.get(address(case_id))) == (422, "malformed")
    assert code(await read(desk, case_id, because="He asked me to")) == (422, "malformed")
    assert code(await desk.http.put(f"/v1/cases/{case_id}/documents/ABC", content=CANARY)) == (422, "malformed")
    assert await views(desk) == []


async def test_a_case_has_a_bounded_number_of_them(desk: Desk) -> None:
    case_id = await desk.filed_case()
    for number in range(DOCUMENTS_MAX):
        assert (await put(desk, case_id, b"%PDF-" + bytes([number]))).status_code == 201
    assert code(await put(desk, case_id)) == (409, "too-many-documents")
    assert (await put(desk, case_id, b"%PDF-\0")).status_code == 200


async def test_nothing_is_shown_where_it_cannot_be_put_on_record(desk: Desk) -> None:
    case_id = await desk.filed_case()
    await put(desk, case_id)
    await desk.database.execute("ALTER TABLE passage.events ADD CONSTRAINT none CHECK (type <> 'PersonalDataViewed')")
    shown = await read(desk, case_id)
    assert shown.status_code == 500
    assert b"Xaviquena" not in shown.content


async def test_erasing_the_case_erases_its_documents(desk: Desk, database_url: str, tmp_path: Path) -> None:
    case_id = await desk.filed_case()
    await put(desk, case_id)
    await desk.take_all(case_id)
    await desk.send("applicant", "m-1", {"case": case_id, "message": "application.withdrawn"})
    await desk.take_all(case_id)
    keys = DirectoryKeyStore(tmp_path / "keys")
    eraser = await PostgresStore.connect(database_url, keys, connections=1, role="passage_eraser")
    desk.deps.cases.store = eraser
    order = ErasureOrder(
        case_id=case_id, first=claimed("officer", "o-1"), second=claimed("officer", "o-2"), because="retention-ended"
    )
    await erase(desk.deps.cases, keys, order, desk.moments[-1])
    await eraser.close()
    assert await desk.database.fetchval("SELECT count(*) FROM passage.document") == 0
    desk.deps.documents._keys._cache.forget(case_id)  # type: ignore[union-attr]  # as a minute does
    assert code(await read(desk, case_id)) == (410, "personal-data-erased")
    assert code(await put(desk, case_id)) == (410, "personal-data-erased")


@pytest.mark.parametrize("role", ["passage_writer", "passage_reader", "passage_auditor", "passage_eraser"])
@pytest.mark.parametrize("change", ["UPDATE passage.document SET sender = 'x'", "DELETE FROM passage.document"])
async def test_no_role_changes_or_removes_a_document(desk: Desk, role: str, change: str) -> None:
    await put(desk, await desk.filed_case())
    async with desk.database.acquire() as connection, connection.transaction():
        await connection.execute(f"SET LOCAL ROLE {role}")
        with pytest.raises(asyncpg.PostgresError, match=r"append-only|permission denied"):
            await connection.execute(change)


def test_intake_puts_and_only_who_may_see_reads() -> None:
    assert isinstance(module.SENDS, Needs)
    assert (module.SENDS.roles, module.VIEWS.roles) == (("intake", "officer"), ("officer", "auditor"))
