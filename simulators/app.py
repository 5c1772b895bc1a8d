"""The partners over HTTP: each at its own path, as if it were a service of its own, and routes to script them."""

import json
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Annotated, Any, Final

from fastapi import FastAPI, Header, Path, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import AfterValidator, Field, TypeAdapter, ValidationError, create_model

from cases.inbound.webhooks import Signer, sign
from domain import registry
from domain.kernel.ids import CaseId, Code
from domain.kernel.messages import PartnerCheck
from simulators.desk import Call, PartnerDesk, Reply
from simulators.journal import Journal
from simulators.scripts import PartnerScripts, Section

BODY_MAX_BYTES: Final = 4 * 1024 * 1024
"""A request with a hundred entries and documents has some 60 KiB, a script of ten thousand cases some 3 MiB."""

UNSIGNED: Final[Mapping[str, str]] = MappingProxyType({})
NO_KEYS: Final[Mapping[str, tuple[Signer, ...]]] = MappingProxyType({})

IdempotencyKey = Annotated[str, Header(max_length=128)]
ReplyTo = Annotated[str, Field(max_length=2000, pattern=r"^https?://")]


def _own_answers(scripts: PartnerScripts) -> PartnerScripts:
    for partner, answer in scripts.foreign_answers():
        raise ValueError(f"{answer} is not an answer of {partner}")
    return scripts


OwnAnswers = Annotated[PartnerScripts, AfterValidator(_own_answers)]
_OWN_ANSWERS: Final = TypeAdapter(OwnAnswers)


class PassportScripts(Section):
    """How partners answer the case whose beneficiary has this passport."""

    passport_number: Annotated[str, Field(min_length=1, max_length=64)]
    partners: OwnAnswers


SCRIPTS: Final = TypeAdapter(Annotated[list[PassportScripts], Field(max_length=10_000)])


def create_app(journal: Journal, desk: PartnerDesk, keys: Mapping[str, tuple[Signer, ...]] = NO_KEYS) -> FastAPI:
    """The app of all partners, over what `journal` remembers."""
    app = FastAPI(title="Simulated partners of Passage", docs_url=None, redoc_url=None)
    app.add_exception_handler(RequestValidationError, _malformed)
    app.add_exception_handler(ValidationError, _malformed)
    app.middleware("http")(_bound_body)
    _add_partners(app, desk, keys)
    _add_scripting(app, journal)

    @app.get("/healthz")
    async def healthz() -> dict[str, str]:
        return {"status": "ok"}

    return app


def _add_partners(app: FastAPI, desk: PartnerDesk, keys: Mapping[str, tuple[Signer, ...]]) -> None:
    for family in registry.families():
        for name, partner in family.partners.items():
            _add_partner(app, desk, name, partner.asks)

    @app.get("/{partner}/v1/requests/{request_id}")
    async def tell(partner: Code, request_id: Annotated[str, Path(max_length=128)]) -> Response:
        reply = desk.status(partner, request_id)
        return _response(reply, _signed(reply, keys.get(partner, ())))


def _add_partner(app: FastAPI, desk: PartnerDesk, partner: str, check: type[PartnerCheck]) -> None:
    """The route on which the partner takes `check`."""
    body = create_model(f"{check.__name__.removesuffix('Check')}Call", __base__=check, reply_to=(ReplyTo, ...))

    @app.post(f"/{partner}/v1/requests", status_code=202)
    async def ask(call: body, idempotency_key: IdempotencyKey) -> Response:
        return await _take(desk, partner, call, call.reply_to, idempotency_key)  # type: ignore[attr-defined]  # from a check


def _add_scripting(app: FastAPI, journal: Journal) -> None:
    # Bodies are read as JSON text: strict models take a moment or a duration from text only there.
    @app.put("/scripts/default", status_code=204)
    async def set_default(request: Request) -> None:
        journal.set_default(_OWN_ANSWERS.validate_json(await request.body()))

    # The passport number is in the body: an address ends up in logs.
    @app.put("/scripts/passports", status_code=204)
    async def set_for_passports(request: Request) -> None:
        for script in SCRIPTS.validate_json(await request.body()):
            journal.set_for_passport(script.passport_number, script.partners)

    @app.put("/scripts/{case_id}", status_code=204)
    async def set_for_case(case_id: CaseId, request: Request) -> None:
        journal.set_for_case(case_id, _OWN_ANSWERS.validate_json(await request.body()))


async def _take(desk: PartnerDesk, partner: str, check: PartnerCheck, reply_to: str, idempotency_key: str) -> Response:
    if idempotency_key != check.request_id:
        return JSONResponse({"code": "idempotency-key-is-not-the-request-id"}, 422)
    # Answers go to the address that the partners were set up with: a request does not say where data is sent.
    if not reply_to.endswith(f"/v1/partners/{partner}/messages"):
        return JSONResponse({"code": "reply-to-of-another-partner"}, 422)
    reply = await desk.take(Call(partner, check.request_id, check.case_id, check.subject))
    return _response(reply)


def _response(reply: Reply, signed: Mapping[str, str] = UNSIGNED) -> Response:
    headers = {} if reply.retry_after_s is None else {"Retry-After": str(reply.retry_after_s)}
    return Response(reply.body, reply.status, {**headers, **signed}, media_type="application/json")


def _signed(reply: Reply, keys: tuple[Signer, ...]) -> Mapping[str, str]:
    """An answer that is told again is signed as it was when it was sent, over the whole response."""
    said = json.loads(reply.body).get("message_id")
    return sign(keys, said, datetime.now(UTC), reply.body) if said and keys else {}


async def _malformed(_request: Request, error: Exception) -> Response:
    """What is wrong and where, without what was sent."""
    faults: list[Any] = []
    if isinstance(error, RequestValidationError | ValidationError):
        faults = [{"loc": fault["loc"], "type": fault["type"], "msg": fault["msg"]} for fault in error.errors()]
    return JSONResponse({"code": "malformed", "faults": faults}, 422)


async def _bound_body(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    length = request.headers.get("Content-Length", "0")
    if "Transfer-Encoding" in request.headers or not length.isdecimal() or int(length) > BODY_MAX_BYTES:
        return JSONResponse({"code": "too-large"}, 413)
    return await call_next(request)
