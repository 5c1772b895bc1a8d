"""Connections that wait for their client are bounded in number and in time, so that silent clients shut nobody out.

Uvicorn has a timeout between requests alone: a client that opens a connection and says nothing, or half of a header,
would keep it for ever, and a thousand of them would keep everybody else out.
"""

import asyncio
import resource
from collections import Counter
from collections.abc import Iterable
from functools import cache
from typing import Any, Final

from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

CONNECTIONS_MAX: Final = 1000
"""Beyond it the connection that has waited longest for its client is closed, of the address that has most of them."""
FILES_KEPT: Final = 100
"""File descriptors for everything else: the database, the issuer, files."""
FILES_WANTED: Final = 4096
HEAD_S: Final = 10.0
"""From a connection, or the first byte of a request, to the end of its header. A mobile client needs a second."""
REQUEST_S: Final = 120.0
"""From the header to the end of the answer, the client's reading included: an upload of a minute, twice over."""


@cache
def connections_max() -> int:
    """How many this process may hold, after raising its limit of open files as far as it may."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < FILES_WANTED:
        soft = FILES_WANTED if hard == resource.RLIM_INFINITY else min(FILES_WANTED, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return max(1, min(CONNECTIONS_MAX, soft - FILES_KEPT))


class BoundedProtocol(H11Protocol):
    """HTTP/1.1 with a deadline on each part that the client owes."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._deadline: asyncio.TimerHandle | None = None
        self._deadline_s = 0.0
        self.waits_since_s = self.loop.time()

    @property
    def waits(self) -> bool:
        """Whether the next step is the client's: a request that is not whole, or none."""
        return self._at_rest or self.cycle.more_body

    @property
    def address(self) -> str:
        """The other end's."""
        return self.client[0] if self.client else ""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        """See asyncio."""
        super().connection_made(transport)
        self._expect(HEAD_S)
        if len(self.connections) > connections_max():
            held = (each for each in self.connections if isinstance(each, BoundedProtocol))
            longest_waiting(held, but=self).abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """See asyncio."""
        self._stop()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """See asyncio."""
        begins = self._deadline is None
        if begins:
            self.waits_since_s = self.loop.time()
        super().data_received(data)
        if begins or not self._at_rest:
            self._expect(HEAD_S if self._at_rest else REQUEST_S)

    def on_response_complete(self) -> None:
        """See uvicorn: between two requests its own timeout holds, and a request that was sent ahead begins here."""
        self._stop()
        self.waits_since_s = self.loop.time()
        super().on_response_complete()
        if not self._at_rest:
            self._expect(REQUEST_S)

    def abort(self) -> None:
        """Close at once, whatever is under way."""
        self.transport.abort()

    @property
    def _at_rest(self) -> bool:
        cycle: RequestResponseCycle | None = self.cycle  # uvicorn's declaration hides the None
        return cycle is None or cycle.response_complete

    def _expect(self, within_s: float) -> None:
        """Arm the deadline. More bytes of the same part do not move it."""
        if self._deadline is not None and self._deadline_s == within_s:
            return
        self._stop()
        self._deadline_s = within_s
        self._deadline = self.loop.call_later(within_s, self.abort)

    def _stop(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


def longest_waiting(held: Iterable[BoundedProtocol], but: BoundedProtocol) -> BoundedProtocol:
    """The connection to give up: `but` itself where no other waits for its client."""
    waiting = [each for each in held if each.waits and each is not but]
    if not waiting:
        return but
    of = Counter(each.address for each in waiting)
    return min(waiting, key=lambda each: (-of[each.address], each.waits_since_s))
