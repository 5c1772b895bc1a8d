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

from gateway.http.examples import FILING
from stack.ports import HOST, choose_port
from tests.fuzz.hooks import CASES_VARIABLE, KEYS_VARIABLE, TOKEN_VARIABLE
from tests.support.stack import RunningStack, bare_environment, until

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
    """Two gateways over one database, with cases that wait."""

    home: Path
    open_url: str
    """Takes what is not signed, and asks nobody for a token, as an embedded stack does."""
    closed_url: str
    """Does neither, as a deployment does not."""
    sender_keys: str
    token_key: str
    cases: tuple[str, ...]

    def requests(self, *, signed: bool) -> Counts:
        """What was answered so far."""
        text = httpx2.get(f"{self._url(signed=signed)}/metrics", trust_env=False).text
        found = Counts()
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                if sample.name == "passage_gateway_requests_total" and sample.labels["route"] not in _PROBED:
                    found[sample.labels["status"]] += int(sample.value)
        return found

    def _url(self, *, signed: bool) -> str:
        return self.closed_url if signed else self.open_url

    def run(self, this: Pass) -> "subprocess.CompletedProcess[str]":
        """Exit code 0: no check failed, and nothing else went wrong."""
        keys = {KEYS_VARIABLE: self.sender_keys, TOKEN_VARIABLE: self.token_key} if this.signed else {}
        # Nobody has to show who they are at a gateway that is open: that it asks nobody is no finding there.
        left_out = [] if this.signed else ["--exclude-checks", "ignored_auth"]
        own = {"PYTHONPATH": str(_ROOT), CASES_VARIABLE: ",".join(self.cases), **keys}
        return subprocess.run(
            [_SCHEMATHESIS, "--config-file", str(_CONFIG), "run", f"{self._url(signed=this.signed)}/openapi.json",
             "--checks", "all", *left_out, "--no-color", "--seed", str(this.seed), "--phases", this.phases,
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
    """A whole stack, its worker at work, a second gateway beside its own, and cases that were filed."""
    with RunningStack(home, environment=_NO_LIMIT) as stack:
        state = stack.state
        with httpx2.Client(base_url=state["gateway_url"], trust_env=False, timeout=30) as http:
            cases = tuple(_file(http, number) for number in range(CASES))
        with _closed_gateway(stack) as closed_url:
            yield Target(
                home, state["gateway_url"], closed_url, state["sender_keys"], state["token_signing_key"], cases
            )


@contextmanager
def _closed_gateway(stack: RunningStack) -> Iterator[str]:
    state, port = stack.state, choose_port(0)
    own = {
        "PASSAGE_DATA_DIR": str(stack.data_dir),
        "PASSAGE_KEYS_DIR": state["keys_dir"],
        "PASSAGE_DATABASE_URL": state["database_url"],
        "PASSAGE_GATEWAY_PORT": str(port),
        "PASSAGE_PARTNER_KEYS": str(stack.data_dir / "partner-keys" / "gateway.json"),
        "PASSAGE_EMBEDDED_STACK": "true",
        "PASSAGE_UNSIGNED_MESSAGES": "false",
        "PASSAGE_TOKEN_ISSUER": state["token_issuer"],
        "PASSAGE_TOKEN_AUDIENCE": state["token_audience"],
        "PASSAGE_TOKEN_KEYS_URL": state["token_keys_url"],
        "PASSAGE_LOG_LEVEL": "error",
        **_NO_LIMIT,
    }
    url = f"http://{HOST}:{port}"
    with (stack.home / "closed-gateway.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "gateway"],
            cwd=stack.home,
            env=bare_environment(own),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    try:
        until(lambda: _is_ready(url) or process.poll() is not None, "the second gateway")
        yield url
    finally:
        process.terminate()
        process.wait()


def _is_ready(url: str) -> bool:
    try:
        return httpx2.get(f"{url}/readyz", trust_env=False, timeout=5).is_success
    except httpx2.TransportError:
        return False


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
