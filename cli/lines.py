"""How commands write moments, rows and JSON: plain lines that a terminal, `grep` and a pipe all take."""

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

import typer


def echo_json(found: Any) -> None:
    """One object, one line."""
    typer.echo(json.dumps(found, ensure_ascii=False, default=_json_value, separators=(",", ":")))


def _json_value(value: object) -> str:
    if isinstance(value, datetime):
        return instant(value)
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no place in a line of JSON")


def instant(at: datetime) -> str:
    """RFC 3339, UTC."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def moment(at: datetime | None) -> str:
    """To the minute in UTC, for people."""
    return "-" if at is None else at.astimezone(UTC).strftime("%Y-%m-%d %H:%M")


def row(cells: Sequence[object], widths: Sequence[int]) -> str:
    """Cells in columns; the last is as long as it is, and nothing is ever cut."""
    padded = (f"{'-' if cell is None else cell!s:<{width}}" for cell, width in zip(cells, widths, strict=True))
    return "  ".join(padded).rstrip()
