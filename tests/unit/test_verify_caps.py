"""The cap as an auditor checks it, where programmes share a pool: nobody is accused of what the pool allowed."""

from datetime import UTC, datetime

import pytest

from audit.programmes import ProgrammeHistory, history_of
from audit.verify.faults import Code, Fault, Faults
from audit.verify.heads import check_caps
from domain import registry
from domain.humanitarian_parole.stages.travel import ALLOTMENT
from domain.kernel.programme import PlacesChanged, ProgrammeEvent, open_programme

AT = datetime(2023, 1, 10, tzinfo=UTC)
MONTH, NEXT = "2023-01", "2023-02"


def opened(programme: str, *events: ProgrammeEvent, rules: str = "2023-01-06") -> ProgrammeHistory:
    return history_of((*open_programme(registry.programme(programme).sets[rules], None, AT), *events))


def cap(places: int) -> PlacesChanged:
    return PlacesChanged(at=AT, places=places, pool="chnv")


def accused(cuba: dict[tuple[int, str], int], haiti: dict[tuple[int, str], int], most: int) -> list[Fault]:
    """Cuba lowers the cap of the common pool to 2, and Haiti raises it to `most`."""
    histories = {"cuba-air": opened("cuba-air", cap(2)), "haiti-air": opened("haiti-air", cap(most))}
    found: list[Fault] = []
    check_caps(histories, {("cuba-air", ALLOTMENT): cuba, ("haiti-air", ALLOTMENT): haiti}, Faults(found.append))
    return found


@pytest.mark.parametrize("cuba", [{(2, MONTH): 5}, {(1, MONTH): 3, (2, MONTH): 2}, {(2, MONTH): 30_000}])
def test_a_cap_that_another_programme_raised_holds_for_all(cuba: dict[tuple[int, str], int]) -> None:
    assert accused(cuba, {(2, NEXT): 30_000}, most=30_000) == []


def test_together_they_hold_no_more_than_the_highest_cap() -> None:
    (fault,) = accused({(2, MONTH): 20_000}, {(2, MONTH): 11_000, (2, NEXT): 5}, most=30_500)

    assert (fault.code, fault.stream) == (Code.CAP_EXCEEDED, "chnv")
    assert "31000 places were held under a cap of at most 30500, in 2023-01" in str(fault)


def test_a_pool_of_its_own_is_held_to_the_cap_of_each_version() -> None:
    history = opened("venezuela-air", PlacesChanged(at=AT, places=2), rules="2022-10-19")
    found: list[Fault] = []
    check_caps({"venezuela-air": history}, {("venezuela-air", ALLOTMENT): {(2, MONTH): 3}}, Faults(found.append))

    assert [(each.code, each.stream) for each in found] == [(Code.CAP_EXCEEDED, "venezuela-air")]
