"""About whom a partner may speak: those that answer are asked first, and answer about nobody else (OWASP API1)."""

from collections.abc import Awaitable, Callable
from typing import Final, get_args

import asyncpg

from domain.kernel.ids import Code
from eventstore.postgres.session import translated

ASKED: Final = frozenset[str](get_args(Code))
"""Partners that speak about cases they were asked about. The others (border, carrier, officers, the people themselves,
governments) begin to speak by themselves, about any."""

WasAsked = Callable[[str, str], Awaitable[bool | None]]
"""Case and partner: whether it was ever asked about this case; None where there is no such case."""


async def everybody_was(_case_id: str, _partner: str) -> bool | None:
    """Lets everybody speak about everybody: for simulations, where the case judges an answer that nobody asked."""
    return True


class PostgresScopes:
    """`WasAsked` over the gateway's side connections. The request is on record before the partner hears of it."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]") -> None:
        self._pool = pool

    async def __call__(self, case_id: str, partner: str) -> bool | None:
        """Raises `StoreUnavailable`."""
        with translated():
            found: bool | None = await self._pool.fetchval("SELECT passage.was_asked($1, $2)", case_id, partner)
        return found
