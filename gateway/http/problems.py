"""RFC 9457 problems, each with a stable code. None of them ever repeats what was sent."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from cases.inbound.faults import FAULTS_MAX, BodyRefused, Fault

MEDIA_TYPE: Final = "application/problem+json"

ProblemCode = Literal[
    "malformed",
    "not-json",
    "too-large",
    "too-slow",
    "unsupported-media-type",
    "signature-missing",
    "signature-malformed",
    "signature-stale",
    "signature-wrong",
    "token-missing",
    "token-malformed",
    "token-key-unknown",
    "token-wrong",
    "token-issuer-wrong",
    "token-audience-wrong",
    "token-expired",
    "token-not-yet-valid",
    "token-lives-too-long",
    "token-acr-insufficient",
    "token-revoked",
    "role-missing",
    "officer-differs",
    "form-stale",
    "not-local",
    "wrong-partner",
    "case-not-asked",
    "too-many-messages",
    "document-too-large",
    "document-media-type",
    "document-hash-differs",
    "too-many-documents",
    "unknown-document",
    "unknown-case",
    "unknown-programme",
    "programme-not-open",
    "unknown-message",
    "message-content-differs",
    "personal-data-erased",
    "not-found",
    "method-not-allowed",
    "issuer-unavailable",
    "unavailable",
    "internal",
]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of problem: its HTTP status and its title."""

    status: int
    title: str


KINDS: Final[Mapping[ProblemCode, Kind]] = {
    "malformed": Kind(422, "The request does not match the OpenAPI document."),
    "not-json": Kind(422, "The body is not one JSON object in UTF-8."),
    "too-large": Kind(413, "The body is larger than 256 KiB."),
    "too-slow": Kind(408, "The body did not arrive in time."),
    "unsupported-media-type": Kind(415, "The body must be sent as application/json."),
    "signature-missing": Kind(401, "The message must be signed: send webhook-timestamp and webhook-signature."),
    "signature-malformed": Kind(401, "The signature or its timestamp does not have the form of Standard Webhooks."),
    "signature-stale": Kind(401, "The timestamp is more than five minutes from now. Sign each attempt again."),
    "signature-wrong": Kind(401, "The signature is not by this partner's keys over this id, timestamp and body."),
    "token-missing": Kind(401, "The request needs a token: send Authorization: Bearer."),
    "token-malformed": Kind(401, "The token does not have an accepted form."),
    "token-key-unknown": Kind(401, "The issuer publishes no key with this id and algorithm."),
    "token-wrong": Kind(401, "The token's signature does not verify with that key."),
    "token-issuer-wrong": Kind(401, "The token was issued by another issuer."),
    "token-audience-wrong": Kind(401, "The token is for another audience."),
    "token-expired": Kind(401, "The token has expired. Ask the issuer for a new one."),
    "token-not-yet-valid": Kind(401, "The token is not valid yet."),
    "token-lives-too-long": Kind(401, "The token is valid for more than twelve hours."),
    "token-acr-insufficient": Kind(401, "The token's holder did not sign in as strongly as this needs."),
    "token-revoked": Kind(401, "The token's holder has signed out."),
    "role-missing": Kind(403, "None of the token's roles may do this."),
    "officer-differs": Kind(403, "The officer of a message must be the sub of the token."),
    "form-stale": Kind(403, "This page is out of date. Reload it, then press the button again."),
    "not-local": Kind(403, "This gateway answers programs of its own machine alone, without a proxy."),
    "wrong-partner": Kind(403, "This partner may not send this message."),
    "case-not-asked": Kind(404, "This partner was never asked about this case."),
    "too-many-messages": Kind(429, "This sender has sent too many messages. Wait for the time in Retry-After."),
    "document-too-large": Kind(413, "The document is larger than 5 MiB."),
    "document-media-type": Kind(415, "The document is not a PDF, JPEG or PNG, or not what its Content-Type says."),
    "document-hash-differs": Kind(422, "The received bytes do not have the SHA-256 in the address."),
    "too-many-documents": Kind(409, "The case already has the maximum number of documents."),
    "unknown-document": Kind(404, "The case has no document with that hash."),
    "unknown-case": Kind(404, "There is no such case."),
    "unknown-programme": Kind(404, "There is no such programme."),
    "programme-not-open": Kind(409, "The programme is not open yet: nothing can be filed under it."),
    "unknown-message": Kind(404, "No such message was received from this partner."),
    "message-content-differs": Kind(
        409, "This id was used before with another body. The first message stands; this one changed nothing."
    ),
    "personal-data-erased": Kind(410, "The case's personal data was erased. It accepts nothing more."),
    "not-found": Kind(404, "There is nothing at this address."),
    "method-not-allowed": Kind(405, "This address does not support this method."),
    "issuer-unavailable": Kind(503, "The token issuer's keys cannot be read now. Send the same request again later."),
    "unavailable": Kind(503, "Passage cannot answer now. Send the same request again later."),
    "internal": Kind(500, "Passage failed. Send the same request again later."),
}

RETRY_AFTER_S: Final = 1
"""If the failure lasts longer, the next answer says the same; the sender's own backoff does the rest."""


class ProblemDocument(BaseModel):
    """The body of every answer that is not a success (RFC 9457)."""

    type: str = Field(examples=["urn:passage:problem:malformed"])
    title: str
    status: int = Field(examples=[422])
    code: ProblemCode
    detail: str | None = None
    faults: list[Fault] | None = Field(default=None, max_length=FAULTS_MAX)


class Problem(Exception):
    """A request that is answered with a problem; `detail` and `faults` are our own words, never the sender's."""

    def __init__(
        self,
        code: ProblemCode,
        detail: str | None = None,
        faults: Iterable[Fault] = (),
        retry_after_s: int | None = None,
        recorded_as: ProblemCode | None = None,
    ) -> None:
        super().__init__(code)
        self.recorded_as: ProblemCode = recorded_as or code
        """What the record says, where the caller may not know it."""
        self.retry_after_s = retry_after_s
        self.code: ProblemCode = code
        self.detail = detail
        self.faults = list(faults)[:FAULTS_MAX]

    @classmethod
    def of(cls, refused: BodyRefused) -> "Problem":
        """The problem that answers a body that cannot be read."""
        return cls(refused.code, refused.detail, refused.faults)

    @property
    def status(self) -> int:
        """The HTTP status."""
        return KINDS[self.code].status

    def response(self, headers: Mapping[str, str] | None = None) -> JSONResponse:
        """The answer, with `Retry-After` if sending again can help."""
        kind = KINDS[self.code]
        document = ProblemDocument(
            type=f"urn:passage:problem:{self.code}",
            title=kind.title,
            status=kind.status,
            code=self.code,
            detail=self.detail,
            faults=self.faults or None,
        )
        challenge = _challenge(self.code)
        told = {} if challenge is None else {"WWW-Authenticate": challenge}
        again_s = self.retry_after_s or (RETRY_AFTER_S if kind.status in (500, 503) else None)
        if again_s is not None:
            told["Retry-After"] = str(again_s)
        return JSONResponse(
            document.model_dump(exclude_none=True),
            status_code=kind.status,
            headers={**told, **(headers or {})},
            media_type=MEDIA_TYPE,
        )


def _challenge(code: ProblemCode) -> str | None:
    """`WWW-Authenticate`: how the caller can authenticate, and what is wrong with a token (RFC 6750)."""
    if code in ("role-missing", "officer-differs"):
        return 'Bearer realm="passage", error="insufficient_scope"'
    if KINDS[code].status != 401:
        return None
    if code == "token-missing":
        return 'Bearer realm="passage"'
    if code.startswith("token-"):
        return f'Bearer realm="passage", error="invalid_token", error_description="{KINDS[code].title}"'
    return "StandardWebhooks"


_TOLD: Final[Mapping[int, str]] = {401: "WWW-Authenticate", 429: "Retry-After", 500: "Retry-After", 503: "Retry-After"}
_TOLD_TEXT: Final = {"WWW-Authenticate": "How to authenticate.", "Retry-After": "Seconds after which to try again."}


def documented(*codes: ProblemCode) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route that can answer with these problems, with an example of each."""
    answers: dict[int | str, dict[str, Any]] = {}
    for code in (*codes, "unavailable", "internal"):
        kind = KINDS[code]
        answer = answers.setdefault(
            kind.status,
            {
                "description": kind.title,
                "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemDocument"}, "examples": {}}},
            },
        )
        if (told := _TOLD.get(kind.status)) is not None:
            answer["headers"] = {told: {"description": _TOLD_TEXT[told], "schema": {"type": "string"}}}
        example = {
            "type": f"urn:passage:problem:{code}",
            "title": kind.title,
            "status": kind.status,
            "code": code,
        }
        answer["content"][MEDIA_TYPE]["examples"][code] = {"value": example}
    return answers
