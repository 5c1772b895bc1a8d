"""Every scenario through the real system, with time skipped, and `passage simulate` as its users run it."""

import asyncio
import json
import subprocess
import sysconfig
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from audit.log.notes import Verifier
from audit.verify.faults import Fault
from audit.verify.record import Scope, verify
from simulation.demonstration.repeat import demonstration_files
from simulation.format.loader import load_scenario, load_scenarios
from simulation.format.scenario import Scenario
from simulation.play.outcome import Result
from simulation.skipped.databases import Databases
from simulation.skipped.run_folder import RunFolder
from simulation.skipped.runner import run_scenarios
from stack.postgres.server import EmbeddedPostgres
from tests.support.player import Player
from tests.support.postgres import TEMPLATE
from tests.support.verdict import shown_case, shown_programme

SCENARIOS = Path(__file__).parents[1] / "scenarios"
GIVEN = sorted((SCENARIOS / "given").glob("*.yaml"))
OWN = sorted(SCENARIOS.glob("*.yaml"))
FOUR_PROGRAMMES = sorted((SCENARIOS / "four-programmes").glob("*.yaml"))
BASE = SCENARIOS / "given" / "bases" / "adult-in-mexico.yaml"
GIVEN_BUDGET_S = 60
UNSIGNED = Scope(verifier=Verifier("none", bytes(32)), max_lag=timedelta.max)
PASSAGE = Path(sysconfig.get_path("scripts")) / "passage"


@dataclass(frozen=True)
class Run:
    code: int
    out: str
    err: str

    @property
    def results(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]


def simulate(*arguments: str | Path) -> Run:
    command = [str(PASSAGE), "simulate", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    return Run(done.returncode, done.stdout, done.stderr)


def write(folder: Path, text: str, name: str = "s.yaml") -> Path:
    file = folder / name
    file.write_text(f"scenario: One\nextends: {BASE}\nuntil: 2022-11-15T00:00:00Z\n{text}\n")
    return file


def pure(file: Path) -> dict[str, Any]:
    """What the scenario comes to over the pure domain, without server, worker or store (tests/support/player.py)."""
    player = Player(load_scenario(file)).play()
    return {
        "cases": {
            name: {key: _as_json(each) for key, each in shown_case(player, playing).items()}
            for name, playing in player.cases.items()
            if playing.case.filed
        },
        "programme": shown_programme(player),
        "answers": [(each["case"], each["message"], each["answer"]) for each in player.answers],
    }


def real(result: dict[str, Any]) -> dict[str, Any]:
    """The same of a result as it is printed."""
    cases = {name: case for name, case in result["cases"].items() if case.pop("case_id") is not None}
    answers = [(each["case"], each["message"], each["answer"]) for each in result["answers"]]
    return {"cases": cases, "programme": result["programme"], "answers": answers}


def _as_json(value: Any) -> Any:
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    return value.isoformat() if isinstance(value, date) else value


def questions(scenario: Scenario) -> int:
    """How often a carrier asks about a case that is filed by then. About another there is nothing to record."""
    return sum(
        item.deliver
        for item in scenario.timeline
        if item.is_question and item.case is not None and scenario.applications[item.case].filed_at <= item.at
    )


def differing(run: Run) -> list[tuple[str, Any]]:
    return [(result["scenario"], result["differences"]) for result in run.results if not result["ok"]]


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_given_scenarios_hold_within_a_minute() -> None:
    started_s = time.monotonic()
    run = simulate(*GIVEN, "--json")

    assert differing(run) == []
    assert run.code == 0, run.err
    assert len(run.results) == len(GIVEN)
    assert time.monotonic() - started_s < GIVEN_BUDGET_S


class Kept(Databases):
    """Databases that outlive the run, and what an auditor finds in them afterwards."""

    def __init__(self, server: EmbeddedPostgres, name: str) -> None:
        super().__init__(server)
        self._name = name
        self._turn = asyncio.Lock()  # Postgres refuses two copies of one template at once
        self.urls: list[str] = []

    async def create(self) -> str:
        """See base class."""
        async with self._turn:
            database = f"{self._name}_{len(self.urls)}"
            await self._execute(f'CREATE DATABASE "{database}" TEMPLATE "{TEMPLATE}"')
            self.urls.append(self._server.url(database))
        return self.urls[-1]

    async def drop(self) -> None:
        """Leave none behind."""
        for number in range(len(self.urls)):
            await self._execute(f'DROP DATABASE "{self._name}_{number}" WITH (FORCE)')

    async def _execute(self, statement: str) -> None:
        connection = await asyncpg.connect(self._server.url())
        await connection.execute(statement)
        await connection.close()

    async def faults(self) -> list[Fault]:
        """Of all the logs, each of which holds something. No sealer runs beside them, so none can be late."""
        found: list[Fault] = []
        for url in self.urls:
            assert (await verify(url, UNSIGNED, found.append)).events > 0
        return found

    async def boarding_checks(self) -> int:
        """How many answers to carriers are events; none may be anything else any more."""
        checks = 0
        for url in self.urls:
            connection = await asyncpg.connect(url)
            assert await connection.fetchval("SELECT count(*) FROM passage.boarding_check") == 0
            checks += await connection.fetchval("SELECT count(*) FROM passage.events WHERE type = 'BoardingChecked'")
            await connection.close()
        return checks


@pytest.fixture
async def kept(
    postgres_server: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> AsyncIterator[Kept]:
    """What this process's runs have for their databases."""
    kept = Kept(postgres_server, f"scenario_{request.node.callspec.id}")

    @asynccontextmanager
    async def opened(_: RunFolder) -> AsyncIterator[Databases]:
        yield kept

    monkeypatch.setattr("simulation.skipped.runner.open_databases", opened)
    yield kept
    await kept.drop()


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    "files",
    [OWN[::3], OWN[1::3], OWN[2::3], FOUR_PROGRAMMES, demonstration_files()],
    ids=["first", "second", "third", "four", "demonstration"],
)
async def test_the_projects_own_scenarios_hold_as_in_the_pure_domain_and_leave_logs_that_nobody_accuses(
    kept: Kept, files: list[Path]
) -> None:
    results: list[Result] = []
    scenarios = load_scenarios(files)

    await run_scenarios(scenarios, results.append)

    assert [(each.scenario, each.differences) for each in results if not each.ok] == []
    for file, result in zip(files, results, strict=True):
        found = real(result.model_dump(mode="json"))
        assert found == pure(file), f"{file.name}: the real system and the pure domain tell two stories"
    assert await kept.faults() == []
    assert await kept.boarding_checks() == sum(map(questions, scenarios))


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_scenario_of_four_programmes_tells_each_programme_and_pool() -> None:
    run = simulate(*FOUR_PROGRAMMES[:2], "--json")

    assert differing(run) == []
    assert (run.code, len(run.results)) == (0, 2), run.err
    for result in run.results:
        assert list(result["programme"]) == ["venezuela-air", "cuba-air", "haiti-air", "nicaragua-air"]
        taken = sum(each["authorized"] for each in result["programme"].values())
        assert sum(each["taken"] for each in result["pools"].values()) == taken


def test_results_come_one_a_line_in_the_order_of_the_arguments_with_everything_that_is_promised(tmp_path: Path) -> None:
    item = "{at: 2022-10-21T09:00:00-05:00, case: a, message: travel.boarding_check, deliver: 2}"
    first = write(tmp_path, f"timeline: [{item}]", "first.yaml")
    second = write(tmp_path, "places: 7", "second.yaml")
    run = simulate(first, second, "--json")

    assert run.code == 0, run.err
    one, two = run.results
    assert list(one) == ["scenario", "ok", "differences", "cases", "programme", "pools", "answers"]
    assert list(one["cases"]["a"]) == [
        "case_id", "stage", "outcome", "reason", "waiting_on", "work_permit", "authorized_until", "paroled_until",
        "events",
    ]  # fmt: skip
    assert one["cases"]["a"]["authorized_until"] == "2023-01-27T05:00:00Z"
    assert one["programme"] == {"places": 24000, "authorized": 1, "waiting": 0}
    assert one["pools"] == {"venezuela-air": {"places": 24000, "taken": 1}}
    asked: dict[str, str | None] = {"at": "2022-10-21T09:00:00-05:00", "case": "a", "message": "travel.boarding_check"}
    asked |= {"answer": "none", "code": None}
    assert one["answers"] == [asked, asked]
    assert two["programme"] == {"places": 7, "authorized": 1, "waiting": 0}


def test_a_wrong_expectation_is_named_and_exits_with_1(tmp_path: Path) -> None:
    item = "{at: 2022-10-21T09:00:00-05:00, case: a, message: travel.boarding_check, expect_answer: ok}"
    file = write(tmp_path, f"timeline: [{item}]\nexpect: {{a: {{stage: closed, counts: {{TravelAuthorized: 2}}}}}}")
    run = simulate(file, "--json")

    assert run.code == 1
    (result,) = run.results
    assert result["ok"] is False
    assert result["differences"] == [
        {"case": "a", "key": "stage", "expected": "closed", "found": "travel_authorization"},
        {"case": "a", "key": "counts.TravelAuthorized", "expected": 2, "found": 1},
        {"case": "a", "key": "timeline[0].expect_answer", "expected": "ok", "found": "none"},
    ]
    readable = simulate(file)
    assert readable.code == 1
    assert "a: stage: expected closed, found travel_authorization" in readable.out


def test_a_malformed_file_is_named_exits_with_2_and_nothing_runs(tmp_path: Path) -> None:
    good = write(tmp_path, "places: 1", "good.yaml")
    bad = write(tmp_path, "plaices: 1\nexpect: {b: {}}", "bad.yaml")
    worse = write(tmp_path, "places: yes", "worse.yaml")
    run = simulate(good, bad, worse, "--json")

    assert (run.code, run.out) == (2, "")
    assert f"{bad}:4: plaices: unknown key" in run.err
    assert f"{worse}:4: places: should be a valid integer" in run.err
    assert simulate().code == 2


def test_a_scenario_in_which_nothing_happens_before_its_end(tmp_path: Path) -> None:
    item = "{at: 2022-10-01T00:00:00Z, case: a, message: application.withdrawn}"
    file = write(tmp_path, f"timeline: [{item}]\nexpect: {{a: {{stage: null}}}}")
    file.write_text(file.read_text().replace("2022-11-15", "2022-10-01"))
    run = simulate(file, "--json")

    assert run.code == 0, run.out + run.err
    assert run.results[0]["answers"] == []
    assert run.results[0]["cases"]["a"]["events"] == []


EVIDENCE = """\
applications: {{a: {{documents: []}}}}
partners: {{entry_records: {{answer: entry.not_found, after: PT1H}}}}
timeline:
  - at: {at}
    case: a
    message: evidence.submitted
    documents: [{{kind: fmm, number: "7", entered_on: 2022-09-01, issued_on: 2022-09-01}}]
    expect_answer: {answer}
expect: {{a: {{events: [{event}]}}}}
"""


def test_a_moment_is_exact_however_long_the_machine_takes(tmp_path: Path) -> None:
    """A millisecond before the deadline counts, and at its own instant is late: playing takes longer than that."""
    in_time = EVIDENCE.format(at="2022-11-22T14:59:59.999Z", answer="accepted", event="EvidenceReceived")
    late = EVIDENCE.format(at="2022-11-22T15:00:00Z", answer="rejected", event="EvidenceDeadlinePassed")
    files = [write(tmp_path, in_time, "in-time.yaml"), write(tmp_path, late, "late.yaml")]
    for file in files:
        file.write_text(file.read_text().replace("2022-11-15", "2022-12-15"))
    run = simulate(*files, "--json")

    assert differing(run) == []
    assert run.code == 0, run.err


def test_a_partner_that_is_down_for_days_blocks_nobody(tmp_path: Path) -> None:
    file = write(
        tmp_path,
        "partners: {sponsor_registry: {fail: 1000}}\n"
        "timeline: [{at: 2022-11-01T00:00:00Z, case: a, message: application.withdrawn, expect_answer: accepted}]\n"
        "expect: {a: {stage: closed, outcome: withdrawn}}",
    )
    run = simulate(file, "--json")

    assert differing(run) == []
    assert run.code == 0, run.err
