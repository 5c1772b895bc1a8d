"""The programme: opened, suspended, resumed, terminated, its cap and its rules."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from domain import registry
from domain.kernel.calendar import Pause
from domain.kernel.messages import (
    CapChange,
    GovernmentsMessage,
    ProgrammeResumption,
    ProgrammeSuspension,
    ProgrammeTermination,
    Rejection,
    RulesAdoption,
)
from domain.kernel.programme import (
    PROGRAMME_EVENTS,
    PlacesChanged,
    Programme,
    ProgrammeEvent,
    ProgrammeResumed,
    ProgrammeSuspended,
    ProgrammeTerminated,
    RulesAdopted,
    decide_programme,
    evolve_programme,
    open_programme,
)
from domain.kernel.rule_set import RuleSet, read_rule_set
from tests.support.given import changed

BOOK = registry.programme("venezuela-air").sets
T1, T2, T3 = (datetime(2022, 11, number, 12, tzinfo=UTC) for number in (1, 2, 3))
SUSPEND, RESUME = ProgrammeSuspension(), ProgrammeResumption()
TERMINATE = ProgrammeTermination(parole_ends_on=date(2023, 1, 31))


def opened(places: int | None = None, rules: str = "2022-10-19") -> Programme:
    return fold(Programme(), open_programme(BOOK[rules], places, T1))


def fold(state: Programme, events: tuple[ProgrammeEvent, ...]) -> Programme:
    for event in events:
        state = evolve_programme(state, event)
    return state


def after(state: Programme, *messages: GovernmentsMessage, at: datetime = T2, book: Any = BOOK) -> Programme:
    for message in messages:
        state = fold(state, decide_programme(state, message, at, book))
    return state


def test_a_programme_opens_with_the_places_of_its_rules_or_an_override() -> None:
    assert (opened().places, opened().cap_period, opened().status, opened().version) == (24_000, "total", "open", 1)
    assert opened(places=1).places == 1
    assert opened(places=0).places == 0


@pytest.mark.parametrize(
    ("message", "event"),
    [
        (SUSPEND, ProgrammeSuspended(at=T2)),
        (TERMINATE, ProgrammeTerminated(at=T2, parole_ends_on=date(2023, 1, 31))),
        (CapChange(places=7), PlacesChanged(at=T2, places=7)),
    ],
)
def test_what_governments_say_happens(message: GovernmentsMessage, event: ProgrammeEvent) -> None:
    assert decide_programme(opened(), message, T2, BOOK) == (event,)


@pytest.mark.parametrize(
    ("before", "message", "code"),
    [
        (Programme(), SUSPEND, "programme-not-opened"),
        (opened(), RESUME, "not-suspended"),
        (after(opened(), SUSPEND), SUSPEND, "already-suspended"),
        (after(opened(), SUSPEND, RESUME), RESUME, "not-suspended"),
        (after(opened(), TERMINATE), TERMINATE, "programme-terminated"),
        (after(opened(), TERMINATE), SUSPEND, "programme-terminated"),
        (after(opened(), SUSPEND, TERMINATE), RESUME, "programme-terminated"),
        (opened(), RulesAdoption(rules="2022-10-19"), "rules-already-in-force"),
        (opened(), RulesAdoption(rules="1999-01-01"), "unknown-rules"),
    ],
)
def test_what_governments_cannot_say_now_is_rejected(before: Programme, message: GovernmentsMessage, code: str) -> None:
    with pytest.raises(Rejection) as rejected:
        decide_programme(before, message, T2, BOOK)

    assert rejected.value.code == code


def test_a_suspension_is_a_pause_that_its_resumption_ends() -> None:
    suspended = after(opened(), SUSPEND)
    assert (suspended.status, suspended.pauses) == ("suspended", (Pause(T2, None),))

    resumed = after(suspended, RESUME, at=T3)
    assert (resumed.status, resumed.pauses) == ("open", (Pause(T2, T3),))
    assert after(resumed, SUSPEND, at=T3).pauses == (Pause(T2, T3), Pause(T3, None))


def test_a_terminated_programme_is_no_longer_suspended() -> None:
    terminated = after(opened(), SUSPEND, TERMINATE)

    assert (terminated.status, terminated.suspended, terminated.parole_ends_on) == (
        "terminated",
        False,
        date(2023, 1, 31),
    )


def test_the_cap_follows_the_rules_in_force_unless_governments_named_their_own() -> None:
    adopted = after(opened(), RulesAdoption(rules="2023-01-06"))
    assert (adopted.places, adopted.cap_period, adopted.rules_version) == (30_000, "month", "2023-01-06")

    own = after(opened(), CapChange(places=5), RulesAdoption(rules="2023-01-06"))
    assert (own.places, own.cap_period) == (5, "month")
    assert after(opened(places=9), RulesAdoption(rules="2023-01-06")).places == 9


def test_an_adoption_records_the_content_that_was_adopted() -> None:
    (adopted,) = decide_programme(opened(), RulesAdoption(rules="2022-10-12"), T2, BOOK)

    assert isinstance(adopted, RulesAdopted)
    assert adopted.rules_digest == BOOK["2022-10-12"].digest
    assert read_rule_set(adopted.rules) == BOOK["2022-10-12"]


def test_a_set_is_found_in_the_record_whatever_is_bundled_later() -> None:
    adopted = after(opened(), RulesAdoption(rules="2023-01-06"))

    assert adopted.sets == {version: BOOK[version] for version in ("2022-10-19", "2023-01-06")}
    assert adopted.rules.digest == BOOK["2023-01-06"].digest


def test_a_version_that_was_in_force_is_not_adopted_again_with_other_content() -> None:
    adopted = after(opened(), RulesAdoption(rules="2023-01-06"))
    other = {**BOOK, "2022-10-19": changed(BOOK["2022-10-19"], title="Another")}

    with pytest.raises(Rejection, match="rules-version-taken"):
        decide_programme(adopted, RulesAdoption(rules="2022-10-19"), T3, other)
    assert after(adopted, RulesAdoption(rules="2022-10-19"), at=T3).rules_version == "2022-10-19"


def for_running(version: str) -> RuleSet:
    return changed(BOOK["2022-10-19"], version=version, applies_to_running=True)


def test_a_case_keeps_the_set_in_force_when_it_was_filed() -> None:
    adopted = after(opened(), RulesAdoption(rules="2023-01-06"))

    assert adopted.rules_for("2022-10-19", filed_at=T1).version == "2022-10-19"
    assert adopted.rules_for("2023-01-06", filed_at=T3).version == "2023-01-06"


def test_a_set_for_running_cases_holds_for_those_filed_before_it_and_not_for_those_filed_under_a_later_one() -> None:
    book = {**BOOK, "2024-01-01": for_running("2024-01-01")}
    adopted = after(opened(), RulesAdoption(rules="2024-01-01"), book=book)
    assert adopted.rules_for("2022-10-19", filed_at=T1).version == "2024-01-01"

    later = after(adopted, RulesAdoption(rules="2023-01-06"), at=T3, book=book)
    assert later.rules_for("2022-10-19", filed_at=T1).version == "2024-01-01"
    assert later.rules_for("2023-01-06", filed_at=datetime(2022, 11, 4, tzinfo=UTC)).version == "2023-01-06"


def test_the_programme_has_a_handler_for_every_event_of_its_own() -> None:
    examples: dict[type[ProgrammeEvent], ProgrammeEvent] = {
        type(event): event
        for event in (
            *open_programme(BOOK["2022-10-19"], None, T1),
            PlacesChanged(at=T2, places=1),
            ProgrammeSuspended(at=T2),
            ProgrammeResumed(at=T3),
            ProgrammeTerminated(at=T3, parole_ends_on=date(2023, 1, 31)),
            *decide_programme(opened(), RulesAdoption(rules="2022-10-12"), T2, BOOK),
        )
    }
    assert set(examples) == set(PROGRAMME_EVENTS)
    for number, event in enumerate(examples.values(), start=1):
        assert fold(after(opened(), SUSPEND), (event,)).version == 3, number


def test_another_event_is_a_fault() -> None:
    with pytest.raises(TypeError, match="not an event of a programme"):
        evolve_programme(opened(), ProgrammeEvent(at=T1))


def test_an_opening_may_name_the_places_of_every_pool_that_the_programme_draws_on() -> None:
    air, sea = ({"allotment": name, "pool": name, "places": 9, "period": "total"} for name in ("air", "sea"))
    state = fold(Programme(), open_programme(changed(BOOK["2022-10-19"], caps=[air, sea]), 1, T1, {"sea": 2}))

    assert [state.places_of(cap) for cap in state.rules.caps] == [1, 2]
