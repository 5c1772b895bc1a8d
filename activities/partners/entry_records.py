"""Proof of entry: Mexican entry records say whether and when the beneficiary entered Mexico."""

from typing import Annotated, ClassVar, Protocol

from pydantic import Field

from activities.partners.client import PartnerClient
from activities.partners.requests import Accepted, PartnerRequest, TellsStatus
from domain.humanitarian_parole.application import Beneficiary, Document, Entry
from domain.kernel.ids import Code


class EntryCheck(PartnerRequest):
    """Do your records show the entries that this beneficiary declares and documents?"""

    PARTNER: ClassVar[Code] = "entry_records"

    beneficiary: Beneficiary
    entries: Annotated[tuple[Entry, ...], Field(max_length=100)]
    documents: Annotated[tuple[Document, ...], Field(max_length=100)]


class EntryRecords(TellsStatus, Protocol):
    """Answers later with `entry.matched`, `entry.not_found` or `entry.mismatch`."""

    async def request_entry_check(self, request: EntryCheck) -> Accepted:
        """Ask once; the same request again is the same request. Raises `PartnerError`."""
        ...


class EntryRecordsClient(PartnerClient):
    """Mexican entry records over HTTP."""

    async def request_entry_check(self, request: EntryCheck) -> Accepted:
        """See `EntryRecords`."""
        return await self._channel.send(request)
