"""A scenario's clock shows only its own moments, and a deadline waits for its turn among them."""

from datetime import UTC, datetime, timedelta

from simulation.skipped.clock import ScenarioClock

START = datetime(2022, 10, 20, 14, tzinfo=UTC)
SERVER_START = datetime(2026, 3, 1, 12, tzinfo=UTC)
SECOND, DAY = timedelta(seconds=1), timedelta(days=1)


def clock() -> ScenarioClock:
    return ScenarioClock(START, SERVER_START)


def test_a_timer_for_a_moment_fires_as_far_from_the_servers_start_as_the_moment_is_from_the_scenarios() -> None:
    assert clock().server_time(START + DAY) == SERVER_START + DAY


def test_the_time_that_playing_takes_does_not_show() -> None:
    assert clock().now(SERVER_START + 5 * SECOND) == START


def test_it_never_runs_backwards() -> None:
    played = clock()
    played.play(START + DAY)
    played.play(START)

    assert played.moment == START + DAY


def test_a_deadline_that_is_next_moves_the_clock_there() -> None:
    resting = clock()
    resting.rest(START + DAY)

    assert resting.reached(START + DAY)
    assert resting.moment == START + DAY


def test_a_deadline_whose_timer_fired_while_an_earlier_moment_is_played_waits() -> None:
    playing = clock()
    playing.play(START + DAY)

    assert not playing.reached(START + DAY + SECOND)
    assert playing.reached(START + DAY)
    assert playing.moment == START + DAY


def test_a_later_deadline_waits_for_an_earlier_one() -> None:
    resting = clock()
    resting.rest(START + DAY)

    assert not resting.reached(START + DAY + SECOND)
    assert resting.moment == START


def test_an_answer_that_is_announced_comes_before_a_later_deadline() -> None:
    resting = clock()
    resting.rest(START + DAY)
    resting.expect(START + SECOND)

    assert not resting.reached(START + DAY)
    assert resting.reached(START + SECOND)


def test_nothing_is_due_once_nothing_is_left() -> None:
    resting = clock()
    resting.rest(None)

    assert not resting.reached(START + SECOND)
