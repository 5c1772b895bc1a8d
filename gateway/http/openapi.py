"""The OpenAPI document. The gateway reads bodies itself, so their schemas are added here.

They are made from the classes in `wire.py` that read the bodies.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from cases.inbound.wire import FILINGS, WIRE, BoardingQuestion, senders_of
from gateway.deps import GatewayDeps
from gateway.http.examples import BOARDING_QUESTION, FILING, MESSAGES
from gateway.http.problems import ProblemDocument

_SCHEMAS: Final = "#/components/schemas/"
_EXAMPLES: Final[Mapping[type[BaseModel], Mapping[str, Any]]] = {BoardingQuestion: BOARDING_QUESTION}

PROOFS: Final[dict[str, Any]] = {"security": [{"signature": []}, {"token": ["officer"]}]}
"""`openapi_extra` of routes for partners, who sign, and officers, who send a token."""

_SECURITY_SCHEMES: Final = {
    "token": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "An access token (RFC 9068) of the issuer that Passage trusts, with the role that is named.",
    },
    "signature": {
        "type": "apiKey",
        "in": "header",
        "name": "webhook-signature",
        "description": "Standard Webhooks, by the partner's key, with `webhook-id` and `webhook-timestamp`.",
    },
}

DESCRIPTION: Final = """
Passage runs a humanitarian entry programme case by case. All systems talk to it through this API.

**Sending again is safe.** Every message carries an id that you choose. The same id counts once and returns the first
answer again. After any failure except a 4xx, send the same message again unchanged.

**Messages may arrive in any order.** What counts is when a message was received. A message that arrives too early or
too late for its case is accepted and later answered `rejected` with a code.

**Errors** are problems (RFC 9457) with a stable `code`. They name the place of each fault and never repeat what was
sent. Bodies are strict JSON: values are not converted, unknown or repeated keys are refused, and times need an offset.
"""


@lru_cache(maxsize=1)
def _schemas() -> tuple[Mapping[Any, Mapping[str, Any]], Mapping[str, Any]]:
    """Every body's reference, by class, and the schemas. Classes of one name in two families get names of their own."""
    of_messages = (kind for of in WIRE.values() for kind in of)
    kinds: tuple[type[BaseModel], ...] = (*FILINGS.values(), BoardingQuestion, ProblemDocument, *of_messages)
    references, found = models_json_schema([(kind, "validation") for kind in kinds], ref_template=_SCHEMAS + "{model}")
    return {kind: reference for (kind, _), reference in references.items()}, found["$defs"]


def _reference(kind: type[BaseModel]) -> Mapping[str, Any]:
    return _schemas()[0][kind]


def body_of(kind: type[BaseModel]) -> dict[str, Any]:
    """`openapi_extra` of a route that reads this body."""
    content = {"schema": _reference(kind), "example": _EXAMPLES[kind]}
    return {"requestBody": {"required": True, "content": {"application/json": content}}}


def body_of_filing() -> dict[str, Any]:
    """`openapi_extra` of the route that files: what each family of programmes takes."""
    schema = {"oneOf": [_reference(kind) for kind in FILINGS.values()]}
    content = {"schema": schema, "example": FILING}
    return {"requestBody": {"required": True, "content": {"application/json": content}}}


def body_of_message() -> dict[str, Any]:
    """`openapi_extra` of the route that reads messages: any one kind, distinguished by `message`."""
    references = {name: _reference(kinds[0])["$ref"] for name, kinds in WIRE.items()}
    schema = {
        "oneOf": [_reference(kind) for kinds in WIRE.values() for kind in kinds],
        "discriminator": {"propertyName": "message", "mapping": references},
    }
    examples = {
        name: {"summary": f"from {' or '.join(senders_of(name))}", "value": example}
        for name, example in MESSAGES.items()
    }
    content = {"schema": schema, "examples": examples}
    return {"requestBody": {"required": True, "content": {"application/json": content}}}


def document(app: FastAPI) -> dict[str, Any]:
    """The whole document, made once."""
    if app.openapi_schema is None:
        made = get_openapi(title=app.title, version=app.version, description=DESCRIPTION, routes=app.routes)
        made["components"]["schemas"].update(_schemas()[1])
        made["components"]["securitySchemes"] = _SECURITY_SCHEMES
        _admit_strangers(app, made)
        app.openapi_schema = made
    return app.openapi_schema


def _admit_strangers(app: FastAPI, made: dict[str, Any]) -> None:
    """Document that callers need no proof where that is so: in an embedded stack."""
    deps: GatewayDeps | None = app.state.deps
    if deps is None:  # only the document is wanted: a deployment's
        return
    open_to_all = {"token": not deps.tokens.required, "signature": deps.senders.unsigned}
    for operation in (each for methods in made["paths"].values() for each in methods.values()):
        security = operation.get("security", [])
        if any(open_to_all[scheme] for alternative in security for scheme in alternative):
            operation["security"] = [*security, {}]
