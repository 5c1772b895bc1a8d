"""The port's contract, on the embedded Postgres: a database a test, copied from a migrated template."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from eventstore.keys import DirectoryKeyStore
from eventstore.postgres.store import PostgresStore


@pytest.fixture
def keys(tmp_path: Path) -> DirectoryKeyStore:
    return DirectoryKeyStore(tmp_path / "keys")


@pytest.fixture
async def store(database_url: str, keys: DirectoryKeyStore) -> AsyncIterator[PostgresStore]:
    opened = await PostgresStore.connect(database_url, keys, connections=10)
    yield opened
    await opened.close()
