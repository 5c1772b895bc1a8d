"""Requests to partners about a made-up person whose every detail can be searched for, and servers to send them to."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import uvicorn
from fastapi import FastAPI

from domain import registry
from domain.humanitarian_parole.application import Application
from domain.humanitarian_parole.stages.filing import ApplicationFiled
from domain.kernel.case import Case, Request
from domain.kernel.decider import evolve
from domain.kernel.ids import case_id_from_entropy
from domain.kernel.messages import PartnerCheck

FAMILY = registry.programme("venezuela-air").family
CASE_ID = case_id_from_entropy("VEN", b"the case that asks")
OTHER_CASE_ID = case_id_from_entropy("VEN", b"another case")
REQUESTED_AT = datetime(2022, 10, 20, 14, tzinfo=UTC)

CANARIES = (
    "Canariana",
    "Pérez-Canario",
    "CANARY151234567",
    "canary-fmm-77",
    "Luiscanary",
    "900-00-CANARY",
    "canary@example.org",
)
"""Each stands once in `APPLICATION`; none may stand in an error, a log line or a text form."""

APPLICATION = Application.model_validate(
    {
        "beneficiary": {
            "given_names": "Canariana",
            "surnames": "Pérez-Canario",
            "birth_date": "1990-05-14",
            "nationalities": ["VEN"],
            "passport": {
                "number": "CANARY151234567",
                "issuing_country": "VEN",
                "issued_on": "2021-03-01",
                "expires_on": "2026-03-01",
            },
            "located_in": "MEX",
        },
        "entries": [
            {"country": "MEX", "entered_at": "2022-09-01T10:00:00-05:00", "place": "Tapachula", "manner": "regular"}
        ],
        "documents": [{"kind": "fmm", "number": "canary-fmm-77", "entered_on": "2022-09-01"}],
        "supporter": {
            "given_names": "Luiscanary",
            "surnames": "Gómez",
            "birth_date": "1980-01-01",
            "tax_id": "900-00-CANARY",
            "status": "citizen",
            "household_size": 2,
            "annual_income_usd": 60000,
            "address": "1 Main St, Houston TX",
            "phone": "+1-713-555-0100",
            "email": "canary@example.org",
        },
    }
)


def a_check(
    partner: str = "vetting",
    *,
    request_id: str | None = None,
    case_id: str = CASE_ID,
    requested_at: datetime = REQUESTED_AT,
    application: Application = APPLICATION,
) -> PartnerCheck:
    """A request to `partner` about a case with what is filed in `application`."""
    filed = ApplicationFiled(
        at=REQUESTED_AT,
        programme="venezuela-air",
        rules_version="2022-10-19",
        rules_digest="0" * 64,
        application=application,
    )
    case = evolve(FAMILY, Case(case_id), filed)
    request = Request(request_id or f"{CASE_ID}:{partner}", partner, requested_at)
    return FAMILY.partners[partner].check(case, request)


def partner_of(check: PartnerCheck) -> str:
    """Who is asked with such a request."""
    return next(name for name in registry.partners() if registry.partner(name).asks is type(check))


def free_port() -> int:
    """A port of 127.0.0.1 that nothing listened on a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@asynccontextmanager
async def served(app: FastAPI) -> AsyncIterator[str]:
    """`app` over real HTTP in this process; gives its address."""
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False, lifespan="off"))
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    while not server.started:  # noqa: ASYNC110  uvicorn tells of its start in no other way
        await asyncio.sleep(0.005)
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        await serving
        listening.close()
