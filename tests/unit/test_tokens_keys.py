"""The issuer's keys: fetched once for many, kept while it is away, replaced when it changes them, bounded always."""

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI, Response
from joserfc.jwk import ECKey, Key, OctKey, OKPKey, RSAKey

from gateway.http.problems import Problem
from gateway.identity.token_keys import (
    FRESH_S,
    KEPT_MAX_S,
    KEYS_MAX_BYTES,
    PAUSE_S,
    IssuerKeys,
    KeysUnusable,
    keys_at,
    read_key_set,
)
from tests.support.partner_calls import served


def a_key(kid: str = "k-1") -> Key:
    return ECKey.generate_key("P-256", {"kid": kid})


def published(*keys: Key) -> bytes:
    return json.dumps({"keys": [key.as_dict(private=False) for key in keys]}).encode()


class Issuer:
    """What it publishes now, how often it was asked, and what time it is."""

    def __init__(self, *keys: Key) -> None:
        self.answer: bytes | None = published(*keys)
        self.asked = 0
        self.now_s = 1000.0
        self.gate = asyncio.Event()
        self.gate.set()
        self.keys = IssuerKeys(self.fetch, lambda: self.now_s)

    async def fetch(self) -> bytes:
        self.asked += 1
        await self.gate.wait()
        if self.answer is None:
            raise KeysUnusable("no connection")
        return self.answer

    async def settle(self) -> None:
        if self.keys._fetching is not None:
            await asyncio.wait([self.keys._fetching])


async def test_many_requests_fetch_once() -> None:
    issuer = Issuer(a_key())
    issuer.gate.clear()
    asking = [asyncio.create_task(issuer.keys.find("k-1", "ES256")) for _ in range(50)]
    await asyncio.sleep(0)
    asking[0].cancel()  # one who goes away takes it from nobody
    issuer.gate.set()
    found = await asyncio.gather(*asking, return_exceptions=True)
    assert issuer.asked == 1
    assert all(isinstance(each, ECKey) for each in found[1:])


async def test_a_new_key_is_found_at_its_first_use() -> None:
    issuer = Issuer(a_key("old"))
    assert await issuer.keys.find("old", "ES256")
    issuer.answer = published(a_key("new"))
    issuer.now_s += PAUSE_S
    assert await issuer.keys.find("new", "ES256")
    assert await issuer.keys.find("old", "ES256") is None  # withdrawn
    assert issuer.asked == 2


async def test_made_up_key_ids_are_no_flood_at_the_issuer() -> None:
    issuer = Issuer(a_key())
    for number in range(1000):
        assert await issuer.keys.find(f"made-up-{number}", "ES256") is None
    assert issuer.asked == 1
    assert await issuer.keys.find("k-1", "ES256")


async def test_what_is_no_longer_fresh_is_fetched_again_beside_the_requests() -> None:
    issuer = Issuer(a_key())
    assert await issuer.keys.find("k-1", "ES256")
    issuer.gate.clear()
    issuer.now_s += FRESH_S
    assert await issuer.keys.find("k-1", "ES256")  # waits for nothing
    issuer.gate.set()
    issuer.answer = published(a_key("k-2"))
    await issuer.settle()
    assert issuer.asked == 2
    assert await issuer.keys.find("k-1", "ES256") is None


async def test_while_the_issuer_is_away_known_keys_work_for_a_day_and_unknown_ones_cannot_be_judged() -> None:
    issuer = Issuer(a_key())
    assert await issuer.keys.find("k-1", "ES256")
    issuer.answer = None
    issuer.now_s += KEPT_MAX_S - 1
    assert await issuer.keys.find("k-1", "ES256")
    await issuer.settle()
    with pytest.raises(Problem) as caught:
        await issuer.keys.find("k-2", "ES256")
    assert (caught.value.code, caught.value.retry_after_s) == ("issuer-unavailable", PAUSE_S)
    assert await issuer.keys.find("k-1", "ES256")
    issuer.now_s += 1
    with pytest.raises(Problem, match="issuer-unavailable"):
        await issuer.keys.find("k-1", "ES256")
    issuer.answer = published(a_key())
    issuer.now_s += PAUSE_S
    assert await issuer.keys.find("k-1", "ES256")


async def test_an_issuer_that_never_answered_leaves_nobody_known() -> None:
    issuer = Issuer()
    issuer.answer = None
    for _ in range(20):
        with pytest.raises(Problem, match="issuer-unavailable"):
            await issuer.keys.find("k-1", "ES256")
    assert issuer.asked == 1


async def test_a_spoilt_set_leaves_the_good_one_in_place() -> None:
    issuer = Issuer(a_key())
    assert await issuer.keys.find("k-1", "ES256")
    issuer.answer = b'{"keys": []}'
    issuer.now_s += FRESH_S
    await issuer.keys.find("k-1", "ES256")
    await issuer.settle()
    assert await issuer.keys.find("k-1", "ES256")


@pytest.mark.filterwarnings("ignore:Key size")  # which is the point
def test_keys_that_no_token_may_be_signed_with_are_passed_over() -> None:
    good = OKPKey.generate_key("Ed25519", {"kid": "good"})
    others: list[dict[str, Any]] = [
        OctKey.generate_key(256, {"kid": "secret"}).as_dict(private=True),
        *(
            {**key.as_dict(private=False), **more}
            for key, more in (
                (a_key("enc"), {"use": "enc"}),
                (a_key("ops"), {"key_ops": ["sign"]}),
                (a_key("alg"), {"alg": "ES512"}),
                (a_key("alg-list"), {"alg": ["ES256"]}),
                (a_key("odd-ops"), {"key_ops": 7}),
                (a_key("spoilt"), {"x": "AAAA"}),
                (a_key("no-text"), {"x": 7}),
                (a_key("x"), {"kid": 7}),
                (ECKey.generate_key("P-384", {"kid": "p384"}), {}),
                (OKPKey.generate_key("X25519", {"kid": "x25519"}), {}),
                (RSAKey.generate_key(1024, {"kid": "short"}), {}),
            )
        ),
        {"kty": "AKP", "kid": "to-come", "alg": "ML-DSA-44", "pub": "AA"},
    ]
    raw = json.dumps({"keys": [*others, 7, None, good.as_dict(private=False)]}).encode()
    assert set(read_key_set(raw)) == {("good", "EdDSA"), ("good", "Ed25519")}


def test_a_private_key_that_was_published_is_held_as_a_public_one() -> None:
    raw = json.dumps({"keys": [a_key().as_dict(private=True)]}).encode()
    assert not read_key_set(raw)["k-1", "ES256"].is_private


def test_the_first_of_two_keys_of_one_id_stands() -> None:
    first, second = a_key(), a_key()
    found = read_key_set(published(first, second))["k-1", "ES256"]
    assert found.thumbprint() == first.thumbprint()


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"[]",
        b"{}",
        b'{"keys": {}}',
        b'{"keys": []}',
        b'{"keys": [{}]}',
        b"[" * 50_000,
        json.dumps({"keys": [{}] * 65}).encode(),
        b" " * (KEYS_MAX_BYTES + 1),
    ],
    ids=["empty", "array", "no-keys", "object", "none", "nothing", "deep", "many", "large"],
)
def test_what_is_no_set_of_keys_is_unusable(raw: bytes) -> None:
    with pytest.raises(KeysUnusable):
        read_key_set(raw)


async def test_they_are_fetched_from_an_address_or_a_file(tmp_path: Path) -> None:
    app, raw = FastAPI(), published(a_key())
    app.get("/jwks")(lambda: Response(raw, media_type="application/jwk-set+json"))
    app.get("/large")(lambda: Response(b" " * (KEYS_MAX_BYTES * 4)))
    app.get("/moved")(lambda: Response(status_code=302, headers={"Location": "/jwks"}))
    file = tmp_path / "with space.json"
    file.write_bytes(raw)
    async with served(app) as address, httpx2.AsyncClient(trust_env=False) as http:
        assert await keys_at(f"{address}/jwks", http)() == raw
        assert await keys_at(file.as_uri(), http)() == raw
        assert len(await keys_at(f"{address}/large", http)()) < KEYS_MAX_BYTES * 4
        for gone in (f"{address}/moved", f"{address}/nothing", "http://127.0.0.1:1/", (tmp_path / "none").as_uri()):
            with pytest.raises(KeysUnusable):
                await keys_at(gone, http)()
