"""`python -m tests.support.shipped_catalog`: writes what the catalog says of a database that was only migrated."""

import asyncio
import json
import tempfile
from pathlib import Path

import asyncpg

from eventstore.postgres import catalog
from eventstore.postgres.migrate import migrate
from stack.postgres.server import EmbeddedPostgres

FILE = Path(catalog.__file__).with_name(catalog.FILE)


async def stated_by(database_url: str) -> list[str]:
    """The lines of the file for this database."""
    connection = await asyncpg.connect(database_url)
    try:
        async with connection.transaction():
            return sorted(await catalog.stated(connection))
    finally:
        await connection.close()


async def write() -> None:
    """On a server of its own."""
    with tempfile.TemporaryDirectory(prefix="passage-catalog-") as home:
        async with EmbeddedPostgres(Path(home), fsync=False) as server:
            url = await server.ensure_database("shipped")
            await migrate(url)
            FILE.write_text(json.dumps(await stated_by(url), indent=0, ensure_ascii=False) + "\n", "utf-8")


if __name__ == "__main__":
    asyncio.run(write())
