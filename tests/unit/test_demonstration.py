"""The script of the demonstration: complete, sound in itself, and judged by what the log holds."""

import asyncio
from datetime import UTC, datetime
from typing import Any, get_args

import pytest

from cases.clock import SystemClock
from cases.inbound.wire import WIRE
from demonstration.board import Board
from demonstration.door import Answer
from demonstration.people import application
from demonstration.player import Player
from demonstration.script import ALL_OUTCOMES, script_of
from demonstration.story import Move, Script, Story, gate
from demonstration.verdict import first_missing, judge
from domain.events import CASE_EVENTS
from domain.persons import person_identities, supporter_identities
from domain.vocabulary import Outcome
from eventstore.port import Stream
from eventstore.summary import CaseSummary
from tests.support.filings import NOON, summary

SIZES = (1, 2, 5, ALL_OUTCOMES - 1, ALL_OUTCOMES, 30, 75)


@pytest.mark.parametrize("cases", SIZES)
def test_a_script_has_as_many_stories_as_were_asked_for_each_by_its_own_name(cases: int) -> None:
    stories = script_of(cases).stories
    assert len(stories) == len({story.name for story in stories}) == cases


def test_the_smallest_whole_script_shows_every_outcome() -> None:
    assert {story.outcome for story in script_of(ALL_OUTCOMES).stories} == set(get_args(Outcome))


@pytest.mark.parametrize("cases", SIZES)
def test_whatever_a_story_or_an_act_waits_for_is_told_too(cases: int) -> None:
    script = script_of(cases)
    names = {story.name for story in script.stories} | {act.name for act in script.acts}
    gates = [each for act in script.acts for each in act.gates]
    for story in script.stories:
        gates += [*story.gates, *(each for move in story.moves for each in move.gates)]
        assert story.travels_with is None or story.travels_with in names
    assert {name for each in gates for name in each.names} <= names


def test_only_the_story_that_says_so_files_for_the_same_person() -> None:
    stories = [story for story in script_of(75).stories if story.outcome != "duplicate"]
    people = [identity for story in stories for identity in person_identities(_filed(story).beneficiary)]
    supporters = [str(supporter_identities(_filed(story).supporter)) for story in stories]
    assert len(people) == len(set(people))
    assert len(supporters) == len(set(supporters))


def _filed(story: Story) -> Any:
    return story.application(story.person)


def test_every_event_and_every_message_of_the_script_exists() -> None:
    known = {event.__name__ for event in CASE_EVENTS}
    for story in script_of(75).stories:
        assert set(story.events) <= known
        for move in story.moves:
            if move.message != "travel.boarding_check":
                body = {"case": "VEN-7Q4K-M2XS", "message": move.message, **move.fields(NOON)}
                assert move.by in WIRE[move.message].model_validate(body).SENDERS


@pytest.mark.parametrize(
    ("wanted", "found", "missing"),
    [
        (("A", "C"), ("A", "B", "C"), None),
        (("C", "A"), ("A", "B", "C"), "A"),
        (("A", "A"), ("A",), "A"),
        ((), (), None),
    ],
)
def test_events_are_looked_for_in_their_order(
    wanted: tuple[str, ...], found: tuple[str, ...], missing: str | None
) -> None:
    assert first_missing(wanted, found) == missing


class Heads:
    """A store whose cases stand as the test says."""

    def __init__(self) -> None:
        self.found: list[CaseSummary] = []
        self.events: Stream = Stream()

    async def summaries(self, _where: object) -> Any:
        for each in self.found:
            yield each

    async def load(self, _case_id: str) -> Stream:
        return self.events


class FakeDoor:
    """A gateway that answers what the test says, and notes what it was sent."""

    def __init__(self, heads: Heads, answer: str = "accepted", then: dict[str, Any] | None = None) -> None:
        self.heads = heads
        self.answer = answer
        self.then = then or {}
        self.sent: list[tuple[str, str]] = []

    async def script_partners(self, _scripts: object) -> None: ...

    async def file(self, _key: str, _programme: str, _application: object) -> str:
        self.heads.found = [summary("VEN-7Q4K-M2XS", waiting_on="arrival")]
        return "VEN-7Q4K-M2XS"

    async def send(self, by: str, _message_id: str, body: dict[str, Any]) -> Answer:
        self.sent.append((by, body["message"]))
        self.heads.found = [summary("VEN-7Q4K-M2XS", **self.then)]
        return Answer(self.answer, None if self.answer == "accepted" else "too-late")


CLOSED = {"closed": True, "outcome": "withdrawn", "reason": "applicant-withdrew", "waiting_on": None}
LEAVES = Move(by="applicant", message="application.withdrawn", once="arrival")
STORY = Story(
    name="leaves", person=1, application=application, outcome="withdrawn", reason="applicant-withdrew", moves=(LEAVES,)
)


async def played(door: FakeDoor, script: Script) -> tuple[Player, Board]:
    board = Board()
    player = Player(script, board, door, SystemClock(), "venezuela-air", "test")  # type: ignore[arg-type]  # a fake
    watching = asyncio.create_task(board.watch(door.heads))  # type: ignore[arg-type]  # a fake
    await asyncio.wait_for(player.play(), 10)
    watching.cancel()
    return player, board


async def test_a_case_that_ends_as_told_has_no_differences() -> None:
    heads = Heads()
    player, board = await played(door := FakeDoor(heads, then=CLOSED), script := Script((STORY,), ()))
    [verdict] = await judge(script, board, heads, player.surprises)  # type: ignore[arg-type]  # a fake
    assert verdict.differences == ()
    assert door.sent == [("applicant", "application.withdrawn")]


async def test_another_outcome_and_another_answer_are_both_named() -> None:
    heads = Heads()
    door = FakeDoor(heads, "rejected", {**CLOSED, "outcome": "expired", "reason": "authorization-expired"})
    player, board = await played(door, script := Script((STORY,), ()))
    [verdict] = await judge(script, board, heads, player.surprises)  # type: ignore[arg-type]  # a fake
    assert verdict.differences == (
        "expired (authorization-expired), expected withdrawn (applicant-withdrew)",
        "application.withdrawn was answered rejected (too-late), expected accepted",
    )


async def test_a_move_whose_moment_never_came_is_a_surprise_and_not_a_hang() -> None:
    after_closing = Move(by="border", message="arrival.paroled", once="arrival")
    story = Story(
        name="late", person=1, application=application, outcome="withdrawn", reason="applicant-withdrew",
        moves=(LEAVES, after_closing),
    )  # fmt: skip
    player, _ = await played(FakeDoor(Heads(), then=CLOSED), Script((story,), ()))
    assert [surprise.what for surprise in player.surprises] == ["closed before arrival.paroled"]


async def test_a_missing_event_is_a_difference() -> None:
    heads = Heads()
    story = Story(
        name="leaves", person=1, application=application, outcome="withdrawn", reason="applicant-withdrew",
        moves=(LEAVES,), events=("TravelAuthorized",),
    )  # fmt: skip
    player, board = await played(FakeDoor(heads, then=CLOSED), script := Script((story,), ()))
    [verdict] = await judge(script, board, heads, player.surprises)  # type: ignore[arg-type]  # a fake
    assert verdict.differences == ("TravelAuthorized is missing, or not where it was expected",)


async def test_a_gate_opens_only_when_all_that_it_names_stand_so_at_once() -> None:
    board, heads = Board(), Heads()
    for name, case_id in (("a", "VEN-7Q4K-M2XS"), ("b", "VEN-7Q4K-M2YW")):
        await board.filed(name, case_id)
    waiting = asyncio.create_task(board.until_open((gate("a", "arrival"), gate("b", "place"))))
    watching = asyncio.create_task(board.watch(heads))  # type: ignore[arg-type]  # a fake
    heads.found = [summary("VEN-7Q4K-M2XS", waiting_on="arrival"), summary("VEN-7Q4K-M2YW", waiting_on="vetting")]
    await board.until_looked_again()
    assert not waiting.done()
    heads.found[1] = summary("VEN-7Q4K-M2YW", waiting_on="place")
    await asyncio.wait_for(waiting, 5)
    watching.cancel()


def test_moments_of_the_script_are_aware() -> None:
    moment = datetime(2023, 1, 1, tzinfo=UTC)
    for story in script_of(30).stories:
        for move in story.moves:
            assert "crossed_at" not in (fields := move.fields(moment)) or fields["crossed_at"].endswith("+00:00")
