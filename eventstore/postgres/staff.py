"""Staff references over Postgres; the functions are in `sql/staff.sql`."""

import secrets
from collections import OrderedDict
from typing import Final

import asyncpg

from domain.kernel.ids import OfficerRef
from domain.kernel.proof import normal
from eventstore.postgres.session import translated

KNOWN_MAX: Final = 4_096
"""References that one process remembers, the last used: all who work at one moment, at some 200 bytes each."""


class PostgresStaff:
    """`Staff` over a pool. A process may use a reference until it ends after another one has forgotten it."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]") -> None:
        self._pool = pool
        self._known: OrderedDict[tuple[str, str], OfficerRef] = OrderedDict()

    async def reference(self, issuer: str, subject: str) -> OfficerRef:  # noqa: D102  # the port says it
        who = (issuer, normal(subject))
        if who not in self._known:
            drawn = f"s-{secrets.token_hex(6)}"
            with translated():
                self._known[who] = await self._pool.fetchval("SELECT passage.staff_reference($1, $2, $3)", *who, drawn)
        self._known.move_to_end(who)
        while len(self._known) > KNOWN_MAX:
            self._known.popitem(last=False)
        return self._known[who]

    async def forget(self, reference: OfficerRef) -> bool:  # noqa: D102  # the port says it
        with translated():
            forgotten: bool = await self._pool.fetchval("SELECT passage.forget_staff($1)", reference)
        return forgotten
