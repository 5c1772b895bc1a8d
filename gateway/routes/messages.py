"""`/v1/partners/{partner}/messages`: messages from partners, people and governments, and the answers to them."""

from collections.abc import Mapping
from typing import Final, NamedTuple

from fastapi import APIRouter, Request, Response

from cases.inbound.senders import Signature
from cases.inbound.wire import PartnerMessage, PartnerName, read_message
from domain import registry
from domain.kernel.proof import Proof, claimed, normal
from eventstore.inbox import Incoming
from gateway.deps import GatewayDeps
from gateway.http.body import read_body
from gateway.http.headers import MessageHeaders, ReadHeaders, documented_headers, read_headers
from gateway.http.openapi import PROOFS, body_of_message
from gateway.http.parameters import MessagePath, PartnerPath
from gateway.http.problems import Problem, ProblemCode, documented
from gateway.identity.callers import UNKNOWN_CALLER, presented
from gateway.identity.senders import identify
from gateway.identity.tokens import Caller
from gateway.routes.intake import Patience, Taken, decide_programme, receive, wished_wait_s

router = APIRouter(tags=["messages"])

ASKED: Final = frozenset(registry.partners())
"""Partners that speak only about cases they were asked about. All others (border, carrier, officers, applicants,
supporters, governments) speak first, about any case (OWASP API1)."""

PEOPLE: Final = frozenset({"applicant", "supporter", "officer"})
"""Senders whose messages people write, so that an id may hold what is personal."""

UNPROVEN: Final[tuple[ProblemCode, ...]] = (
    *UNKNOWN_CALLER,
    "signature-missing",
    "signature-malformed",
    "signature-stale",
    "signature-wrong",
)


class _Envelope(NamedTuple):
    """What a request says about a message, beside the message itself."""

    message_id: str
    signed: Signature
    caller: Caller | None


@router.post(
    "/v1/partners/{partner}/messages",
    status_code=202,
    summary="Send a message",
    responses=documented(
        *UNPROVEN,
        "officer-differs",
        "wrong-partner",
        "too-many-messages",
        "unknown-case",
        "unknown-programme",
        "too-slow",
        "message-content-differs",
        "personal-data-erased",
        "too-large",
        "unsupported-media-type",
        "malformed",
        "not-json",
    ),
    response_model=Taken,
    openapi_extra={**body_of_message(), **PROOFS, "parameters": documented_headers(MessageHeaders)},
)
async def send_message(request: Request, partner: PartnerPath) -> Response:
    """Send a message about a case, as often as needed and in any order: the same id counts once.

    A message is refused here only if no case could ever accept it. Whether its case accepts it is the *answer*:
    `accepted`, or `rejected` with a code. Read the answer later, or wait for it with `Prefer: wait`. A message about
    the programme (`programme.…`) is answered at once.

    An officer's message needs the token of the officer who decides, and its `sub` must be the message's `officer`. All
    other senders sign.
    """
    headers = read_headers(MessageHeaders, request.headers)
    deps: GatewayDeps = request.app.state.deps
    envelope = _Envelope(headers.message_id, _signature(headers), await presented(request, deps))
    incoming = await _admitted(request, deps, partner, envelope)
    receipt = await receive(deps, request.app.state.metrics, incoming)
    if not receipt.first:
        await deps.note_repeat(partner, receipt.message_id)
    if incoming.case_id is None:
        receipt = await decide_programme(deps, partner, receipt)
    receipt = await _patience(request, headers).answer(deps.inbox, partner, receipt)
    location = f"/v1/partners/{partner}/messages/{headers.message_id}"
    return _answer(Taken.of(receipt, headers.message_id), 202, {"Location": location})


async def _admitted(request: Request, deps: GatewayDeps, partner: PartnerName, envelope: _Envelope) -> Incoming:
    """The message, if its sender is identified and may send it now. Raises `Problem`."""
    body = await read_body(request)
    proof = request.state.identity = _identify(deps, partner, envelope, body)
    deps.misses.require_left(str(proof))
    await deps.admit(partner if envelope.caller is None else f"{partner}:{proof}")
    message = read_message(body, partner)
    _require_own_name(envelope.caller, message)
    await _require_scope(deps, proof, partner, message.case_id)
    return Incoming(
        source=partner,
        message_id=_kept_id(deps, partner, envelope),
        case_id=message.case_id,
        programme=message.programme,
        body=message.content,
        received_at=deps.now(),
        proof=_with_officer(proof, message),
    )


def _kept_id(deps: GatewayDeps, partner: PartnerName, envelope: _Envelope) -> str:
    """The message's id as it stands in the record.

    Systems of partners number their messages. What serves people may put a name into an id, so of those ids a keyed
    hash is kept; two officers, or two services, that choose one id mean two messages.
    """
    if partner not in PEOPLE:
        return envelope.message_id
    caller = partner if envelope.caller is None else str(envelope.caller.presented)
    return deps.cases.message_id(caller, envelope.message_id)


def _signature(headers: ReadHeaders) -> Signature:
    return Signature(headers.timestamp, headers.signature)


def _patience(request: Request, headers: ReadHeaders) -> Patience:
    return Patience(request.app.state.waiting, wished_wait_s(headers.prefer))


def _answer(taken: Taken, status: int, headers: Mapping[str, str] | None = None) -> Response:
    return Response(taken.model_dump_json(), status, headers, "application/json")


def _identify(deps: GatewayDeps, partner: PartnerName, envelope: _Envelope, body: bytes) -> Proof:
    """Who sends this: the holder of the partner's key, or for officers the subject of the token.

    Two officers could share one key, so an officer needs a token where tokens are required, and no key beside it.
    Every proof that is given must hold.
    """
    caller, is_officer = envelope.caller, partner == "officer"
    shown = None if caller is None else caller.require("officer" if is_officer else f"partner:{partner}")
    if shown is None and is_officer and deps.tokens.required:
        raise Problem("token-missing")
    if is_officer and shown is not None and not envelope.signed.given:
        return shown
    signer = identify(deps.senders, partner, envelope.message_id, envelope.signed, body, deps.server_now())
    if not is_officer:
        return signer
    return shown or claimed(partner)  # a key that officers share proves none of them


def _require_own_name(caller: Caller | None, message: PartnerMessage) -> None:
    """A denial needs two different officers, so nobody may send a message in another officer's name."""
    officer = getattr(message.content, "officer", None)
    if caller is not None and officer is not None and normal(officer) != caller.subject:
        raise Problem("officer-differs")


def _with_officer(proof: Proof, message: PartnerMessage) -> Proof:
    """The proof; where nothing had to be proved, with the officer whom the message names."""
    officer: str | None = getattr(message.content, "officer", None)
    return claimed(proof.reference, officer) if proof.kind == "none" else proof


async def _require_scope(deps: GatewayDeps, proof: Proof, partner: str, case_id: str | None) -> None:
    """A partner that answers speaks only about cases it was asked about. An unproven sender is left to the case.

    It is answered as if there were no such case, so that nobody learns by trying which cases there are.
    """
    if (
        proof.kind != "none"
        and partner in ASKED
        and case_id is not None
        and await deps.was_asked(case_id, partner) is False
    ):
        raise Problem("unknown-case", recorded_as="case-not-asked")


@router.get(
    "/v1/partners/{partner}/messages/{message_id}",
    summary="Read the answer to a message",
    responses=documented(*UNPROVEN, "unknown-message", "malformed"),
    response_model=Taken,
    openapi_extra={**PROOFS, "parameters": documented_headers(ReadHeaders)},
)
async def read_answer(request: Request, partner: PartnerPath, message_id: MessagePath) -> Response:
    """The receipt of a message, with its answer once the case has taken it.

    Signed like a message of this id with an empty body; an officer's token is enough.
    """
    deps: GatewayDeps = request.app.state.deps
    headers = read_headers(ReadHeaders, request.headers)
    envelope = _Envelope(message_id, _signature(headers), await presented(request, deps))
    _identify(deps, partner, envelope, b"")
    receipt = await deps.inbox.get(partner, _kept_id(deps, partner, envelope))
    if receipt is None:
        raise Problem("unknown-message")
    return _answer(Taken.of(await _patience(request, headers).answer(deps.inbox, partner, receipt), message_id), 200)
