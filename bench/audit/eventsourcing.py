"""What `passage bench audit` compares an append with: the application recorder of the `eventsourcing` library.

It runs on the same server with as many connections, each in a thread of its own, as the library works. Its events are
as long as the bodies of ours; it keeps no header, hash, head, actor or command beside them.
"""

import asyncio
import os
import time
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Final, Self
from urllib.parse import urlsplit
from uuid import UUID

from eventsourcing.persistence import StoredEvent
from eventsourcing.postgres import PostgresApplicationRecorder, PostgresDatastore

_TOPIC: Final = "domain.events:EntryVerified"


class Recorder:
    """A recorder with its table made. `functions`: an append is one call of a function; the library leaves that off."""

    def __init__(self, database_url: str, connections: int, event_bytes: int, *, functions: bool) -> None:
        to = urlsplit(database_url)
        self._datastore = PostgresDatastore(
            to.path.lstrip("/"),
            to.hostname or "",
            to.port or 5432,
            to.username or "",
            to.password or "",
            pool_size=connections,
            enable_db_functions=functions,
        )
        self._recorder = PostgresApplicationRecorder(
            self._datastore, events_table_name="with_functions" if functions else "stored_events"
        )
        self._recorder.create_table()
        self._connections = connections
        self._event_bytes = event_bytes
        self._threads = ThreadPoolExecutor(connections)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._threads.shutdown()
        self._datastore.close()

    async def rate(self, seconds: float) -> float:
        """Appends of two events a second, every connection at work."""
        loop, began = asyncio.get_running_loop(), time.perf_counter()
        work = (loop.run_in_executor(self._threads, self._append, began + seconds) for _ in range(self._connections))
        done = await asyncio.gather(*work)
        return sum(done) / (time.perf_counter() - began)

    def _append(self, end: float) -> int:
        done = 0
        while not done or time.perf_counter() < end:
            stream = UUID(bytes=os.urandom(16))
            events = [StoredEvent(stream, version, _TOPIC, os.urandom(self._event_bytes)) for version in (1, 2)]
            self._recorder.insert_events(events)
            done += 1
        return done
