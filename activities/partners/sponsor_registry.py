"""Sponsor confirmation: the supporter registry says whether the supporter can and will support the beneficiary."""

from typing import ClassVar, Protocol

from activities.partners.client import PartnerClient
from activities.partners.requests import Accepted, PartnerRequest, PersonReference, TellsStatus
from domain.humanitarian_parole.application import Supporter
from domain.kernel.ids import Code


class SponsorCheck(PartnerRequest):
    """Is this supporter who they say, able to support, and do they support this beneficiary?"""

    PARTNER: ClassVar[Code] = "sponsor_registry"

    supporter: Supporter
    beneficiary: PersonReference


class SponsorRegistry(TellsStatus, Protocol):
    """Answers later with `sponsor.confirmed`, `sponsor.not_confirmed` or `sponsor.needs_review`."""

    async def request_confirmation(self, request: SponsorCheck) -> Accepted:
        """Ask once; the same request again is the same request. Raises `PartnerError`."""
        ...


class SponsorRegistryClient(PartnerClient):
    """The supporter registry over HTTP."""

    async def request_confirmation(self, request: SponsorCheck) -> Accepted:
        """See `SponsorRegistry`."""
        return await self._channel.send(request)
