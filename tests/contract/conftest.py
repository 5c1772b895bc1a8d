"""Both stores under one contract: what holds in memory holds in Postgres, and the other way round."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from eventstore.keys import DirectoryKeyStore
from eventstore.memory import MemoryStore
from eventstore.postgres.store import PostgresStore


@pytest.fixture
def keys(tmp_path: Path) -> DirectoryKeyStore:
    return DirectoryKeyStore(tmp_path / "keys")


@pytest.fixture(params=["memory", "postgres"])
def server_url(request: pytest.FixtureRequest) -> str | None:
    """The URL of a fresh database, or None for the store in memory."""
    return None if request.param == "memory" else request.getfixturevalue("database_url")


@pytest.fixture
async def store(server_url: str | None, keys: DirectoryKeyStore) -> AsyncIterator[MemoryStore | PostgresStore]:
    if server_url is None:
        yield MemoryStore(keys)
        return
    opened = await PostgresStore.connect(server_url, keys, connections=10)
    yield opened
    await opened.close()
