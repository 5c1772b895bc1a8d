"""The domain here decides what that of an older commit decided; at length: `python -m tests.equivalence`."""

import json
import warnings

from tests.equivalence.allowed import Added, without_added
from tests.equivalence.driver import Driver
from tests.equivalence.report import lines_of
from tests.equivalence.sides import COMMIT, Side, both_sides, commit_is_here

SEQUENCES, SEED = 300, 20221012


def _nothing_to_compare_with() -> bool:
    if commit_is_here():
        return False
    warnings.warn(f"nothing was compared: the git history here does not hold {COMMIT}", stacklevel=2)
    return True


def test_the_same_commands_have_the_same_consequences() -> None:
    if _nothing_to_compare_with():
        return
    with both_sides() as (old, new, _):
        parted = next(Driver(old, new).play(SEED, range(SEQUENCES)), None)

    assert parted is None, "\n".join(lines_of(parted))


class _Changed(Side):
    """A side that confirms no supporter."""

    def replies(self, count: int) -> list[bytes]:
        return [line.replace(b'"SponsorConfirmed"', b'"SponsorNotConfirmed"') for line in super().replies(count)]


def test_a_change_is_found_and_shown_with_what_leads_to_it() -> None:
    if _nothing_to_compare_with():
        return
    with both_sides() as (old, new, _):
        new.__class__ = _Changed
        driver = Driver(old, new)
        shown = list(lines_of(driver.shortest(next(driver.play(SEED, range(SEQUENCES))))))

    sequence = [json.loads(line) for line in shown if line.startswith("  {")]
    assert len(sequence) == 3, shown
    assert shown[-1].strip() == 'events[0].type: was "SponsorConfirmed", is "SponsorNotConfirmed"'


def test_a_field_is_allowed_at_its_place_and_with_its_value_only() -> None:
    table = (Added("E", "public", ("basis", "results", "*", "x"), lambda request: request["now"]),)
    request = {"now": "today"}

    def seen(value: str, kind: str = "E") -> object:
        event = {"type": kind, "public": {"basis": {"results": [{"rule": "r", "x": value}]}}, "personal": None}
        return without_added(request, {"events": [event]}, table)["events"][0]["public"]["basis"]["results"][0]

    assert seen("today") == {"rule": "r"}
    assert seen("yesterday") == {"rule": "r", "x": "yesterday"}
    assert seen("today", "F") == {"rule": "r", "x": "today"}
