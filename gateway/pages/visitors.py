"""Identifies visitors of pages by a token in `Authorization` (sent by a proxy that signs people in) or in a cookie.

There are no sessions on the server: the cookie is the token and is verified at each request, so that every gateway
knows the visitor, and the session ends with the token, or when its holder signs out. Each form carries a mark made from
a second, random cookie and the visitor's name. Another site can neither read nor guess it, so it cannot submit a form
for the visitor (CSRF).
"""

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Final
from urllib.parse import parse_qs

from fastapi import Depends, Request, Response

from cases.inbound.wire import PartnerName
from domain import registry
from domain.kernel.proof import claimed
from gateway.deps import Deps, GatewayDeps
from gateway.http.body import read_body
from gateway.http.problems import Problem
from gateway.identity.callers import presented
from gateway.identity.tokens import Caller

COOKIE_MAX_BYTES: Final = 3800
"""Browsers drop cookies above 4,096, name and attributes included."""
FIELDS_MAX: Final = 100
_FORM: Final = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Visitor:
    """The visitor of a page of one partner."""

    partner: PartnerName
    caller: Caller | None
    """None if tokens are not required and there is none; then everything is allowed."""
    form_key: str
    """The value of the random cookie; new if there was none."""
    by_cookie: bool
    """Whether they signed in on this page, and so can sign out."""

    @property
    def form_mark(self) -> str:
        """The mark that the visitor's forms carry."""
        whose = "" if self.caller is None else self.caller.subject
        return hashlib.sha256(f"passage form\0{self.form_key}\0{whose}".encode()).hexdigest()

    @property
    def name(self) -> str:
        """For the record."""
        return str(claimed(self.partner) if self.caller is None else self.caller.presented)

    @property
    def may_redrive(self) -> bool:
        """Whether they may notify cases again, and not only read."""
        return self.caller is None or not self.caller.roles.isdisjoint({"operator", f"partner:{self.partner}"})

    def require_reading(self) -> None:
        """Raises `Problem`: `role-missing`."""
        if self.caller is not None:
            self.caller.require(f"partner:{self.partner}", "operator", "auditor")

    def require_redriving(self) -> None:
        """Raises `Problem`: `role-missing`."""
        if self.caller is not None:
            self.caller.require(f"partner:{self.partner}", "operator")


async def _visitor(request: Request, deps: Deps, partner: str) -> Visitor:
    """Raises `Problem`: `not-found` for an unknown partner, or what is wrong with the token."""
    known = known_partner(partner)
    caller = await presented(request, deps)
    signed_in = session_of(request, deps) if caller is None else None
    if signed_in is not None:
        caller = await deps.tokens.verify(signed_in, deps.server_now())
        request.state.identity = caller.presented
    if caller is None and deps.tokens.required:
        raise Problem("token-missing")
    return Visitor(known, caller, form_key_of(request, deps), by_cookie=signed_in is not None)


Visits = Annotated[Visitor, Depends(_visitor)]


def known_partner(partner: str) -> PartnerName:
    """Raises `Problem`: `not-found`."""
    if partner in registry.senders():
        return partner
    raise Problem("not-found")


def form_key_of(request: Request, deps: GatewayDeps) -> str:
    """The value of the request's cookie, or a new one that the response must set."""
    return _cookie(request, deps, "form") or secrets.token_hex(16)


async def read_form(request: Request, visitor: Visitor) -> Mapping[str, list[str]]:
    """The fields of a form that this visitor was shown.

    Raises:
        Problem: `form-stale` if it was not, or as `read_body`.
    """
    raw = await read_body(request, _FORM)
    try:
        fields = parse_qs(raw.decode("ascii"), max_num_fields=FIELDS_MAX, strict_parsing=True)
    except ValueError:
        raise Problem("malformed", "It is not one of our forms.") from None
    mark = fields.get("mark", [""])[0]
    from_elsewhere = request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none")
    if from_elsewhere or not hmac.compare_digest(mark.encode(), visitor.form_mark.encode()):
        raise Problem("form-stale")
    return fields


def remember(response: Response, deps: GatewayDeps, kind: str, value: str | None) -> None:
    """Set a session cookie, or delete it. No script can read it, and no other site can send it."""
    name, secure = _name(deps, kind), deps.tokens.required
    if value is None:
        response.delete_cookie(name, path="/", secure=secure, httponly=True, samesite="strict")
    else:
        response.set_cookie(name, value, path="/", secure=secure, httponly=True, samesite="strict")


def session_of(request: Request, deps: GatewayDeps) -> str | None:
    """The token by which the visitor signed in on a page."""
    return _cookie(request, deps, "session")


def _cookie(request: Request, deps: GatewayDeps, kind: str) -> str | None:
    return request.cookies.get(_name(deps, kind)) or None


def _name(deps: GatewayDeps, kind: str) -> str:
    """The cookie's name. In a deployment, which has TLS, only this host can set it (`__Host-`)."""
    return f"__Host-passage-{kind}" if deps.tokens.required else f"passage-{kind}"
