"""`POST /v1/applications`: a filing is a message like any other, but its case id is drawn here."""

import secrets
from datetime import datetime
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, Field

from cases.inbound.wire import Filing, read_filing
from domain import registry
from domain.kernel.case import Case
from domain.kernel.ids import CaseId, case_id_from_entropy
from domain.kernel.messages import FileApplication
from domain.kernel.proof import claimed
from eventstore.inbox import Incoming
from gateway.deps import Deps, GatewayDeps
from gateway.http.body import read_body
from gateway.http.openapi import body_of_filing
from gateway.http.parameters import IdempotencyKey, Metrics
from gateway.http.problems import Problem, documented
from gateway.identity.callers import FILES, UNKNOWN_CALLER
from gateway.identity.tokens import Caller
from gateway.routes.intake import receive

router = APIRouter(tags=["applications"])

DRAWS_MAX: Final = 5
"""There are 27 billion ids: if five in a row are taken, the source of randomness is broken."""


class Receipt(BaseModel):
    """The case that was opened for the application."""

    case_id: CaseId = Field(examples=["VEN-7Q4K-M2XS"])
    number: int = Field(description="The filing's place in the inbox.", examples=[4711])
    status_url: str = Field(examples=["/v1/cases/VEN-7Q4K-M2XS"])


@router.post(
    "/v1/applications",
    status_code=202,
    summary="File an application",
    responses=documented(
        *UNKNOWN_CALLER,
        "too-many-messages",
        "too-slow",
        "unknown-programme",
        "programme-not-open",
        "message-content-differs",
        "personal-data-erased",
        "too-large",
        "unsupported-media-type",
        "malformed",
        "not-json",
    ),
    openapi_extra={**body_of_filing(), **FILES.documented},
)
async def file_application(
    request: Request,
    response: Response,
    deps: Deps,
    metrics: Metrics,
    caller: Annotated[Caller | None, Depends(FILES)],
    idempotency_key: IdempotencyKey,
) -> Receipt:
    """File an application. It is stored durably before this answers, and decided a moment later.

    A case is opened for every application; the case then shows its outcome and the reason.
    """
    body = await read_body(request)
    sender = FILES.sender_of(caller, "supporter")
    await deps.admit(f"applications:{sender}")
    filing = read_filing(body)
    await _require_programme(deps, filing.programme)
    incoming = Incoming(
        source="supporter",
        message_id=deps.cases.message_id(sender, idempotency_key),  # two services never share an id
        case_id=await _draw_case_id(deps, filing.programme),
        programme=filing.programme,
        body=filing.submission,
        received_at=deps.now(),
        proof=FILES.proof_of(caller, "supporter"),
        person_keys=deps.cases.person_keys(_persons(filing, deps.now())),
    )
    receipt = await receive(deps, metrics, incoming)
    status_url = f"/v1/cases/{receipt.stream}"
    response.headers["Location"] = status_url
    return Receipt(case_id=receipt.stream, number=receipt.number, status_url=status_url)


async def _require_programme(deps: GatewayDeps, programme: str) -> None:
    """An opened programme never disappears, so a cached one is enough; a missing one is looked up."""
    if (await deps.cases.known_programme(programme)).version > 0:
        return
    if (await deps.cases.programme(programme)).version == 0:
        raise Problem("programme-not-open" if programme in registry.programmes() else "unknown-programme")


def _persons(filing: Filing, now: datetime) -> tuple[str, ...]:
    """By whom a later filing of the same person finds this one while it is undecided."""
    command = FileApplication("", "supporter", "", filing.submission, now, claimed("supporter"))
    return registry.programme(filing.programme).family.enquire(Case(""), command).persons


async def _draw_case_id(deps: GatewayDeps, programme: str) -> CaseId:
    prefix = registry.programme(programme).prefix
    for _ in range(DRAWS_MAX):
        case_id = case_id_from_entropy(prefix, secrets.token_bytes(16))
        if await deps.store.summary(case_id) is None and not await deps.inbox.has_undecided(case_id):
            return case_id
    raise RuntimeError("every case id drawn is taken")
