"""Passes of schemathesis over the gateway of a running stack, signed and unsigned in turn."""

import copy
import itertools
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx2
from prometheus_client.parser import text_string_to_metric_families

from gateway.examples import FILING
from tests.fuzz.hooks import CASES_VARIABLE, KEYS_VARIABLE
from tests.support.stack import RunningStack, bare_environment

CASES: Final = 24
"""Filed before anything is tried, each of another person."""
PASS_TIMEOUT_S: Final = 1200.0
_ROOT: Final = Path(__file__).parents[2]
_CONFIG: Final = Path(__file__).with_name("schemathesis.toml")
_SCHEMATHESIS: Final = str(Path(sys.executable).with_name("schemathesis"))
_PROBED: Final = frozenset({"/healthz", "/readyz", "/metrics"})
"""Also asked by those that watch the gateway, so not counted."""
_NO_LIMIT: Final = {"PASSAGE_SENDER_RATE_PER_S": "1000000", "PASSAGE_SENDER_BURST": "1000000"}
"""How fast one may go is tried elsewhere; here it would hide everything behind it."""

Counts = Counter[str]
"""Status to requests."""


@dataclass(frozen=True, slots=True)
class Pass:
    """One run of schemathesis."""

    signed: bool
    seed: int
    phases: str
    examples: int
    """For each operation, and stories of several requests."""


@dataclass(frozen=True, slots=True)
class Target:
    """A gateway with cases that wait."""

    home: Path
    url: str
    sender_keys: str
    cases: tuple[str, ...]

    def requests(self) -> Counts:
        """What was answered so far."""
        text = httpx2.get(f"{self.url}/metrics", trust_env=False).text
        found = Counts()
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                if sample.name == "passage_gateway_requests_total" and sample.labels["route"] not in _PROBED:
                    found[sample.labels["status"]] += int(sample.value)
        return found

    def run(self, this: Pass) -> "subprocess.CompletedProcess[str]":
        """Exit code 0: no check failed, and nothing else went wrong."""
        keys = {KEYS_VARIABLE: self.sender_keys} if this.signed else {}
        own = {"PYTHONPATH": str(_ROOT), CASES_VARIABLE: ",".join(self.cases), **keys}
        return subprocess.run(
            [_SCHEMATHESIS, "--config-file", str(_CONFIG), "run", f"{self.url}/openapi.json", "--checks", "all",
             "--no-color", "--seed", str(this.seed), "--phases", this.phases,
             "--max-examples", str(this.examples)],
            cwd=self.home,
            env=bare_environment(own),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PASS_TIMEOUT_S,
            check=False,
        )  # fmt: skip


@contextmanager
def fuzzed_stack(home: Path) -> Iterator[Target]:
    """A whole stack, its worker at work, with cases that were filed."""
    with RunningStack(home, environment=_NO_LIMIT) as stack:
        state = stack.state
        with httpx2.Client(base_url=state["gateway_url"], trust_env=False, timeout=30) as http:
            cases = tuple(_file(http, number) for number in range(CASES))
        yield Target(home, state["gateway_url"], state["sender_keys"], cases)


def _file(http: httpx2.Client, number: int) -> str:
    filing: dict[str, Any] = copy.deepcopy(dict(FILING))
    person = filing["application"]["beneficiary"]
    person["surnames"] = f"Pérez {'ABCDEFGHIJKLMNOPQRSTUVWXYZ'[number]}"
    person["passport"] = {**person["passport"], "number": f"{number:09}"}
    person["located_in"] = "COL" if number % 2 else "MEX"
    response = http.post("/v1/applications", json=filing, headers={"Idempotency-Key": f"before-{number}"})
    case_id: str = response.raise_for_status().json()["case_id"]
    return case_id


def in_turn(seed: int, examples: int) -> Iterator[Pass]:
    """Signed and unsigned in turn. What is enumerated is tried once each; what is drawn, under a new seed each time."""
    for number in itertools.count():
        phases = "examples,coverage,fuzzing,stateful" if number < 2 else "fuzzing,stateful"
        yield Pass(number % 2 == 0, seed + number // 2, phases, examples)


def as_line(counts: Counts) -> str:
    """The statuses in order."""
    return json.dumps(dict(sorted(counts.items())))
