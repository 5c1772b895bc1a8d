"""What `passage demo` plays: complete, about people of its own, and played when its cases are ready for it."""

import asyncio
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from cases.clock import ScaledClock
from domain.humanitarian_parole.definition import FAMILY
from domain.humanitarian_parole.persons import person_identities, supporter_identities
from eventstore.port import Stream
from eventstore.summary import CaseSummary
from simulation.demonstration.repeat import application, cases_for_every_outcome, demonstration, last_places
from simulation.format.scenario import Scenario
from simulation.play.agenda import Agenda, TimelineMessage, first_moment
from simulation.play.client import Reply
from simulation.play.later import later
from simulation.play.names import CaseNames
from simulation.scaled.board import Board
from simulation.scaled.pace import Pace
from simulation.scaled.performance import Performance
from tests.support.filings import summary

SIZES = (1, 2, 5, 12, 13, 30, 75)
CASE_ID = "VEN-7Q4K-M2XS"


def cases_of(scenarios: tuple[Scenario, ...]) -> int:
    return sum(len(each.applications) for each in scenarios)


@pytest.mark.parametrize("cases", SIZES)
def test_there_are_as_many_cases_as_were_asked_for_in_scenarios_of_their_own_titles(cases: int) -> None:
    scenarios = demonstration(cases)
    assert cases_of(scenarios) == cases
    assert len({each.scenario for each in scenarios}) == len(scenarios)


def test_the_smallest_whole_demonstration_shows_every_outcome() -> None:
    shown = {expected.outcome for each in demonstration(cases_for_every_outcome()) for expected in each.expect.values()}
    assert cases_for_every_outcome() == 13
    assert shown == set(FAMILY.outcomes)


def test_every_case_says_how_it_must_end() -> None:
    for each in demonstration(30):
        assert set(each.expect) == set(each.applications)
        assert {expected.stage for expected in each.expect.values()} == {"closed"}


def test_only_who_files_twice_is_a_person_or_a_supporter_of_another_case() -> None:
    filed = [applied.content for each in demonstration(75) for name, applied in each.applications.items()
             if each.expect[name].outcome != "duplicate"]  # fmt: skip
    people = [identity for each in filed for identity in person_identities(each.beneficiary)]
    supporters = [str(supporter_identities(each.supporter)) for each in filed]
    assert len(people) == len(set(people))
    assert len(supporters) == len(set(supporters))
    assert application(3).beneficiary.passport.number == "150000301"


def test_cases_come_one_after_the_other_and_the_last_places_after_all_others() -> None:
    scenarios = demonstration(75)
    assert all(before < after for before, after in pairwise(map(first_moment, scenarios)))
    to_the_programme = [each.scenario for each in scenarios if any(item.to_programme for item in each.timeline)]
    assert to_the_programme == [last_places().scenario] == [scenarios[-1].scenario]


def test_the_cap_leaves_others_the_places_that_they_keep() -> None:
    kept = sum(expected.outcome == "completed" for each in demonstration(30)[:-1] for expected in each.expect.values())
    capped = [item.says.places for item in demonstration(30)[-1].timeline if item.message == "programme.cap"]
    assert capped == [kept + 1, kept + 2]


def test_a_scenario_moved_on_keeps_its_intervals_and_everybodys_age() -> None:
    [before] = [each for each in demonstration(30) if each.scenario.startswith("more time to travel")]
    after = later(before, by := timedelta(days=700))
    assert after.applications["a"].filed_at - before.applications["a"].filed_at == by
    born = [each.applications["a"].content.beneficiary.birth_date for each in (before, after)]
    assert born[1] - born[0] == by
    assert [new.at - old.at for old, new in zip(before.timeline, after.timeline, strict=True)] == [by] * 3
    assert after.timeline[1].says.until - before.timeline[1].says.until == by


class Heads:
    """A store whose cases stand as the test says."""

    def __init__(self) -> None:
        self.found: list[CaseSummary] = []

    async def summary(self, _case_id: str) -> CaseSummary | None:
        return self.found[0] if self.found else None

    async def load(self, _case_id: str) -> Stream:
        return Stream()

    async def summaries(self, _where: object) -> Any:
        for each in self.found:
            yield each


class Stage:
    """One scenario's pace, with a board that shows what the test says; ten days pass in a second."""

    def __init__(self) -> None:
        [self.scenario] = demonstration(1)
        self.agenda = Agenda(self.scenario)
        self.filed_at = self.scenario.applications["a"].filed_at
        self.clock = ScaledClock(self.filed_at, datetime.now(UTC), 864_000)
        self.heads, self.board, names = Heads(), Board(), CaseNames("VEN")
        self.pace = Pace(self.scenario, names, self.board, self.clock)
        names.note("a", CASE_ID)
        self.board.follow(CASE_ID, lambda stands: self.pace.note("a", stands))

    def stands(self, waiting_on: str, after: timedelta) -> None:
        self.heads.found = [summary(CASE_ID, waiting_on=waiting_on, since=self.filed_at + after)]

    def turn(self, index: int) -> "asyncio.Task[datetime]":
        item = self.scenario.timeline[index]
        return asyncio.create_task(self.pace.until(TimelineMessage(index, item, item.says.SENDERS[0]), item.at))


@pytest.fixture
async def stage() -> Any:
    stage = Stage()
    watching = asyncio.create_task(stage.board.watch(stage.heads))  # type: ignore[arg-type]  # a fake
    yield stage
    watching.cancel()


@pytest.mark.parametrize("waiting_on", ["vetting", "place", "programme"])
async def test_a_message_waits_while_its_case_waits_for_an_answer_a_place_or_the_programme(
    stage: Stage, waiting_on: str
) -> None:
    stage.stands(waiting_on, timedelta(days=3))
    turn = stage.turn(0)
    await asyncio.sleep(3.0)  # its moment, 26 days after the filing, is over
    assert not turn.done()
    stage.stands("arrival", timedelta(days=8))
    await asyncio.wait_for(turn, 5)


async def test_a_scenario_runs_late_by_what_its_cases_were_kept_waiting(stage: Stage) -> None:
    stage.stands("vetting", timedelta(days=3))
    await stage.board.until_looked_again()
    stage.stands("arrival", timedelta(days=3 + 5 + 10))  # the script says five days
    late = await asyncio.wait_for(stage.turn(0), 10) - stage.scenario.timeline[0].at
    assert timedelta(days=10) <= late < timedelta(days=25)


class Gateway:
    """A client that is answered what the test says; the message closes the case."""

    def __init__(self, heads: Heads, answer: str) -> None:
        self.heads = heads
        self.answer = answer
        self.sent: list[tuple[str, str]] = []

    async def script_partners(self, scripts: Any) -> None:
        self.sent += [("script", script.partners.vetting.answer) for script in scripts]

    async def file(self, _key: str, programme: str, _application: object) -> str:
        self.sent.append(("file", programme))
        self.heads.found = [summary(CASE_ID, waiting_on="vetting")]
        return CASE_ID

    async def deliver(self, by: str, _message_id: str, body: dict[str, Any]) -> None:
        self.sent.append((by, body["message"]))
        closed = {"outcome": "withdrawn", "reason": "applicant-withdrew", "waiting_on": None}
        self.heads.found = [summary(CASE_ID, stage="closed", closed=True, **closed)]

    async def reply_to(self, _by: str, _message_id: str) -> Reply:
        return Reply(self.answer)


def a_withdrawal() -> Scenario:
    [scenario] = [each for each in demonstration(12) if each.scenario.startswith("withdrawn")]
    expected = scenario.expect["a"].model_copy(update={"events": ()})
    item = scenario.timeline[0].model_copy(update={"expect_answer": "accepted"})
    return scenario.model_copy(update={"expect": {"a": expected}, "timeline": (item,)})


@pytest.mark.parametrize(("answer", "differing"), [("accepted", []), ("rejected", ["timeline[0].expect_answer"])])
async def test_a_performance_scripts_files_says_and_compares(answer: str, differing: list[str]) -> None:
    heads, board = Heads(), Board()
    gateway = Gateway(heads, answer)
    clock = ScaledClock(datetime(2022, 10, 19, tzinfo=UTC), datetime.now(UTC), 8_640_000)
    performance = Performance([a_withdrawal()], "venezuela-air", gateway, clock, board)  # type: ignore[arg-type]  # a fake
    watching = asyncio.create_task(board.watch(heads))  # type: ignore[arg-type]  # a fake
    await asyncio.wait_for(performance.play(), 10)
    watching.cancel()
    [result] = await performance.results(heads)  # type: ignore[arg-type]  # a fake
    assert gateway.sent == [("script", "none"), ("file", "venezuela-air"), ("applicant", "application.withdrawn")]
    assert [each.key for each in result.differences] == differing
