"""Work permit eligibility: the office says whether a paroled beneficiary may work."""

from typing import ClassVar, Protocol

from activities.partners.client import PartnerClient
from activities.partners.requests import Accepted, PartnerRequest, PersonReference, TellsStatus
from domain.kernel.ids import Code


class WorkPermitCheck(PartnerRequest):
    """May this beneficiary, who was paroled and applied, work?"""

    PARTNER: ClassVar[Code] = "work_permit_office"

    beneficiary: PersonReference


class WorkPermitOffice(TellsStatus, Protocol):
    """Answers later with `work_permit.eligible` or `work_permit.ineligible`."""

    async def request_eligibility(self, request: WorkPermitCheck) -> Accepted:
        """Ask once; the same request again is the same request. Raises `PartnerError`."""
        ...


class WorkPermitOfficeClient(PartnerClient):
    """The work permit office over HTTP."""

    async def request_eligibility(self, request: WorkPermitCheck) -> Accepted:
        """See `WorkPermitOffice`."""
        return await self._channel.send(request)
