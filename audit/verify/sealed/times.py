"""When events were sealed, by the signed times of checkpoints; and what no checkpoint covers.

Checkpoints are signed seconds after an event was recorded. An event that was slipped in later stands under a checkpoint
that says so, whatever its own columns say, unless the log's key was used to lie about the time.
"""

from datetime import datetime, timedelta
from typing import Final, NamedTuple

from audit.log.tables import Connection
from audit.verify.faults import Code, Faults

_AT_ONCE: Final = 500
_TOLD_MAX: Final = 20
"""Events told of one checkpoint: after a day without a sealer there are thousands."""

_OUTSIDE: Final = """
SELECT s.past, e.stream, e.version, e.recorded_at, s.signed_at
FROM unnest($1::bigint[], $2::bigint[], $3::timestamptz[]) AS s(first, past, signed_at)
CROSS JOIN LATERAL (
    SELECT e.stream, e.version, e.recorded_at
    FROM passage.leaf AS l JOIN passage.events AS e ON e.stream = l.stream AND e.version = l.version
    WHERE l.leaf_index >= s.first AND l.leaf_index < s.past
      AND (e.recorded_at < s.signed_at - $4::interval OR e.recorded_at > s.signed_at + $4::interval)
    ORDER BY l.leaf_index LIMIT $5
) AS e
"""

_UNSIGNED: Final = """
SELECT count(*) AS leaves, min(e.recorded_at) AS since
FROM passage.leaf AS l JOIN passage.events AS e ON e.stream = l.stream AND e.version = l.version
WHERE l.leaf_index >= $1
"""


class Signed(NamedTuple):
    """A checkpoint that verifies: it covers the leaves from `first` on, which none before it did."""

    first: int
    past: int
    signed_at: datetime


class TimeCheck:
    """Takes the log's own checkpoints by size, and looks at them in batches."""

    def __init__(self, connection: Connection, faults: Faults, max_lag: timedelta, known_size: int) -> None:
        """`known_size`: what lies before the auditor's own checkpoint was looked at when that was kept."""
        self._connection = connection
        self._faults = faults
        self._max_lag = max_lag
        self._covered = known_size
        self._batch: list[Signed] = []

    async def take(self, size: int, signed_at: datetime) -> None:
        """The next checkpoint."""
        if size > self._covered:
            self._batch.append(Signed(self._covered, size, signed_at))
            self._covered = size
        if len(self._batch) >= _AT_ONCE:
            await self._look()

    async def close(self, now: datetime) -> None:
        """There are no more."""
        await self._look()
        row = await self._connection.fetchrow(_UNSIGNED, self._covered)
        if row["leaves"] and now - row["since"] > self._max_lag:
            waited = (now - row["since"]).total_seconds()
            detail = f"{row['leaves']} leaves from {self._covered} on, the oldest recorded {waited:.0f} s ago"
            self._faults.add(Code.CHECKPOINT_MISSING, None, None, f"no signed checkpoint covers {detail}")

    async def _look(self) -> None:
        batch, self._batch = self._batch, []
        if not batch:
            return
        firsts, pasts, moments = zip(*batch, strict=True)
        rows = await self._connection.fetch(
            _OUTSIDE, list(firsts), list(pasts), list(moments), self._max_lag, _TOLD_MAX
        )
        for row in rows:
            late = (row["signed_at"] - row["recorded_at"]).total_seconds()
            if late > 0:
                code, detail = Code.SEAL_LATE, f"signed {late:.0f} s after it says that it was recorded"
            else:
                code, detail = Code.TIME_DIFFERS, f"it says that it was recorded {-late:.0f} s after it was signed"
            self._faults.add(code, row["stream"], row["version"], f"checkpoint of size {row['past']}: {detail}")
