"""What a partner sees of its deliveries, as HTML: the same facts that `passage inbox` shows, and nothing personal."""

from collections.abc import Sequence
from html import escape
from typing import Final, Literal

from eventstore.operations import DEAD_AFTER, Delivery, RefusalView
from gateway.http.problems import KINDS
from gateway.pages.errors import PREFIX
from gateway.pages.frame import Cell, Link, code, facts, moment, navigation, table
from gateway.pages.visitors import Visitor

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
_LEGEND: Final = (
    "<p>Came: how often you delivered it; twice is once. Rung: how often its case was told, while it waits. "
    "Dead letter: no worker took it in some five minutes; it is not lost.</p>"
)
_COLUMNS: Final = ("Number", "Received", "Message", "About", "Came", "Rung", "Answer")


def address(visitor: Visitor, more: str = "") -> str:
    """Of a page of this partner."""
    return f"{PREFIX}{visitor.partner}/deliveries{more}"


def nav(visitor: Visitor, shown: Shown | None) -> str:
    """The views, and the way out."""
    links = [Link(name, address(visitor, f"?show={view}"), view == shown) for view, name in _NAMES.items()]
    out = _button(visitor, f"{PREFIX}{visitor.partner}/session/end", "Sign out", kind="quiet")
    return navigation(links, out if visitor.by_cookie else "")


def deliveries_list(visitor: Visitor, shown: Shown, found: Sequence[Delivery], told: str) -> str:
    """A page of messages, the latest first; `told` says what was just done."""
    said = f'<p class="told" role="status">{escape(told)}</p>' if told else ""
    if not found:
        return f"{said}<p>{escape(_EMPTY[shown])}</p>"
    parts = [said, table(_NAMES[shown], _COLUMNS, [_row(visitor, each) for each in found]), _LEGEND]
    if shown == "dead" and visitor.may_redrive:
        target = address(visitor, "/redrive")
        parts.append(_button(visitor, target, "Ring for all dead letters again", numbers=[e.number for e in found]))
    if len(found) == ROWS:
        older = address(visitor, f"?show={shown}&before={found[-1].number}")
        parts.append(f'<p><a rel="next" href="{escape(older)}">Older messages</a></p>')
    return "".join(parts)


def _row(visitor: Visitor, each: Delivery) -> list[Cell]:
    return [
        Cell(f'<a href="{address(visitor, f"/{each.number}")}">{each.number}</a>'),
        moment(each.received_at),
        code(each.kind),
        code(each.stream),
        Cell.of(each.deliveries),
        Cell.of(each.notifications),
        _answer(each),
    ]


def _answer(each: Delivery) -> Cell:
    words = {"undecided": "waiting", "dead": "dead letter"}.get(each.state, each.state)
    return Cell(words + (f" <code>{escape(each.code)}</code>" if each.code else ""), each.state)


def delivery(visitor: Visitor, each: Delivery, told: str) -> str:
    """One message, and the button that has its case rung anew while it waits."""
    values = {
        "Message": code(each.kind),
        "About": code(each.stream),
        "Your id": code(each.message_id),
        "Known as": code(each.sender),
        "Received": moment(each.received_at),
        "Came": Cell.of("once" if each.deliveries == 1 else f"{each.deliveries} times"),
        "Answer": _answer(each),
    }
    if each.answer is None:
        values |= {"Rung": Cell.of(f"{each.notifications} times"), "Last rung": moment(each.notified_at)}
    parts = [f'<p class="told" role="status">{escape(told)}</p>' if told else "", facts(values)]
    if each.state == "dead":
        parts.append(f"<p>No worker took it although its case was rung {DEAD_AFTER} times. It is not lost.</p>")
    if each.answer is None and visitor.may_redrive:
        parts.append(_button(visitor, address(visitor, "/redrive"), "Ring for it again", numbers=[each.number]))
        parts.append("<p>Nothing is sent or decided twice by it.</p>")
    return "".join(parts)


def refused_list(found: Sequence[RefusalView]) -> str:
    """What was refused: alike refusals of a minute are one row."""
    if not found:
        return f"<p>{escape(_EMPTY['refused'])}</p>"
    columns = ("Last", "Code", "What it means", "Times", "Your id", "Known as")
    rows = [
        [
            moment(each.last_at),
            code(each.code),
            Cell.of(_meaning(each.code)),
            Cell.of(each.times),
            code(each.message_id),
            code(each.sender),
        ]
        for each in found
    ]
    return table("Refused, the latest first; what was sent is not kept", columns, rows)


def _meaning(found: str) -> str:
    return next((kind.title for name, kind in KINDS.items() if name == found), "")


def _button(visitor: Visitor, target: str, text: str, *, numbers: Sequence[int] = (), kind: str = "") -> str:
    fields = "".join(f'<input type="hidden" name="number" value="{number}">' for number in numbers)
    mark = f'<input type="hidden" name="mark" value="{visitor.form_mark}">'
    style = f' class="{kind}"' if kind else ""
    return f'<form method="post" action="{target}">{mark}{fields}<button{style}>{escape(text)}</button></form>'
