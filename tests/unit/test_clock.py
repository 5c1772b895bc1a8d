from datetime import UTC, datetime, timedelta

import pytest

from cases.clock import ScaledClock, SystemClock

SERVER = datetime(2026, 3, 1, tzinfo=UTC)
DOMAIN = datetime(2022, 10, 19, tzinfo=UTC)


def test_in_production_domain_time_is_the_servers() -> None:
    assert SystemClock().now(SERVER) == SERVER
    assert SystemClock().server_time(SERVER) == SERVER


def test_a_demonstration_lives_two_years_in_a_quarter_of_an_hour() -> None:
    clock = ScaledClock(DOMAIN, SERVER, factor=730 * 24 * 4)

    assert clock.now(SERVER) == DOMAIN
    assert clock.now(SERVER + timedelta(minutes=15)) == DOMAIN + timedelta(days=730)
    assert clock.server_time(DOMAIN + timedelta(days=730)) == SERVER + timedelta(minutes=15)


def test_a_clock_never_stands_still_or_runs_backwards() -> None:
    with pytest.raises(ValueError, match="above 0"):
        ScaledClock(DOMAIN, SERVER, factor=0)
