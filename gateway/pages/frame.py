"""What every page has in common: its frame, and headers under which nothing but itself runs or is shown.

Pages need no script. Everything that was not written here is escaped by whoever puts it in.
"""

import base64
import hashlib
from collections.abc import Iterable, Mapping
from datetime import datetime
from html import escape
from importlib import resources
from string import Template
from typing import Final, NamedTuple

from fastapi.responses import HTMLResponse

_SOURCE: Final = (resources.files("gateway.pages") / "page.html").read_text("utf-8")
_FRAME: Final = Template(_SOURCE)
_STYLE: Final = _SOURCE.partition("<style>")[2].partition("</style>")[0]
_STYLE_HASH: Final = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()

HEADERS: Final[Mapping[str, str]] = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",  # for browsers that do not know frame-ancestors
}


class Link(NamedTuple):
    """A place to go to; `current` is where the reader is."""

    text: str
    address: str
    current: bool = False


class Cell(NamedTuple):
    """A cell of a table: HTML, and a class where the value is to be seen at once."""

    html: str
    kind: str = ""

    @classmethod
    def of(cls, value: object) -> "Cell":
        """Of plain text; a dash where there is nothing."""
        return cls(escape(str(value)) if value not in (None, "") else "-")


def page(title: str, body: str, nav: str = "", status: int = 200) -> HTMLResponse:
    """A whole page. `title` is plain text, `body` and `nav` are HTML."""
    html = _FRAME.substitute(title=escape(title), body=body, nav=nav)
    return HTMLResponse(html, status_code=status, headers=dict(HEADERS))


def navigation(links: Iterable[Link], more: str = "") -> str:
    """The links of a page; `more` is HTML of one further entry."""
    here = ' aria-current="page"'
    entries = [
        f'<li><a href="{escape(link.address)}"{here if link.current else ""}>{escape(link.text)}</a></li>'
        for link in links
    ]
    return f'<nav aria-label="Deliveries"><ul>{"".join(entries)}{f"<li>{more}</li>" if more else ""}</ul></nav>'


def table(caption: str, columns: Iterable[str], rows: Iterable[Iterable[Cell]]) -> str:
    """A table whose first column names the row. The roles keep it one where a narrow screen shows it as cards."""
    names = list(columns)
    head = "".join(f'<th scope="col" role="columnheader">{escape(name)}</th>' for name in names)
    body = "".join(f'<tr role="row">{_cells(names, row)}</tr>' for row in rows)
    return (
        f'<table role="table"><caption>{escape(caption)}</caption>'
        f'<thead role="rowgroup"><tr role="row">{head}</tr></thead><tbody role="rowgroup">{body}</tbody></table>'
    )


def _cells(names: list[str], row: Iterable[Cell]) -> str:
    made = []
    for place, (name, cell) in enumerate(zip(names, row, strict=True)):
        label, inner = escape(name), f'<span class="{cell.kind}">{cell.html}</span>' if cell.kind else cell.html
        if place == 0:
            made.append(f'<th scope="row" role="rowheader" data-label="{label}">{inner}</th>')
        else:
            made.append(f'<td role="cell" data-label="{label}">{inner}</td>')
    return "".join(made)


def facts(values: Mapping[str, Cell]) -> str:
    """Names and values, below one another."""
    return f"<dl>{''.join(f'<dt>{escape(name)}</dt><dd>{cell.html}</dd>' for name, cell in values.items())}</dl>"


def moment(at: datetime | None) -> Cell:
    """For people and machines; always UTC, as it is stored."""
    if at is None:
        return Cell("-")
    return Cell(f'<time datetime="{at.isoformat()}">{at:%Y-%m-%d %H:%M:%S} UTC</time>')


def code(text: str) -> Cell:
    """A name of ours or an id of theirs, letter by letter."""
    return Cell(f"<code>{escape(text)}</code>" if text else "-")
