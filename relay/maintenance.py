"""Periodic work beside the notifications: boarding checks become events, and old refusals are deleted.

Any number of relays may do both at once. What one leaves undone, another does.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from activities.failures import log_failure
from eventstore.access import AccessLog

RECORD_PERIOD_S: Final = 1.0
"""A check becomes an event within two seconds. A look that finds none reads one empty table."""
BATCHES_AT_ONCE: Final = 100
"""At most 10,000 checks, one or two seconds of work, in one look."""
PRUNE_PERIOD_S: Final = 600.0
"""One gateway under a flood adds 3,000 refusals in ten minutes; one call deletes up to 10,000."""


async def record_checks(access: AccessLog) -> int:
    """Record the noted checks as events, and return how many. Raises `StoreUnavailable`."""
    recorded = 0
    for _ in range(BATCHES_AT_ONCE):
        batch = await access.record_checks()
        if batch == 0:
            break
        recorded += batch
    return recorded


async def keep_up(what: str, work: Callable[[], Awaitable[object]], period_s: float) -> None:
    """Do `work` now and after each period, until cancelled. A failure is logged, and the next period tries again."""
    while True:
        try:
            await work()
        except Exception as error:  # noqa: BLE001  the boundary: whatever it is, the next time is due
            log_failure(f"{what} failed", error, again_in_s=period_s)
        await asyncio.sleep(period_s)
