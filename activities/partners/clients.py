"""All partners together: how the clients are made, what each is sent, and who is called."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Final, assert_never

import httpx2

from activities.partners.client import CALL_TIMEOUT_S, PartnerChannel
from activities.partners.entry_records import EntryCheck, EntryRecords, EntryRecordsClient
from activities.partners.requests import Accepted, PersonReference, Status, TellsStatus
from activities.partners.sponsor_registry import SponsorCheck, SponsorRegistry, SponsorRegistryClient
from activities.partners.vetting import Vetting, VettingCheck, VettingClient
from activities.partners.work_permit_office import WorkPermitCheck, WorkPermitOffice, WorkPermitOfficeClient
from domain.humanitarian_parole.application import Application
from domain.kernel.ids import Code
from eventstore.partner_calls import Paused

CONNECTIONS_MAX: Final = 32
"""To one partner at once, with a pool of its own: a slow partner uses up nobody else's connections."""

AnyCheck = SponsorCheck | EntryCheck | VettingCheck | WorkPermitCheck


def check_for(
    partner: Code, *, request_id: str, case_id: str, requested_at: datetime, application: Application
) -> AnyCheck:
    """What `partner` is to be sent about a case whose present facts are `application`, and no more than it needs."""
    ids = {"request_id": request_id, "case_id": case_id, "requested_at": requested_at}
    beneficiary = application.beneficiary
    match partner:
        case "sponsor_registry":
            who = PersonReference.of(beneficiary)
            return SponsorCheck.model_validate({**ids, "supporter": application.supporter, "beneficiary": who})
        case "entry_records":
            declared = {"entries": application.entries, "documents": application.documents}
            return EntryCheck.model_validate({**ids, "beneficiary": beneficiary, **declared})
        case "vetting":
            return VettingCheck.model_validate({**ids, "beneficiary": beneficiary})
        case "work_permit_office":
            return WorkPermitCheck.model_validate({**ids, "beneficiary": PersonReference.of(beneficiary)})
        case _:
            assert_never(partner)


@dataclass(frozen=True, slots=True)
class PartnerClients:
    """One client a partner, each behind its port."""

    sponsor_registry: SponsorRegistry
    entry_records: EntryRecords
    vetting: Vetting
    work_permit_office: WorkPermitOffice

    async def call(self, partner: Code, request: AnyCheck) -> Accepted:
        """Send `request` to `partner` once. Raises `PartnerError`, or `ValueError` for another partner's request."""
        if partner != request.PARTNER:
            raise ValueError(f"a request to {request.PARTNER} was about to go to {partner}")
        match request:
            case SponsorCheck():
                return await self.sponsor_registry.request_confirmation(request)
            case EntryCheck():
                return await self.entry_records.request_entry_check(request)
            case VettingCheck():
                return await self.vetting.request_vetting(request)
            case WorkPermitCheck():
                return await self.work_permit_office.request_eligibility(request)
            case _:
                assert_never(request)

    async def status(self, partner: Code, request_id: str, case_id: str) -> Status:
        """Ask `partner` once what became of a request. Raises `PartnerError`."""
        ports: Mapping[Code, TellsStatus] = {
            "sponsor_registry": self.sponsor_registry,
            "entry_records": self.entry_records,
            "vetting": self.vetting,
            "work_permit_office": self.work_permit_office,
        }
        return await ports[partner].status(request_id, case_id)

    async def pause(self, _: Code) -> Paused | None:
        """None: these send whatever they are given (`circuit.py` does not)."""
        return None


@asynccontextmanager
async def open_partner_clients(
    urls: Mapping[Code, str],
    gateway_url: str,
    *,
    transport: httpx2.AsyncBaseTransport | None = None,
    timeout_s: float = CALL_TIMEOUT_S,
) -> AsyncIterator[PartnerClients]:
    """Clients over HTTP, closed on leaving.

    `urls` has the base address of each partner; partners answer to `<gateway_url>/v1/partners/<partner>/messages`.
    `transport` takes the place of the network. Raises `ValueError` for an address that is not http or https.
    """
    async with AsyncExitStack() as stack:

        async def channel(partner: Code) -> PartnerChannel:
            http = await stack.enter_async_context(_http_client(transport, timeout_s))
            reply_to = f"{gateway_url.rstrip('/')}/v1/partners/{partner}/messages"
            return PartnerChannel(partner, _checked(partner, urls[partner]), reply_to, http, timeout_s)

        yield PartnerClients(
            sponsor_registry=SponsorRegistryClient(await channel("sponsor_registry")),
            entry_records=EntryRecordsClient(await channel("entry_records")),
            vetting=VettingClient(await channel("vetting")),
            work_permit_office=WorkPermitOfficeClient(await channel("work_permit_office")),
        )


def _http_client(transport: httpx2.AsyncBaseTransport | None, timeout_s: float) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(
        transport=transport,
        follow_redirects=False,  # personal data goes to the agreed address or nowhere
        trust_env=False,  # no proxy or .netrc of whoever started the worker
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),  # nothing ties one case's call to another's
        timeout=timeout_s,
        limits=httpx2.Limits(max_connections=CONNECTIONS_MAX, max_keepalive_connections=CONNECTIONS_MAX),
        headers={"User-Agent": "passage", "Accept": "application/json"},
    )


def _checked(partner: Code, address: str) -> str:
    try:
        url = httpx2.URL(address)
    except httpx2.InvalidURL:
        url = httpx2.URL()
    if url.scheme not in ("http", "https") or not url.host:
        raise ValueError(f"the address of {partner} is not an http or https address")
    return address
