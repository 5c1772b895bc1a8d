"""Every place outside the log itself that decrypts, by name: it shows nothing personal, or records the view first.

A new place fails here until somebody has said which of the two it is. What the named ones show is tried in
`tests/integration/test_personal_surfaces.py`.
"""

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import pytest

ROOT = Path(__file__).parents[2]
SURFACES: Final = ("gateway", "audit", "cli", "simulation", "simulators", "stack")
DECRYPTING: Final = frozenset(
    {"load", "case", "case_at", "see", "next_undecided", "keys_of", "unwrap", "unwrap_one", "decrypt", "reveal"}
)
"""What gives personal data in clear, or the keys to it: calls of these names, whatever they are called on."""

RECORDS_FIRST: Final = "records the view first"
PLACES: Final[Mapping[str, str]] = {
    "cli/audit/replay.py replayed keys_of": RECORDS_FIRST,
    "audit/export/case.py export_case keys_of": RECORDS_FIRST,
    "gateway/routes/documents.py view_document reveal": RECORDS_FIRST,
    "gateway/routes/documents.py _seen load": "takes the version",
    "gateway/routes/documents.py _seen next_undecided": "takes the programme of a filing",
    "gateway/routes/boarding.py _answer case": "answers with one of five words",
    "gateway/routes/boarding.py _answer next_undecided": "takes the programme of a filing",
    "gateway/routes/cases.py show_case next_undecided": "shows when a filing was received",
    "gateway/routes/cases.py list_events load": "shows the public body",
    "gateway/routes/cases.py list_events next_undecided": "asks whether there is one",
    "cli/case/history.py show_history load": "shows the public body",
    "audit/replay/case.py replay unwrap": "with the keys that its caller got",
    "audit/whatif/report.py _case keys_of": "decides again, and shows rules, codes and counts",
    "audit/whatif/report.py _case unwrap": "decides again, and shows rules, codes and counts",
    "audit/verify/beside/decisions.py _judge keys_of": "decides again, and tells the codes of what differs",
    "audit/verify/beside/decisions.py _judge unwrap": "decides again, and tells the codes of what differs",
    "audit/verify/events.py take see": "has no keys: stored bytes only",
    "audit/log/sealing.py _load load": "loads hashes",
    "simulation/play/reading.py _read_case load": "tells the names of events",
}


def calls() -> Iterator[tuple[str, ast.AST, ast.Call]]:
    """Each call of a name in `DECRYPTING`: its place, the function it stands in, the call."""
    for folder in SURFACES:
        for file in sorted((ROOT / folder).rglob("*.py")):
            for function in ast.walk(ast.parse(file.read_text("utf-8"))):
                if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                    for call in calls_of(function, DECRYPTING):
                        yield f"{file.relative_to(ROOT)} {function.name} {name_of(call)}", function, call


def calls_of(inside: ast.AST, names: frozenset[str]) -> list[ast.Call]:
    return [node for node in ast.walk(inside) if isinstance(node, ast.Call) and name_of(node) in names]


def name_of(call: ast.Call) -> str:
    return str(getattr(call.func, "attr", getattr(call.func, "id", "")))


def test_every_place_that_decrypts_is_known_for_what_it_shows() -> None:
    found = {place for place, _, _ in calls()}
    assert (found - PLACES.keys(), PLACES.keys() - found) == (set(), set()), (
        "say here what it shows; where that is personal, it calls `record_view` first"
    )


@pytest.mark.parametrize("place", [place for place, why in PLACES.items() if why == RECORDS_FIRST])
def test_what_shows_personal_data_records_the_view_before_it_asks_for_a_key(place: str) -> None:
    checked = 0
    for found, function, call in calls():
        if found == place and not any(isinstance(each, ast.Constant) and each.value is None for each in call.args):
            (recorded,) = calls_of(function, frozenset({"record_view"}))
            assert recorded.lineno < call.lineno
            checked += 1
    assert checked == 1
