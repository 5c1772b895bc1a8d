"""What the relay does beside ringing: boarding checks become events, and refusals that are old are forgotten.

Any number of relays may do both at once; one that dies leaves the rest to the next.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import asyncpg

from eventstore.access import AccessLog
from eventstore.postgres.session import translated
from gateway.trouble import tell

RECORD_PERIOD_S: Final = 1.0
"""A check is an event within two seconds; a look that finds none reads one empty table."""
BATCHES_AT_ONCE: Final = 100
"""10,000 checks, a second or two of work; then the next look."""
PRUNE_PERIOD_S: Final = 600.0
"""Ten minutes of a flood of refusals are 3,000 rows of one gateway, and one call forgets 10,000."""


Prune = Callable[[], Awaitable[int]]


async def record_checks(access: AccessLog) -> int:
    """Make events of the checks that are noted; how many. Raises `StoreUnavailable`."""
    recorded = 0
    for _ in range(BATCHES_AT_ONCE):
        batch = await access.record_checks()
        if batch == 0:
            break
        recorded += batch
    return recorded


async def prune_refusals(pool: "asyncpg.Pool[asyncpg.Record]") -> int:
    """Forget a portion of the refusals beyond the bounds of `prune_refusals`; how many. Raises `StoreUnavailable`."""
    with translated():
        pruned: int = await pool.fetchval("SELECT passage.prune_refusals()")
    return pruned


async def keep_up(what: str, work: Callable[[], Awaitable[object]], period_s: float) -> None:
    """Do `work` now and after each period, until cancelled. What fails is told, and done again with the next."""
    while True:
        try:
            await work()
        except Exception as error:  # noqa: BLE001  the boundary: whatever it is, the next time is due
            tell(f"{what} failed", error, again_in_s=period_s)
        await asyncio.sleep(period_s)
