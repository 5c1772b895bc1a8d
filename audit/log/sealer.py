"""`python -m audit.log.sealer`: seals the log, signs a checkpoint every few seconds, and a map every ten minutes.

A map is built beside the sealing, from the leaves as they were when it began, and put into the log when it is ready.

Any number of sealers may run. While none runs nothing is lost: what was appended meanwhile is sealed late, and `verify`
says so.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import structlog

from audit.log.log_key import FileLogKey, LogKeyMissing, make_log_key
from audit.log.maps import MapHeader
from audit.log.notes import NoteMalformed
from audit.log.sealing import MAX_LAG, EventGone, Sealer, SealRefused
from audit.log.tables import log_size, pool_of
from audit.log.tiles import MissingTile
from eventstore.conflicts import StoreUnavailable
from eventstore.postgres.connections import close_pool
from eventstore.postgres.session import translated
from process.config import Settings
from process.health import health_answered
from process.main import run, stop_requested

_log = structlog.get_logger()

ROLE: Final = "passage_sealer"
LOOK_EVERY_S: Final = 0.5
SIGN_EVERY_S: Final = 2.0
"""A checkpoint is signed when something changed, and at most this often."""
MAP_EVERY_S: Final = 600.0
_BACKOFF_MAX_S: Final = 5.0


@contextlib.asynccontextmanager
async def opened_sealer(
    database_url: str, keys_directory: Path, new_origin: str | None = None
) -> AsyncIterator[Sealer]:
    """A sealer with the file key; `database_url` is a login that may act as `passage_sealer`.

    Where the keys directory has no key and the log is empty, a key of the name `new_origin` is made, if one is given.

    Raises:
        StoreUnavailable: the database cannot be reached.
        LogKeyMissing: there is no key, and none is made.
        NoteMalformed: the key file holds something else.
    """
    with translated():
        pool = await pool_of(database_url, ROLE)
    try:
        with translated():
            size = await log_size(pool)
        if new_origin is not None and size == 0:
            key = await asyncio.to_thread(make_log_key, keys_directory, new_origin)
        else:
            key = await asyncio.to_thread(FileLogKey, keys_directory)
        yield Sealer(pool, key)
    finally:
        await close_pool(pool)


@dataclass(slots=True)
class Sealing:
    """The loop around a sealer."""

    sealer: Sealer
    sign_every_s: float = SIGN_EVERY_S
    map_every_s: float = MAP_EVERY_S
    _signed_at: float = field(default=0.0, init=False)
    _mapped_at: float = field(default=0.0, init=False)
    _failures: int = field(default=0, init=False)
    _map: asyncio.Task[MapHeader] | None = field(default=None, init=False)
    """The map that is being built."""
    _sealed: bool = field(default=False, init=False)

    @property
    def ready(self) -> bool:
        """It has looked, and its last look succeeded, so that nothing waits."""
        return self._sealed and self._failures == 0

    async def run(self, stopped: asyncio.Event) -> None:
        """Seal until `stopped`, then sign what is sealed. Raises SealRefused."""
        self._mapped_at = time.monotonic()
        try:
            while not stopped.is_set():
                pause_s = await self._look()
                if pause_s > 0:
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(stopped.wait(), pause_s)
        finally:
            if self._map is not None:
                self._map.cancel()
                await asyncio.gather(self._map, return_exceptions=True)
        if self.sealer.unsigned:
            await self._sign()

    async def _look(self) -> float:
        """One look, and the seconds to the next. An absent database, and an event gone, are looked at again."""
        try:
            sealed = await self.sealer.seal()
            await self._sign_and_map()
        except (StoreUnavailable, EventGone) as error:
            self._failures += 1
            pause_s = min(0.1 * 2.0 ** min(self._failures - 1, 10), _BACKOFF_MAX_S)
            tell = _log.error if isinstance(error, EventGone) else _log.warning
            tell("sealing failed", code=error.code, failures=self._failures, again_in_s=pause_s)
            return pause_s
        self._failures, self._sealed = 0, True
        return 0.0 if sealed else LOOK_EVERY_S

    async def _sign_and_map(self) -> None:
        now = time.monotonic()
        await self._map_seal(now)
        if self.sealer.unsigned and now - self._signed_at >= self.sign_every_s:
            self._signed_at = now
            await self._sign()

    async def _map_seal(self, now: float) -> None:
        """Begin a map when it is time, and put it into the log at the look after it is built."""
        if self._map is None:
            if self.sealer.unmapped and now - self._mapped_at >= self.map_every_s:
                self._mapped_at = now
                self._map = asyncio.create_task(self.sealer.build_map(await self.sealer.size()))
        elif self._map.done():
            built, self._map = self._map, None
            leaf = await self.sealer.take_map(built.result())
            if leaf is None:
                _log.warning("map not taken", why="other sealers were faster")
            else:
                _log.info("map sealed", leaf=leaf)

    async def _sign(self) -> None:
        longest = self.sealer.longest_lag
        checkpoint = await self.sealer.sign()
        if self.sealer.longest_lag > longest:
            lag_s = round(self.sealer.longest_lag.total_seconds(), 3)
            tell = _log.error if self.sealer.longest_lag > MAX_LAG else _log.info
            tell("longest seal lag", lag_s=lag_s, published_s=MAX_LAG.total_seconds(), size=checkpoint.size)


async def serve(settings: Settings) -> None:
    """Seal until SIGTERM or SIGINT. Raises SealRefused, LogKeyMissing, StoreUnavailable."""
    stopped = stop_requested()
    url, keys = settings.required_database_url, settings.keys_directory
    async with opened_sealer(url, keys, settings.log_origin) as sealer:
        sealing = Sealing(sealer)
        async with health_answered(settings, lambda: sealing.ready):
            _log.info("sealer seals", key=str(sealer.key.verifier), published_lag_s=MAX_LAG.total_seconds())
            await sealing.run(stopped)


if __name__ == "__main__":
    run("sealer", serve, SealRefused, LogKeyMissing, NoteMalformed, MissingTile)
