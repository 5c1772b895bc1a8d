"""A partner that takes no calls is left alone for a while, and somebody is told once."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs

from activities.failures import as_application_error
from activities.partners.circuit import TERMS, GuardedPartners
from activities.partners.errors import (
    PartnerBusy,
    PartnerError,
    PartnerMalformed,
    PartnerMisdirected,
    PartnerPaused,
    PartnerRefused,
    PartnerUnavailable,
)
from tests.support.memory_circuits import MemoryCircuits
from tests.support.memory_partners import MemoryPartners
from tests.support.partner_calls import a_check

NOON = datetime(2022, 10, 20, 12, tzinfo=UTC)


@dataclass
class Office:
    """Partners in memory, their circuits, and a clock that only a test moves."""

    now: datetime = NOON
    partners: MemoryPartners = field(init=False)
    guarded: GuardedPartners = field(init=False)

    def __post_init__(self) -> None:
        self.partners = MemoryPartners(lambda: self.now)
        self.guarded = GuardedPartners(self.partners.clients(), MemoryCircuits(TERMS, lambda: self.now))

    async def call(self, times: int = 1, error: type[PartnerError] | None = None) -> list[str]:
        """What comes of so many calls, which the partner meets with `error`."""
        if error is not None:
            self.partners.fail_next(*(error("vetting", "http-500") for _ in range(times)))
        outcomes = []
        for _ in range(times):
            try:
                await self.guarded.call("vetting", a_check())
                outcomes.append("taken")
            except PartnerPaused:
                outcomes.append("paused")
            except PartnerError:
                outcomes.append("failed")
        return outcomes

    @property
    def reached(self) -> int:
        """Calls that reached the partner."""
        return len(self.partners.calls)


@pytest.fixture
def office() -> Office:
    return Office()


@pytest.mark.parametrize("error", [PartnerUnavailable, PartnerBusy, PartnerMalformed, PartnerMisdirected])
async def test_after_ten_failures_in_a_row_nothing_is_sent(office: Office, error: type[PartnerError]) -> None:
    assert await office.call(10, error) == ["failed"] * 10
    assert await office.call(50) == ["paused"] * 50
    assert office.reached == 10


async def test_a_partner_that_refuses_is_there(office: Office) -> None:
    await office.call(9, PartnerUnavailable)
    await office.call(1, PartnerRefused)
    await office.call(9, PartnerUnavailable)
    assert await office.call(1) == ["taken"]


async def test_a_partner_that_takes_every_other_call_is_called_on(office: Office) -> None:
    for _ in range(20):
        assert await office.call(1, PartnerUnavailable) == ["failed"]
        assert await office.call(1) == ["taken"]


async def test_the_others_are_called_meanwhile(office: Office) -> None:
    await office.call(10, PartnerUnavailable)
    await office.guarded.call("entry_records", a_check("entry_records"))


async def test_a_dead_partner_has_twelve_calls_an_hour(office: Office) -> None:
    await office.call(10, PartnerUnavailable)
    office.partners.fail_next(*(PartnerUnavailable("vetting", "timeout") for _ in range(1000)))
    reached: list[int] = []
    for _ in range(2):
        for _ in range(720):
            office.now += timedelta(seconds=5)
            await office.call(3)
        reached.append(office.reached - 10 - sum(reached))
    assert reached == [16, 12]  # the first pauses are shorter


async def test_a_partner_that_is_back_is_called_as_before(office: Office) -> None:
    await office.call(10, PartnerUnavailable)
    office.now += TERMS.pause_first
    assert await office.call(30) == ["taken"] * 30


async def test_somebody_is_woken_once_and_told_when_it_is_over(office: Office) -> None:
    with capture_logs() as logs:
        await office.call(10, PartnerUnavailable)
        await office.call(20)
        for error in (PartnerUnavailable, PartnerUnavailable, None):
            office.now += timedelta(minutes=5)
            await office.call(1, error)
        await office.call(20)

    alarms = [entry for entry in logs if entry.get("alarm")]
    assert [(entry["code"], entry["partner"], entry["since"]) for entry in alarms] == [
        ("partner-paused", "vetting", NOON.isoformat())
    ]
    assert alarms[0]["until"] == (NOON + TERMS.pause_first).isoformat()
    assert [entry["event"] for entry in logs if not entry.get("alarm")] == ["partner takes calls again"]


@pytest.mark.parametrize(("at_least_s", "again_s"), [(1.0, 5.0), (160.0, 160.0), (3600.0, 3600.0)])
async def test_who_waits_comes_when_the_pause_is_over_and_no_sooner_than_usual(
    office: Office, at_least_s: float, again_s: float
) -> None:
    await office.call(10, PartnerUnavailable)
    with pytest.raises(PartnerPaused) as raised:
        await office.guarded.call("vetting", a_check())

    failure: Any = as_application_error(raised.value.no_sooner_than(at_least_s))

    assert (failure.type, failure.non_retryable) == ("partner-paused", False)
    assert failure.next_retry_delay == timedelta(seconds=again_s)
