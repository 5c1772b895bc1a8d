"""The headers of a message (Standard Webhooks), read by the gateway itself, as bodies are.

FastAPI takes some 15 microseconds to read a header, and three times as long for a dependency.
"""

from collections.abc import Mapping
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.datastructures import Headers

from cases.inbound import faults
from domain.kernel.ids import GivenId
from gateway.http.problems import Problem


class ReadHeaders(BaseModel):
    """Who sends a request, and how long the sender is willing to wait for the answer."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    timestamp: str | None = Field(
        default=None,
        alias="webhook-timestamp",
        description="When this attempt was signed, in seconds since 1970; within five minutes of now.",
        examples=["1666267200"],
    )
    signature: str | None = Field(
        default=None,
        alias="webhook-signature",
        description="Standard Webhooks: `v1,<base64>` (HMAC-SHA256) or `v1a,<base64>` (Ed25519) over "
        "`<webhook-id>.<webhook-timestamp>.<body>`; several with a space between them while a key is changed.",
        examples=["v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4="],
    )
    prefer: str | None = Field(
        default=None,
        description="`wait` or `wait=<seconds>` (RFC 7240): hold the answer until the case has taken the message, "
        "for ten seconds at most.",
        examples=["wait=5"],
    )


class MessageHeaders(ReadHeaders):
    """The headers of a message: those of a read, and the message's id."""

    message_id: GivenId = Field(
        alias="webhook-id",
        description="The sender's own id of the message (Standard Webhooks). The same id is the same message.",
        examples=["msg_2f6c1e"],
    )


Kind = TypeVar("Kind", bound=ReadHeaders)

_NAMES: Final[Mapping[type[ReadHeaders], tuple[str, ...]]] = {
    kind: tuple(field.alias or name for name, field in kind.model_fields.items())
    for kind in (ReadHeaders, MessageHeaders)
}


def read_headers(kind: type[Kind], headers: Headers) -> Kind:
    """The headers of a request, as `kind`. Raises `Problem`: `malformed`, with the place of every fault."""
    given = {name: value for name in _NAMES[kind] if (value := headers.get(name)) is not None}
    try:
        return kind.model_validate(given)
    except ValidationError as error:
        errors = error.errors(include_input=False, include_context=False, include_url=False)
        placed = [{**each, "loc": ("header", *each["loc"])} for each in errors]
        raise Problem("malformed", faults=faults.of_parameters(placed)) from None


def documented_headers(kind: type[ReadHeaders]) -> list[dict[str, Any]]:
    """`parameters` of the OpenAPI document of a route that reads these, the required ones first."""
    schema = kind.model_json_schema()
    required = schema.get("required", ())
    return [
        {
            "name": name,
            "in": "header",
            "required": name in required,
            "schema": {key: value for key, value in field.items() if key != "default"},
            "description": field["description"],
        }
        for name, field in sorted(schema["properties"].items(), key=lambda named: named[0] not in required)
    ]
