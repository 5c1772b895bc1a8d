"""The order in which a scenario plays: by moment, then filings, answers, the timeline, each as in the file."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from domain.humanitarian_parole.stages.sponsor import SponsorConfirmedAnswer
from domain.humanitarian_parole.stages.vetting import VettingClearedAnswer
from domain.kernel.ids import Code
from simulation.format.loader import load_scenario
from simulation.format.scenario import Scenario
from simulation.play.agenda import Agenda, Filing, PartnerAnswers, TimelineMessage
from simulators.messages import PartnerMessage

START = datetime(2022, 10, 20, 14, tzinfo=UTC)
DAY = timedelta(days=1)
BASE = Path(__file__).parents[1] / "scenarios" / "given" / "bases" / "adult-in-mexico.yaml"

Load = Callable[[str], Scenario]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    def load(text: str) -> Scenario:
        file = tmp_path / "s.yaml"
        file.write_text(f"scenario: One\nextends: {BASE}\n{text}")
        return load_scenario(file)

    return load


def answer(case: str, partner: Code) -> PartnerMessage:
    says = {"sponsor_registry": SponsorConfirmedAnswer, "vetting": VettingClearedAnswer}[partner]
    return PartnerMessage(partner, f"{case}-{partner}", case, says())


def names(agenda: Agenda, moment: datetime) -> list[str]:
    played = []
    while (entry := agenda.take(moment)) is not None:
        match entry:
            case Filing():
                played.append(f"filing {entry.name}")
            case PartnerAnswers():
                played.append(f"answer {entry.answer.message_id}")
            case TimelineMessage():
                played.append(f"timeline {entry.index}")
    return played


TWO = """\
applications:
  b:
    filed_at: 2022-10-20T14:00:00Z
    beneficiary:
      given_names: Eva
      surnames: Paz
      birth_date: 1990-01-01
      nationalities: [VEN]
      passport: {number: "9", issuing_country: VEN, issued_on: 2021-03-01, expires_on: 2026-03-01}
      located_in: COL
    supporter: {given_names: Jo, surnames: Roe, birth_date: 1980-01-01, tax_id: "1", status: citizen, household_size: 2,
                annual_income_usd: 1, address: "1", phone: "1", email: "1"}
timeline:
  - {at: 2022-10-20T14:00:00Z, case: b, message: application.withdrawn}
  - {at: 2022-10-20T09:00:00-05:00, case: a, message: application.withdrawn}
"""


def test_at_one_instant_filings_then_answers_then_the_timeline_each_in_the_order_of_the_file(load: Load) -> None:
    agenda = Agenda(load(TWO))
    agenda.schedule(START, "b", answer("b", "sponsor_registry"))
    agenda.schedule(START, "a", answer("a", "vetting"))
    agenda.schedule(START, "a", answer("a", "sponsor_registry"))

    assert names(agenda, START) == [
        "filing a",
        "filing b",
        "answer a-sponsor_registry",
        "answer a-vetting",
        "answer b-sponsor_registry",
        "timeline 0",
        "timeline 1",
    ]


def test_moments_come_before_kinds(load: Load) -> None:
    agenda = Agenda(load("timeline: [{at: 2022-10-20T13:59:59Z, case: a, message: application.withdrawn}]"))

    assert names(agenda, START) == ["timeline 0", "filing a"]


def test_nothing_is_taken_before_its_moment_and_nothing_at_the_end_itself(load: Load) -> None:
    agenda = Agenda(load("until: 2022-10-21T14:00:00Z"))
    agenda.schedule(START + DAY, "a", answer("a", "vetting"))

    assert agenda.take(START - DAY) is None
    assert agenda.next_at() == START
    assert names(agenda, START + 9 * DAY) == ["filing a"]
    assert agenda.next_at() is None
