"""The master key in a key management service, and apart from what it wraps wherever it is."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidTag

from eventstore.conflicts import StoreUnavailable
from eventstore.keys import DirectoryKeyStore, FileMasterKey, KeyDestroyed, KeysUnavailable
from process.backing import opened_keys
from process.config import ConfigurationError, Settings
from tests.support.filings import new_case_id
from tests.support.kms import Kms

CASE = new_case_id()


@pytest.fixture
def kms() -> Iterator[Kms]:
    with Kms("t-1").listening() as listening:
        yield listening


def settings(kms: Kms, folder: Path) -> Settings:
    token = folder / "token"
    token.write_text(f"{kms.token}\n")
    return Settings(data_dir=folder, kms_url=kms.url, kms_token=token)


async def test_keys_are_wrapped_by_the_service_and_found_again(kms: Kms, tmp_path: Path) -> None:
    async with opened_keys(settings(kms, tmp_path)) as keys:
        sealed = (await keys.create(CASE)).encrypt(b"content", b"here")
        pepper = await keys.pepper()
    async with opened_keys(settings(kms, tmp_path)) as again:
        assert (await again.get(CASE)).decrypt(sealed, b"here") == b"content"
        assert await again.pepper() == pepper
    assert not list(tmp_path.rglob("*master*"))
    assert (tmp_path / "keys" / "cases" / CASE).read_bytes().startswith(b"vault:v1:")


async def test_a_key_in_memory_asks_nobody_and_an_erased_one_is_gone_at_once(kms: Kms, tmp_path: Path) -> None:
    async with opened_keys(settings(kms, tmp_path)) as keys:
        await keys.create(CASE)
        asked = len(kms.calls)
        await keys.get(CASE)
        await keys.create(CASE)
        assert len(kms.calls) == asked
        await keys.destroy(CASE)
        with pytest.raises(KeyDestroyed):
            await keys.get(CASE)
        assert len(kms.calls) == asked


@pytest.mark.parametrize("status", [403, 429, 500, 503])
async def test_a_service_that_refuses_or_fails_is_tried_again(kms: Kms, tmp_path: Path, status: int) -> None:
    async with opened_keys(settings(kms, tmp_path)) as keys:
        kms.status = status
        with pytest.raises(StoreUnavailable, match=str(status)):
            await keys.create(CASE)
        assert not list((tmp_path / "keys" / "cases").iterdir())
        kms.status = 200
        await keys.create(CASE)


async def test_a_service_that_is_away_is_tried_again(kms: Kms, tmp_path: Path) -> None:
    away = settings(kms, tmp_path).model_copy(update={"kms_url": "http://127.0.0.1:9/v1/transit"})
    async with opened_keys(away) as keys:
        with pytest.raises(KeysUnavailable):
            await keys.create(CASE)


async def test_a_key_that_was_put_in_anothers_place_is_refused(kms: Kms, tmp_path: Path) -> None:
    other = new_case_id()
    async with opened_keys(settings(kms, tmp_path)) as keys:
        await keys.create(CASE)
        (tmp_path / "keys" / "cases" / CASE).rename(tmp_path / "keys" / "cases" / other)
        with pytest.raises(KeysUnavailable, match="400"):
            await keys.get(other)


async def test_a_renewed_token_needs_no_restart(kms: Kms, tmp_path: Path) -> None:
    given = settings(kms, tmp_path)
    async with opened_keys(given) as keys:
        await keys.pepper()
        kms.token = "t-2"
        with pytest.raises(KeysUnavailable, match="403"):
            await keys.create(CASE)
        (tmp_path / "token").write_text("t-2")
        await keys.create(CASE)


async def test_the_folder_of_keys_never_holds_the_master_key(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    store = DirectoryKeyStore(folder)
    await store.create(CASE)
    await store.pepper()
    assert {file.name for file in folder.rglob("*") if file.is_file()} == {CASE, "pepper"}
    (tmp_path / "copied").mkdir()
    folder.rename(tmp_path / "copied" / "keys")  # a copy of the folder alone reads nothing
    with pytest.raises(InvalidTag):
        await DirectoryKeyStore(tmp_path / "copied" / "keys").get(CASE)


async def test_a_master_key_that_is_named_must_exist(tmp_path: Path) -> None:
    """A volume that is not mounted must not look like a first start."""
    named = Settings(data_dir=tmp_path, master_key=tmp_path / "elsewhere")
    with pytest.raises(ConfigurationError, match="PASSAGE_MASTER_KEY"):
        async with opened_keys(named):
            pass
    FileMasterKey.made_if_missing(tmp_path / "elsewhere")
    async with opened_keys(named) as keys:
        await keys.create(CASE)
