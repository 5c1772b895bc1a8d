"""The OpenAPI document. Bodies are read by the gateway itself, so what they look like is added here.

`wire.py` is what reads them: the document is made from the same classes.
"""

from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from cases.inbound.wire import WIRE, BoardingQuestion, Filing, senders_of
from gateway.deps import GatewayDeps
from gateway.http.examples import BOARDING_QUESTION, FILING, MESSAGES
from gateway.http.problems import ProblemDocument

_SCHEMAS: Final = "#/components/schemas/"
_EXAMPLES: Final = {Filing: FILING, BoardingQuestion: BOARDING_QUESTION}

PROOFS: Final[dict[str, Any]] = {"security": [{"signature": []}, {"token": ["officer"]}]}
"""`openapi_extra` of what partners do, who sign, and officers, who show a token."""

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
Passage runs a humanitarian entry programme case by case. This is its only entrance.

**Send as often as you like.** Every message carries an id of yours; the same id counts once and gives the first answer
again. Anything but a success can be sent again unchanged, unless the answer is a 4xx.

**Order does not matter to delivery.** What counts is when a message came in. A message that comes too early or too late
for its case is taken all the same, and answered `rejected` with a code.

**Errors** are problems (RFC 9457) with a stable `code`. They name the place of each fault and never repeat what was
sent. Bodies are strict JSON: nothing is coerced, no key may be unknown or stand twice, and times carry an offset.
"""


def body_of(kind: type[BaseModel]) -> dict[str, Any]:
    """`openapi_extra` of a route that reads this body."""
    content = {"schema": {"$ref": _SCHEMAS + kind.__name__}, "example": _EXAMPLES[kind]}
    return {"requestBody": {"required": True, "content": {"application/json": content}}}


def body_of_message() -> dict[str, Any]:
    """`openapi_extra` of the route that reads messages: one of all kinds, told apart by `message`."""
    references = {name: _SCHEMAS + kind.__name__ for name, kind in WIRE.items()}
    schema = {
        "oneOf": [{"$ref": reference} for reference in references.values()],
        "discriminator": {"propertyName": "message", "mapping": references},
    }
    examples = {
        name: {"summary": f"from {' or '.join(senders_of(name))}", "value": example}
        for name, example in MESSAGES.items()
    }
    content = {"schema": schema, "examples": examples}
    return {"requestBody": {"required": True, "content": {"application/json": content}}}


def document(app: FastAPI) -> dict[str, Any]:
    """The whole document; made once."""
    if app.openapi_schema is None:
        made = get_openapi(title=app.title, version=app.version, description=DESCRIPTION, routes=app.routes)
        kinds: tuple[type[BaseModel], ...] = (Filing, BoardingQuestion, ProblemDocument, *WIRE.values())
        _, schemas = models_json_schema([(kind, "validation") for kind in kinds], ref_template=_SCHEMAS + "{model}")
        made["components"]["schemas"].update(schemas["$defs"])
        made["components"]["securitySchemes"] = _SECURITY_SCHEMES
        _admit_strangers(app, made)
        app.openapi_schema = made
    return app.openapi_schema


def _admit_strangers(app: FastAPI, made: dict[str, Any]) -> None:
    """Say so where who they are need not be proven: in an embedded stack."""
    deps: GatewayDeps | None = app.state.deps
    if deps is None:  # the document alone, which is then a deployment's
        return
    open_to_all = {"token": not deps.tokens.required, "signature": deps.senders.unsigned}
    for operation in (each for methods in made["paths"].values() for each in methods.values()):
        security = operation.get("security", [])
        if any(open_to_all[scheme] for alternative in security for scheme in alternative):
            operation["security"] = [*security, {}]
