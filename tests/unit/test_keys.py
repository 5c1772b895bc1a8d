"""Keys of personal data: made once, wrapped on disk, and gone for good when destroyed."""

import asyncio
import stat
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidTag

from eventstore.format.lookups import Lookups
from eventstore.keys import CaseKey, DirectoryKeyStore, KeyCache, KeyDestroyed, KeyUnknown
from tests.support.filings import new_case_id

CASE = "VEN-7Q4K-M2XS"


def everything_in(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


async def test_a_case_has_one_key_whoever_asks_first(tmp_path: Path) -> None:
    stores = [DirectoryKeyStore(tmp_path / "keys") for _ in range(4)]
    keys = await asyncio.gather(*(store.create(CASE) for store in stores))
    sealed = keys[0].encrypt(b"content", b"here")
    assert all(key.decrypt(sealed, b"here") == b"content" for key in keys)
    assert (await DirectoryKeyStore(tmp_path / "keys").get(CASE)).decrypt(sealed, b"here") == b"content"


async def test_keys_of_cases_are_independent(tmp_path: Path) -> None:
    store = DirectoryKeyStore(tmp_path)
    one, other = await store.create(CASE), await store.create(new_case_id())
    with pytest.raises(InvalidTag):
        other.decrypt(one.encrypt(b"content", b""), b"")
    assert one.digest(b"content") != other.digest(b"content")
    assert one.encrypt(b"content", b"") != one.encrypt(b"content", b"")


async def test_an_unknown_key_is_not_made_by_asking(tmp_path: Path) -> None:
    store = DirectoryKeyStore(tmp_path)
    for key_id in (CASE, "../master", "cases/x", ""):
        with pytest.raises(KeyUnknown):
            await store.get(key_id)


async def test_a_destroyed_key_never_comes_back(tmp_path: Path) -> None:
    store = DirectoryKeyStore(tmp_path)
    await store.create(CASE)
    wrapped = (tmp_path / "cases" / CASE).read_bytes()
    await store.destroy(CASE)
    await store.destroy(CASE)
    for asked in (store.get(CASE), store.create(CASE), DirectoryKeyStore(tmp_path).create(CASE)):
        with pytest.raises(KeyDestroyed):
            await asked
    assert wrapped not in everything_in(tmp_path)


async def test_only_we_can_read_keys_and_no_secret_is_in_clear(tmp_path: Path) -> None:
    store = DirectoryKeyStore(tmp_path / "keys")
    await store.create(CASE)
    await store.pepper()
    for path in (tmp_path / "keys").rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600)
    assert stat.S_IMODE((tmp_path / "keys").stat().st_mode) == 0o700


async def test_a_key_file_put_in_another_ones_place_does_not_open(tmp_path: Path) -> None:
    store, other = DirectoryKeyStore(tmp_path), new_case_id()
    await store.create(CASE)
    (tmp_path / "cases" / other).write_bytes((tmp_path / "cases" / CASE).read_bytes())
    with pytest.raises(InvalidTag):
        await store.get(other)


async def test_an_interrupted_write_leaves_no_half_key(tmp_path: Path) -> None:
    store = DirectoryKeyStore(tmp_path)
    (tmp_path / "cases" / f".{CASE}.0011").write_bytes(b"half")
    key = await store.create(CASE)
    assert (await DirectoryKeyStore(tmp_path).get(CASE)).digest(b"x") == key.digest(b"x")


async def test_the_pepper_stays_the_same(tmp_path: Path) -> None:
    pepper = await DirectoryKeyStore(tmp_path).pepper()
    assert len(pepper) == 32
    assert await DirectoryKeyStore(tmp_path).pepper() == pepper


def test_the_cache_is_bounded_in_size_and_age(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr("eventstore.keys.time.monotonic", lambda: now[0])
    cache = KeyCache(size=2, age_s=60)
    for name in ("a", "b", "c"):
        cache.put(CaseKey(name, b"s" * 32))
    assert (cache.get("a"), cache.get("b") is None, cache.get("c") is None) == (None, False, False)
    now[0] = 60.0
    assert cache.get("c") is None


async def test_an_erasure_elsewhere_is_noticed_within_the_caches_age(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    monkeypatch.setattr("eventstore.keys.time.monotonic", lambda: now[0])
    here = DirectoryKeyStore(tmp_path)
    await here.create(CASE)
    await DirectoryKeyStore(tmp_path).destroy(CASE)
    assert (await here.get(CASE)).key_id == CASE
    now[0] = 60.0
    with pytest.raises(KeyDestroyed):
        await here.get(CASE)


def test_lookups_tell_kinds_apart_and_nothing_is_equal_to_an_empty_detail() -> None:
    lookups = Lookups(b"p" * 32)
    supporter = lookups.supporter("x", tax_id="x", phone="", address="x")
    assert supporter.phone is None
    keys = {supporter.person, supporter.tax_id, supporter.address, *lookups.persons(["x"])}
    assert len(keys) == 4
    assert lookups.persons(["x"]) == Lookups(b"p" * 32).persons(["x"])
    assert lookups.persons(["x"]) != Lookups(b"q" * 32).persons(["x"])
