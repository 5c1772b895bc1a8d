"""The views of a partner's deliveries: the same facts that `passage inbox` shows, and nothing personal."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final, Literal

from fastapi.responses import HTMLResponse

from eventstore.operations import DEAD_AFTER, Delivery, RefusalView
from gateway.http.problems import KINDS
from gateway.pages.frame import page
from gateway.pages.visitors import Visitor

PREFIX: Final = "/partners/"
"""The address of every page begins with it."""

Shown = Literal["all", "waiting", "dead", "refused"]
ROWS: Final = 50
"""Of one page."""

_NAMES: Final[dict[Shown, str]] = {
    "all": "All messages",
    "waiting": "Waiting for an answer",
    "dead": "Dead letters",
    "refused": "Refused",
}
_EMPTY: Final[dict[Shown, str]] = {
    "all": "No message has come from this partner yet.",
    "waiting": "Every message has its answer.",
    "dead": "No dead letters: every message was taken, or will be in a moment.",
    "refused": "Nothing was refused.",
}
_MEANINGS: Final[dict[str, str]] = {code: kind.title for code, kind in KINDS.items()}


def root(partner: str) -> str:
    """The address that all pages of a partner begin with."""
    return f"{PREFIX}{partner}"


def address(visitor: Visitor, more: str = "") -> str:
    """The address of a page of this partner's deliveries."""
    return f"{root(visitor.partner)}/deliveries{more}"


def deliveries_page(visitor: Visitor, shown: Shown, found: Sequence[Delivery], told: str) -> HTMLResponse:
    """A page of messages, latest first. `told` says what a button just did."""
    older = address(visitor, f"?show={shown}&before={found[-1].number}") if len(found) == ROWS else None
    return _page("deliveries.html", visitor, shown, told=told, messages=found, older=older, empty=_EMPTY[shown])


def delivery_page(visitor: Visitor, message: Delivery, told: str) -> HTMLResponse:
    """One message, with a button that notifies its case again while it has no answer."""
    title = f"Message {message.number}"
    return _page("delivery.html", visitor, None, title, told=told, message=message, dead_after=DEAD_AFTER)


def refused_page(visitor: Visitor, found: Sequence[RefusalView]) -> HTMLResponse:
    """What was refused; equal refusals of one minute are one row.

    A partner sees what it was told: not which cases there are that it was never asked about.
    """
    hidden = visitor.caller is not None and visitor.caller.roles.isdisjoint({"operator", "auditor"})
    shown = [replace(each, code="unknown-case") if hidden and each.code == "case-not-asked" else each for each in found]
    return _page(
        "refused.html", visitor, "refused", told="", refusals=shown, meanings=_MEANINGS, empty=_EMPTY["refused"]
    )


def _page(template: str, visitor: Visitor, shown: Shown | None, title: str = "", **values: Any) -> HTMLResponse:
    return page(
        template,
        title or f"Deliveries of {visitor.partner}",
        visitor=visitor,
        shown=shown,
        views=_NAMES,
        root=root(visitor.partner),
        address=address(visitor),
        **values,
    )
