"""`/partners/{partner}/deliveries`: what a partner sent, what became of it, and a button to notify a case again."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Annotated, Final

import structlog
from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import RedirectResponse

from activities.failures import log_failure
from eventstore.conflicts import StoreUnavailable
from eventstore.operations import Deliveries, Delivery, DeliveryFilter
from gateway.deps import Deps
from gateway.http.problems import Problem
from gateway.identity.tokens import LEEWAY_S, LIFETIME_MAX_S, digest_of
from gateway.pages import views
from gateway.pages.visitors import (
    COOKIE_MAX_BYTES,
    Visitor,
    Visits,
    form_key_of,
    known_partner,
    read_form,
    remember,
    session_of,
)

router = APIRouter(prefix="/partners/{partner}", include_in_schema=False)

READ_TIMEOUT_S: Final = 5.0
"""A page that waits longer for one of the few side connections answers `unavailable`."""
_NUMBER_MAX: Final = 2**63 - 1

_log = structlog.get_logger()

_Number = Annotated[int, Query(ge=1, le=_NUMBER_MAX)]
_Notified = Annotated[int | None, Query(ge=0, le=views.ROWS)]


async def _deliveries(deps: Deps) -> Deliveries:
    if deps.deliveries is None:
        raise Problem("not-found")
    return deps.deliveries


Inbox = Annotated[Deliveries, Depends(_deliveries)]


@asynccontextmanager
async def _answering() -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(READ_TIMEOUT_S):
            yield
    except (StoreUnavailable, TimeoutError) as error:
        log_failure("page cannot be read", error)
        raise Problem("unavailable") from None


@router.get("/deliveries")
async def list_deliveries(
    deps: Deps,
    inbox: Inbox,
    visitor: Visits,
    show: views.Shown = "all",
    before: _Number | None = None,
    notified: _Notified = None,
) -> Response:
    """A page of messages, or of what was refused."""
    visitor.require_reading()
    async with _answering():
        if show == "refused":
            found = views.refused_page(visitor, await inbox.refusals(visitor.partner, views.ROWS))
        else:
            wanted = DeliveryFilter(
                source=visitor.partner,
                undecided=show == "waiting",
                dead=show == "dead",
                before=before,
                limit=views.ROWS,
            )
            found = views.deliveries_page(visitor, show, await inbox.find(wanted), _told(notified))
    return _shown(deps, visitor, found)


@router.get("/deliveries/{number}")
async def show_delivery(deps: Deps, inbox: Inbox, visitor: Visits, number: str, notified: _Notified = None) -> Response:
    """One message of this partner."""
    visitor.require_reading()
    async with _answering():
        found = await _find(inbox, visitor, number)
    return _shown(deps, visitor, views.delivery_page(visitor, found, _told(notified)))


@router.post("/deliveries/redrive")
async def redrive(request: Request, inbox: Inbox, visitor: Visits) -> Response:
    """Notify the cases of these messages again at once, then show the messages."""
    visitor.require_redriving()
    fields = await read_form(request, visitor)
    numbers = fields.get("number", [])[: views.ROWS]
    async with _answering():
        found = [await _find(inbox, visitor, number) for number in numbers]
        notified = await inbox.redrive([each.number for each in found])
    _log.info("cases notified again", by=visitor.name, partner=visitor.partner, numbers=sorted(notified))
    place = f"/{found[0].number}?" if len(found) == 1 else "?show=waiting&"
    return _go(views.address(visitor, f"{place}notified={len(notified)}"))


@router.post("/session")
async def sign_in(request: Request, deps: Deps, partner: str) -> Response:
    """Keep a valid token in a cookie, if its holder may read these pages."""
    stranger = Visitor(known_partner(partner), None, form_key_of(request, deps), by_cookie=False)
    token = _one(await read_form(request, stranger), "token").strip()
    caller = await deps.tokens.verify(token, deps.server_now())
    request.state.identity = caller.presented
    Visitor(stranger.partner, caller, stranger.form_key, by_cookie=True).require_reading()
    if len(token) > COOKIE_MAX_BYTES:
        raise Problem("token-malformed", "It is too large for a cookie. Use a proxy that signs you in.")
    response = _go(views.address(stranger))
    remember(response, deps, "session", token)
    return response


@router.post("/session/end")
async def sign_out(request: Request, deps: Deps, visitor: Visits) -> Response:
    """Delete the cookie, and refuse its token from now on, wherever a copy of it may be."""
    await read_form(request, visitor)
    token = session_of(request, deps)
    if token is not None:
        await deps.revoke(digest_of(token), deps.server_now() + timedelta(seconds=LIFETIME_MAX_S + LEEWAY_S))
    response = _go(views.address(visitor))
    remember(response, deps, "session", None)
    return response


def _shown(deps: Deps, visitor: Visitor, response: Response) -> Response:
    remember(response, deps, "form", visitor.form_key)
    return response


def _told(notified: int | None) -> str:
    """What the button did, in words."""
    match notified:
        case None:
            return ""
        case 0:
            return "The message already has its answer. No case was notified."
        case 1:
            return "The case is being notified of one message. Load this page again in a moment."
        case _:
            return f"Cases are being notified of {notified} messages. Load this page again in a moment."


async def _find(inbox: Deliveries, visitor: Visitor, number: str) -> Delivery:
    """The message. Raises `Problem`: `unknown-message`, also for another partner's message."""
    if not (number.isascii() and number.isdecimal()) or len(number) > 18:
        raise Problem("unknown-message")
    found = await inbox.find(DeliveryFilter(source=visitor.partner, number=int(number), limit=1))
    if not found:
        raise Problem("unknown-message")
    return found[0]


def _one(fields: Mapping[str, list[str]], name: str) -> str:
    return fields.get(name, [""])[0]


def _go(address: str) -> RedirectResponse:
    """Redirect to a GET, so that going back or reloading sends no form twice."""
    return RedirectResponse(address, status_code=303)
