"""Identifies callers (officers, operators, auditors, services, partners' staff) by tokens of the one trusted issuer.

A token is a signed JWT access token (RFC 9068): subject (`sub`), roles (`roles`), audience (`aud`), expiry (`exp`).
An error says precisely what is wrong, but names claims only if the issuer signed the token.
"""

import base64
import binascii
import hashlib
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final, TypeVar

from joserfc import jws
from joserfc.errors import JoseError, UnsupportedAlgorithmError
from joserfc.jwk import Key
from joserfc.jws import JWSRegistry
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from domain import registry
from domain.kernel.ids import OfficerRef
from domain.kernel.proof import Proof, normal
from gateway.http.problems import Problem
from gateway.identity.token_keys import ALGORITHMS, no_keys

LEEWAY_S: Final = 30
"""How far the issuer's clock and this machine's may differ."""
TOKEN_MAX_BYTES: Final = 8 * 1024
"""A token with a certificate and fifty roles has some 4 KiB."""

ROLES: Final = frozenset({"intake", "officer", "operator", "auditor", *(f"partner:{p}" for p in registry.senders())})
"""The roles that have a meaning here. An issuer's other roles are ignored."""

_TYPES: Final = frozenset({"at+jwt", "application/at+jwt"})
"""`typ` of an access token (RFC 9068, 4). Other things that an issuer signs, ID tokens above all, have other types."""
LIFETIME_MAX_S: Final = 12 * 3600
"""A working day. An access token that lives longer cannot be told from one that was stolen."""
_STAFF: Final = frozenset({"officer", "operator", "auditor"})
"""Roles of people, to which `acr` applies; services do not sign in."""

Subject = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:|-]{0,127}$")]
"""A reference to a person or a program, as it is recorded. E-mail addresses are refused: they name a person."""

FindKey = Callable[[str, str], Awaitable[Key | None]]
"""Key id and algorithm to the issuer's key; None if it publishes none. Raises `Problem`: `issuer-unavailable`."""

ReferenceOf = Callable[[str, str], Awaitable[OfficerRef]]
"""Issuer and subject to the staff reference (`eventstore/staff.py`). Raises `StoreUnavailable`."""
IsRevoked = Callable[[str], Awaitable[bool]]
"""Whether the holder of a token has signed out. Raises `StoreUnavailable`."""


async def nothing_revoked(_token: str) -> bool:
    """For simulations and tests."""
    return False


_Model = TypeVar("_Model", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Caller:
    """The holder of a token that was valid when it was checked."""

    subject: str
    """Normalised. It may name a person to whoever knows the issuer, so it is compared and never recorded."""
    roles: frozenset[str]
    reference: OfficerRef
    """The staff reference, which is recorded in its place."""

    @property
    def presented(self) -> Proof:
        """For the record of a refusal: a good token, whatever it was shown for."""
        return Proof("token", self.reference)

    def require(self, *roles: str) -> Proof:
        """The proof that the caller has the first of `roles` that it has. Raises `Problem`: `role-missing`."""
        held = next((role for role in roles if role in self.roles), None)
        if held is None:
            raise Problem("role-missing", f"One of these is needed: {', '.join(roles)}.")
        return Proof("token", self.reference, held)


class _Header(BaseModel):
    model_config = ConfigDict(strict=True, hide_input_in_errors=True)

    alg: str
    kid: Annotated[str, StringConstraints(min_length=1, max_length=256)]
    typ: str | None = None
    crit: None = None
    """No extension is supported, so a token that requires one is refused (RFC 7515, 4.1.11)."""
    b64: None = None


_Moment = Annotated[float, Field(allow_inf_nan=False)]
_Text = Annotated[str, StringConstraints(max_length=1024)]


class _Claims(BaseModel):
    model_config = ConfigDict(strict=True, hide_input_in_errors=True)

    iss: _Text
    aud: _Text | Annotated[list[_Text], Field(max_length=64)]
    exp: _Moment
    iat: _Moment | None = None
    nbf: _Moment | None = None
    sub: Subject
    acr: _Text | None = None
    roles: Annotated[list[_Text], Field(max_length=256)] = []


def digest_of(token: str) -> bytes:
    """By which a token is known once its holder signed out."""
    return hashlib.sha256(b"passage token\0" + token.encode()).digest()


class _Registry(JWSRegistry):
    """Knows exactly our algorithms, whatever the library would add or recommend."""

    max_header_length = max_payload_length = max_signature_length = TOKEN_MAX_BYTES

    def get_alg(self, name: str) -> Any:
        if name not in ALGORITHMS:
            raise UnsupportedAlgorithmError("not one of ours")
        return self.algorithms[name]


_REGISTRY: Final = _Registry(strict_check_header=False)


@dataclass(frozen=True, slots=True)
class Tokens:
    """The conditions for a token to be believed."""

    issuer: str
    audience: str
    find_key: FindKey
    reference_of: ReferenceOf
    required: bool
    """Whether a caller without a token is refused. A token that is present must always be valid."""
    acr: frozenset[str] = frozenset()
    """How officers, operators and auditors must have signed in, any of these; empty: any way."""
    is_revoked: IsRevoked = nothing_revoked

    async def verify(self, token: str, server_now: datetime) -> Caller:
        """The holder of `token`. `server_now` is the machine's time: a token's age is independent of domain time.

        Raises:
            Problem: one of `token-…`, or `issuer-unavailable`.
        """
        if len(token) > TOKEN_MAX_BYTES:
            raise Problem("token-malformed", "It is larger than 8 KiB.")
        header = _read_header(token)
        key = await self.find_key(header.kid, header.alg)
        if key is None:
            raise Problem("token-key-unknown")
        claims = _read_claims(_signed_payload(token, key))
        self._check(claims, server_now.timestamp())
        if await self.is_revoked(token):
            raise Problem("token-revoked")
        reference = await self.reference_of(claims.iss, claims.sub)
        return Caller(normal(claims.sub), frozenset(claims.roles) & ROLES, reference)

    def _check(self, claims: _Claims, now_s: float) -> None:
        if claims.iss != self.issuer:
            raise Problem("token-issuer-wrong")
        if self.audience not in (claims.aud if isinstance(claims.aud, list) else [claims.aud]):
            raise Problem("token-audience-wrong")
        if claims.exp + LEEWAY_S <= now_s:
            raise Problem("token-expired")
        if claims.nbf is not None and claims.nbf - LEEWAY_S > now_s:
            raise Problem("token-not-yet-valid")
        if claims.exp - (now_s if claims.iat is None else min(claims.iat, now_s)) > LIFETIME_MAX_S + LEEWAY_S:
            raise Problem("token-lives-too-long")
        if self.acr and claims.acr not in self.acr and not _STAFF.isdisjoint(claims.roles):
            raise Problem("token-acr-insufficient")


def _read_header(token: str) -> _Header:
    """The header, which is not verified yet. Raises `Problem`: `token-malformed`."""
    parts = token.split(".")
    if len(parts) != 3:
        raise Problem("token-malformed", "It does not have three parts separated by dots.")
    encoded = parts[0]
    try:
        raw = base64.b64decode(encoded + "=" * (-len(encoded) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):  # text that is not ASCII is a bare ValueError
        raise Problem("token-malformed", "Its header is not base64url.") from None
    header = _read_as(_Header, raw, "header")
    if header.alg not in ALGORITHMS:
        raise Problem("token-malformed", f"It must be signed with one of {', '.join(sorted(ALGORITHMS))}.")
    if (header.typ or "").lower() not in _TYPES:
        raise Problem("token-malformed", "Its typ is not at+jwt, the type of an access token.")
    return header


def _signed_payload(token: str, key: Key) -> bytes:
    """The payload, if `key` signed it. Raises `Problem`: `token-wrong`."""
    try:
        signed = jws.deserialize_compact(token, key, registry=_REGISTRY)
    except (JoseError, ValueError):
        raise Problem("token-wrong") from None
    return bytes(signed.payload)


def _read_claims(payload: bytes) -> _Claims:
    return _read_as(_Claims, payload, "claims")


def _read_as(kind: type[_Model], raw: bytes, name: str) -> _Model:
    """Raises `Problem`: `token-malformed`, with the name of the wrong member, and nothing that was sent."""
    try:
        document = json.loads(raw)
    except (ValueError, RecursionError):
        raise Problem("token-malformed", f"Its {name} cannot be read.") from None
    try:
        return kind.model_validate(document)
    except ValidationError as error:
        at = error.errors(include_input=False, include_context=False, include_url=False)[0]["loc"]
        member = next((str(step) for step in at[:1] if step in kind.model_fields), None)
        wrong = f"Its {name} is not a JSON object." if member is None else f"The {member} of its {name} is not valid."
        raise Problem("token-malformed", wrong) from None


async def nobody(_issuer: str, _subject: str) -> OfficerRef:
    """For where no token is believed."""
    raise Problem("token-wrong")


CLOSED: Final = Tokens("", "", no_keys, nobody, required=True)
"""No token is believed, and one is required: the default."""
OPEN: Final = Tokens("", "", no_keys, nobody, required=False)
"""For simulations and tests: every caller may do everything."""
