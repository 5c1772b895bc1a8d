"""A partner that takes no calls is left alone for a while, by all workers, and operators are told once.

Only what comes back decides: a call that a partner takes, or refuses, shows that it is there; one that is lost, busy or
answered outside the agreement does not. Nobody's case waits for it (decision 6).
"""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Final, Protocol, TypeVar

import structlog

from activities.partners.errors import PartnerError, PartnerPaused, PartnerRefused
from activities.partners.requests import Accepted, Status
from domain.kernel.ids import Code
from domain.kernel.messages import PartnerCheck
from eventstore.partner_calls import Admitted, Circuits, CircuitTerms, Paused

_log = structlog.get_logger()

TERMS: Final = CircuitTerms(
    # A partner that fails three calls of ten has ten in a row once in 170,000 calls, one that fails nine of ten within
    # some thirty; a restart that takes a second is over before ten cases were asked about at the usual pace.
    failures_max=10,
    pause_first=timedelta(seconds=5),  # no longer than the first pause of a call's own policy
    pause_max=timedelta(minutes=5),  # so late is a partner noticed that is back; one that is dead has 12 calls an hour
    turn=timedelta(seconds=20),  # the time of the activity that calls
)

T = TypeVar("T")


class Partners(Protocol):
    """All partners, as whoever asks them sees them."""

    async def call(self, partner: Code, request: PartnerCheck) -> Accepted:
        """Send `request` to `partner` once. Raises `PartnerError`."""
        ...

    async def status(self, partner: Code, request_id: str, case_id: str) -> Status:
        """Ask `partner` once what became of a request. Raises `PartnerError`."""
        ...

    async def pause(self, partner: Code) -> Paused | None:
        """The pause of its calls, if there is one."""
        ...


class GuardedPartners:
    """`Partners`, each behind its circuit."""

    def __init__(self, partners: Partners, circuits: Circuits) -> None:
        self._partners = partners
        self._circuits = circuits

    async def pause(self, partner: Code) -> Paused | None:
        """See `Partners`."""
        return await self._circuits.pause(partner)

    async def call(self, partner: Code, request: PartnerCheck) -> Accepted:
        """See `Partners`. Raises `PartnerPaused`, too, where nothing was sent."""
        return await self._guarded(partner, lambda: self._partners.call(partner, request))

    async def status(self, partner: Code, request_id: str, case_id: str) -> Status:
        """See `Partners`. Raises `PartnerPaused`, too, where nothing was asked."""
        return await self._guarded(partner, lambda: self._partners.status(partner, request_id, case_id))

    async def _guarded(self, partner: Code, exchange: Callable[[], Awaitable[T]]) -> T:
        admitted = await self._circuits.admit(partner)
        if isinstance(admitted, Paused):
            raise PartnerPaused(partner, admitted)
        try:
            result = await exchange()
        except PartnerRefused:
            await self._note_taken(partner)
            raise
        except PartnerError:
            await self._note_failed(partner, admitted)
            raise
        await self._note_taken(partner)
        return result

    async def _note_taken(self, partner: Code) -> None:
        if await self._circuits.note_taken(partner):
            _log.warning("partner takes calls again", partner=partner)

    async def _note_failed(self, partner: Code, admitted: Admitted) -> None:
        pause = await self._circuits.note_failed(partner, probe=admitted.probe)
        if pause is not None:
            _log.error(
                "partner takes no calls, so that they pause",
                alarm=True,
                code="partner-paused",
                partner=partner,
                since=pause.since.isoformat(),
                until=pause.until.isoformat(),
            )
