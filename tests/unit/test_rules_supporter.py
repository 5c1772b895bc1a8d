"""Suspicion about a supporter refers to an officer; it never denies."""

from typing import Any

import pytest

from domain.humanitarian_parole.stages.sponsor import supporter, supporter_flags
from tests.support.filed import CASE, day
from tests.support.given import a_world
from tests.support.stages import asked_about_supporter


@pytest.mark.parametrize(
    ("known", "flags"),
    [
        ({}, ()),
        ({"earlier_supporter_cases": 18}, ()),
        ({"earlier_supporter_cases": 19}, ("many-cases",)),
        ({"earlier_supporter_cases": 200}, ("many-cases",)),
        ({"shared_details": ("tax_id",)}, ("shared-tax-id",)),
        ({"shared_details": ("phone", "address")}, ("shared-phone", "shared-address")),
        ({"earlier_supporter_cases": 19, "shared_details": ("phone",)}, ("many-cases", "shared-phone")),
    ],
)
def test_the_twentieth_case_and_shared_details_are_looked_at(known: dict[str, Any], flags: tuple[str, ...]) -> None:
    world = a_world(day(3), **known)

    found = supporter(asked_about_supporter().case, world)

    assert supporter_flags(world) == flags
    assert found.result == ("referred" if flags else "passed")
    assert found.facts == (f"{CASE}:1",)
