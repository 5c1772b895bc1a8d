"""Whether the database is the one that was shipped: its tables, triggers, functions, grants and roles."""

from typing import Final

from audit.log.tables import Connection
from audit.verify.faults import Code, Faults
from eventstore.postgres import catalog

_TOLD_MAX: Final = 200
"""A schema of another version differs in everything."""


async def check_schema(connection: Connection, faults: Faults) -> None:
    """Tell each fact of the catalog that is another than this version ships."""
    stated, shipped = await catalog.stated(connection), catalog.shipped()
    migrated, known = await catalog.migrated(connection), catalog.shipped_migrations()
    found = sorted((stated - shipped) | (migrated - known))
    missing = sorted((shipped - stated) | (known - migrated))
    for said, lines in (("is not shipped: ", found), ("is missing: ", missing)):
        for line in lines[:_TOLD_MAX]:
            faults.add(Code.SCHEMA_DIFFERS, None, None, said + line)
