"""Security vetting: the vetting service looks the beneficiary up in national security and public safety records."""

from typing import ClassVar, Protocol

from activities.partners.client import PartnerClient
from activities.partners.requests import Accepted, PartnerRequest, TellsStatus
from domain.humanitarian_parole.application import Beneficiary
from domain.kernel.ids import Code


class VettingCheck(PartnerRequest):
    """Is anything known about this beneficiary?"""

    PARTNER: ClassVar[Code] = "vetting"

    beneficiary: Beneficiary


class Vetting(TellsStatus, Protocol):
    """Answers later with `vetting.cleared`, `vetting.referred` or `vetting.hit`."""

    async def request_vetting(self, request: VettingCheck) -> Accepted:
        """Ask once; the same request again is the same request. Raises `PartnerError`."""
        ...


class VettingClient(PartnerClient):
    """The vetting service over HTTP."""

    async def request_vetting(self, request: VettingCheck) -> Accepted:
        """See `Vetting`."""
        return await self._channel.send(request)
