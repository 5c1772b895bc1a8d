"""The partners over HTTP: each at its own path, as if it were a service of its own, and routes to script them."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import Annotated, Any, Final

from fastapi import FastAPI, Header, Path, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import AfterValidator, Field, TypeAdapter, ValidationError, create_model

from cases.inbound.webhooks import SignatureRefused, Signer, Verifier, sign, verify
from domain import registry
from domain.kernel.ids import CaseId, Code
from domain.kernel.messages import PartnerCheck
from simulators.desk import Call, PartnerDesk, Reply
from simulators.journal import Journal
from simulators.scripts import PartnerScripts, Section

BODY_MAX_BYTES: Final = 4 * 1024 * 1024
"""A request with a hundred entries and documents has some 60 KiB, a script of ten thousand cases some 3 MiB."""

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


@dataclass(frozen=True, slots=True)
class CallProofs:
    """The partners' side of signed calls. Nothing is checked of a partner that has no key of Passage."""

    passage: Mapping[str, tuple[Verifier, ...]] = field(default_factory=dict)
    """By which each partner knows Passage."""
    own: Mapping[str, tuple[Signer, ...]] = field(default_factory=dict)
    """With which each partner signs its answers."""

    async def refusal(self, partner: str, request_id: str, request: Request) -> Response | None:
        """What answers a request that Passage did not sign; None where it did."""
        keys = self.passage.get(partner, ())
        timestamp, signature = request.headers.get("webhook-timestamp"), request.headers.get("webhook-signature")
        try:
            if keys:
                verify(keys, request_id, timestamp, signature, await request.body(), datetime.now(UTC))
        except SignatureRefused as refused:
            return JSONResponse({"code": f"signature-{refused.fault}"}, 401)
        return None

    def signed(self, partner: str, request_id: str, response: Response) -> Response:
        """The answer with its signature."""
        if partner in self.own:
            signature = sign(self.own[partner], request_id, datetime.now(UTC), bytes(response.body))
            response.headers.update(signature)
        return response


UNSIGNED: Final = CallProofs()


def create_app(journal: Journal, desk: PartnerDesk, proofs: CallProofs = UNSIGNED) -> FastAPI:
    """The app of all partners, over what `journal` remembers."""
    app = FastAPI(title="Simulated partners of Passage", docs_url=None, redoc_url=None)
    app.add_exception_handler(RequestValidationError, _malformed)
    app.add_exception_handler(ValidationError, _malformed)
    app.middleware("http")(_bound_body)
    _add_partners(app, desk, proofs)
    _add_scripting(app, journal)

    @app.get("/healthz")
    async def healthz() -> dict[str, str]:
        return {"status": "ok"}

    return app


def _add_partners(app: FastAPI, desk: PartnerDesk, proofs: CallProofs) -> None:
    for family in registry.families():
        for name, partner in family.partners.items():
            _add_partner(app, _Partner(name, desk, proofs), partner.asks)

    @app.get("/{partner}/v1/requests/{request_id}")
    async def tell(partner: Code, request_id: Annotated[str, Path(max_length=128)], request: Request) -> Response:
        refused = await proofs.refusal(partner, request_id, request)
        return refused or proofs.signed(partner, request_id, _response(desk.status(partner, request_id)))


@dataclass(frozen=True, slots=True)
class _Partner:
    name: str
    desk: PartnerDesk
    proofs: CallProofs


def _add_partner(app: FastAPI, partner: _Partner, check: type[PartnerCheck]) -> None:
    """The route on which the partner takes `check`."""
    body = _call_with(check)

    @app.post(f"/{partner.name}/v1/requests", status_code=202)
    async def ask(call: body, idempotency_key: IdempotencyKey, request: Request) -> Response:  # type: ignore[valid-type]  # made at run time
        refused = await partner.proofs.refusal(partner.name, idempotency_key, request)
        return refused or await _take(partner, call, call.reply_to, idempotency_key)  # type: ignore[attr-defined]  # from a check


@cache
def _call_with(check: type[PartnerCheck]) -> type[PartnerCheck]:
    """What the partner is sent: the check, and where its answer goes."""
    return create_model(f"{check.__name__.removesuffix('Check')}Call", __base__=check, reply_to=(ReplyTo, ...))


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


async def _take(partner: _Partner, check: PartnerCheck, reply_to: str, idempotency_key: str) -> Response:
    if idempotency_key != check.request_id:
        return JSONResponse({"code": "idempotency-key-is-not-the-request-id"}, 422)
    # Answers go to the address that the partners were set up with: a request does not say where data is sent.
    if not reply_to.endswith(f"/v1/partners/{partner.name}/messages"):
        return JSONResponse({"code": "reply-to-of-another-partner"}, 422)
    reply = await partner.desk.take(Call(partner.name, check.request_id, check.case_id, check.subject))
    return _response(reply)


def _response(reply: Reply) -> Response:
    headers = {} if reply.retry_after_s is None else {"Retry-After": str(reply.retry_after_s)}
    return Response(reply.body, reply.status, headers, media_type="application/json")


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
