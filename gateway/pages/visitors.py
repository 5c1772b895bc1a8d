"""Who looks at a page: by the token in `Authorization`, as a proxy that signs people in sends it, or in a cookie.

Nothing is kept here: the cookie is the token, tried anew at each request, so that every gateway knows the visitor and
a token's end is the session's. Forms carry a mark made of a second, random cookie and the visitor's name: another site
can neither read nor guess it, so that no button is pressed for somebody who only looked at that site.
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
from gateway.deps import Deps, GatewayDeps
from gateway.http.body import read_body
from gateway.http.problems import Problem
from gateway.identity.callers import presented
from gateway.identity.tokens import Caller

COOKIE_MAX_BYTES: Final = 3800
"""Browsers give up at 4,096, name and attributes included."""
FIELDS_MAX: Final = 100
_FORM: Final = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Visitor:
    """Whoever asks for a page of one partner."""

    partner: PartnerName
    caller: Caller | None
    """None where tokens are not required and none was shown: then everything may be tried by hand."""
    form_key: str
    """Of the random cookie; drawn anew where there was none."""
    by_cookie: bool
    """Whether they signed in here, and so can sign out here."""

    @property
    def form_mark(self) -> str:
        """What a form of theirs carries."""
        whose = "" if self.caller is None else self.caller.subject
        return hashlib.sha256(f"passage form\0{self.form_key}\0{whose}".encode()).hexdigest()

    @property
    def name(self) -> str:
        """For the record."""
        return f"unsigned:{self.partner}" if self.caller is None else self.caller.identity.sender

    @property
    def may_redrive(self) -> bool:
        """Whether they may have something done, not only read."""
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
    """Raises `Problem`: `not-found` for a partner that there is not, or what is wrong with the token."""
    known = known_partner(partner)
    caller = await presented(request, deps)
    signed_in = _cookie(request, deps, "session") if caller is None else None
    if signed_in is not None:
        caller = await deps.tokens.verify(signed_in, deps.server_now())
        request.state.identity = caller.identity
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
    """The request's own, or a new one, which the answer must set."""
    return _cookie(request, deps, "form") or secrets.token_hex(16)


async def read_form(request: Request, visitor: Visitor) -> Mapping[str, list[str]]:
    """The fields of a form that this visitor was shown.

    Raises:
        Problem: `form-stale` where it was not, or as `read_body`.
    """
    raw = await read_body(request, _FORM)
    try:
        fields = parse_qs(raw.decode("ascii"), max_num_fields=FIELDS_MAX, strict_parsing=True)
    except ValueError:
        raise Problem("malformed", "It is not a form of ours.") from None
    mark = fields.get("mark", [""])[0]
    from_elsewhere = request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none")
    if from_elsewhere or not hmac.compare_digest(mark.encode(), visitor.form_mark.encode()):
        raise Problem("form-stale")
    return fields


def remember(response: Response, deps: GatewayDeps, kind: str, value: str | None) -> None:
    """Set the cookie until the browser is closed, or take it away: no script can read it, no other site send it."""
    name, secure = _name(deps, kind), deps.tokens.required
    if value is None:
        response.delete_cookie(name, path="/", secure=secure, httponly=True, samesite="strict")
    else:
        response.set_cookie(name, value, path="/", secure=secure, httponly=True, samesite="strict")


def _cookie(request: Request, deps: GatewayDeps, kind: str) -> str | None:
    return request.cookies.get(_name(deps, kind)) or None


def _name(deps: GatewayDeps, kind: str) -> str:
    """Of a deployment, which has TLS in front of it, only this very host can have set it (`__Host-`)."""
    return f"__Host-passage-{kind}" if deps.tokens.required else f"passage-{kind}"
