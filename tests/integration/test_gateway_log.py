"""The sealed log over HTTP: what an auditor without a login of the database checks, by the formats' own rules alone."""

import base64
import hashlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from audit.log.checkpoints import Checkpoint
from audit.log.log_key import LogKeys
from audit.log.merkle import leaf_hash, root_over
from audit.log.notes import Note
from audit.log.sealer import opened_sealer
from process.config import Settings
from tests.support.gateway import Desk, gateway_desk
from tests.support.sealed_log import ORIGIN


@pytest.fixture
async def desk(database_url: str, tmp_path: Path) -> AsyncIterator[Desk]:
    async with gateway_desk(database_url, tmp_path / "keys") as opened:
        yield opened


async def sealed(desk: Desk, url: str, keys: Path) -> Checkpoint:
    """Some cases, sealed with a map."""
    for number in range(3):
        await desk.take_all(await desk.filed_case(f"filing-{number}"))
    async with opened_sealer(url, keys, ORIGIN) as sealer:
        while await sealer.seal():
            pass
        await sealer.seal_map()
        signed = await sealer.sign()
        note = Note.parse((await desk.http.get("/v1/log/checkpoint")).text)
        assert LogKeys(sealer.key.verifier).opened(note) == signed
        return signed


async def entries(desk: Desk, limit: int) -> list[dict[str, Any]]:
    """Every entry, page by page."""
    found: list[dict[str, Any]] = []
    leaf = 0
    while True:
        answer = await desk.http.get("/v1/log/events", params={"leaf": leaf, "limit": limit})
        assert answer.status_code == 200, answer.text
        page = answer.json()
        if not page["entries"]:
            assert page["next_leaf"] == leaf
            return found
        found += page["entries"]
        leaf = page["next_leaf"]


async def test_checkpoint_tiles_and_entries_prove_each_other(desk: Desk, database_url: str, tmp_path: Path) -> None:
    signed = await sealed(desk, database_url, tmp_path / "keys")
    found = await entries(desk, 3)
    assert [each["leaf"] for each in found] == list(range(signed.size))
    hashes = b"".join(leaf_hash(base64.b64decode(each["header"])) for each in found)
    assert root_over(hashes) == signed.root
    assert hashes == b"".join(bytes.fromhex(each["hash"]) for each in found)
    tile = await desk.http.get(f"/v1/log/tile/0/000.p/{signed.size}")
    assert (tile.status_code, tile.content) == (200, hashes)
    assert "immutable" in tile.headers["cache-control"]
    for each in found[:-1]:
        header = json.loads(base64.b64decode(each["header"]))
        assert header["public_body_sha256"] == hashlib.sha256(base64.b64decode(each["public_body"])).hexdigest()
    assert json.loads(base64.b64decode(found[-1]["header"]))["kind"] == "map-seal"


async def test_nothing_personal_is_readable_in_it(desk: Desk, database_url: str, tmp_path: Path) -> None:
    await sealed(desk, database_url, tmp_path / "keys")
    whole = b"".join(
        base64.b64decode(each[part])
        for each in await entries(desk, 100)
        for part in ("header", "public_body")
        if each[part]
    )
    assert b"ApplicationFiled" in whole
    for name in ("Ana", "Rojas", "Houston"):
        assert name.encode() not in whole


@pytest.mark.parametrize(
    "tile",
    ["0/000", "0/001", "0/000.p/200", "0/000.p/256", "0/000.p/0", "0/00", "0/x000", "1/000", "0/000/001"],
)
async def test_a_tile_that_there_is_not(desk: Desk, database_url: str, tmp_path: Path, tile: str) -> None:
    await sealed(desk, database_url, tmp_path / "keys")
    assert (await desk.http.get(f"/v1/log/tile/{tile}")).status_code == 404


async def test_before_the_first_checkpoint_there_is_none(desk: Desk) -> None:
    answer = await desk.http.get("/v1/log/checkpoint")
    assert (answer.status_code, answer.json()["code"]) == (404, "not-found")


async def test_anybody_reads_hashes_and_auditors_alone_read_events(database_url: str, tmp_path: Path) -> None:
    guard = Settings(database_url=SecretStr(database_url))
    async with gateway_desk(database_url, tmp_path / "keys", guard=guard) as desk:
        assert (await desk.http.get("/v1/log/checkpoint")).status_code == 404
        assert (await desk.http.get("/v1/log/tile/0/000")).status_code == 404
        assert (await desk.http.get("/v1/log/events")).json()["code"] == "token-missing"
        for role, status in (("auditor", 200), ("operator", 403), ("officer", 403), ("intake", 403)):
            answer = await desk.http.get("/v1/log/events", headers=desk.bearer(role))
            assert answer.status_code == status
