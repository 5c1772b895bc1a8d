"""Brings both sides up on one Temporal server, runs them in turn, and reads what a case of each cost."""

import tempfile
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, Final

import asyncpg
import httpx2
from temporalio.client import Client

from bench.bill import actions, billed, events
from bench.floor.bare_worker import PROGRESS_FILE
from bench.floor.sides import SAMPLE, BareLook, RealLook, Result, Side
from bench.ratio import Ratio
from process.config import Settings, child_environment, load_settings
from simulators.scripts import AGREEABLE
from stack.embedded import EmbeddedStack
from stack.partner_keys import ensure_partner_keys
from stack.ports import HOST, choose_port
from stack.services import PythonService
from stack.state import StackState
from stack.supervisor import Supervisor

AT_LEAST: Final = 0.90
CPU_AT_MOST: Final = 1.3
EVENTS_AT_MOST: Final = 90
ACTIONS_AT_MOST: Final = 28
WARM_UP: Final = 12
"""Cases of each side before the first pair: programs load, pools fill."""


class UnlikeError(Exception):
    """The bare workflow does not do as much of each billed kind as a case: the comparison would mean nothing."""


@dataclass(frozen=True, slots=True)
class Floor:
    """What was measured."""

    rate: Ratio
    cpu: tuple[tuple[float, float], ...]
    """Worker CPU seconds a case, (ours, theirs), a pair."""
    events: int
    actions: int
    bill: Counter[str]

    @property
    def cpu_ratio(self) -> float:
        """The median over the pairs of ours to theirs."""
        return median(ours / theirs for ours, theirs in self.cpu)

    @property
    def is_met(self) -> bool:
        """Whether every budget of it holds."""
        return (
            self.rate.is_met
            and self.cpu_ratio <= CPU_AT_MOST
            and self.events <= EVENTS_AT_MOST
            and self.actions <= ACTIONS_AT_MOST
        )

    def as_dict(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            **self.rate.as_dict(),
            "met": self.is_met,
            "worker_cpu_ms": {
                "ours": [round(ours * 1000, 1) for ours, _ in self.cpu],
                "theirs": [round(theirs * 1000, 1) for _, theirs in self.cpu],
                "ratio": round(self.cpu_ratio, 3),
                "at_most": CPU_AT_MOST,
            },
            "history_events": {"a_case": self.events, "at_most": EVENTS_AT_MOST},
            "billable_actions": {"a_case": self.actions, "at_most": ACTIONS_AT_MOST, "of": dict(self.bill)},
        }


async def measure(pairs: int = 5, cases: int = 100) -> Floor:
    """Run `pairs` pairs of `cases` cases a side. Raises `UnlikeError`, StackError, or TimeoutError."""
    with tempfile.TemporaryDirectory(prefix="passage-floor-", ignore_cleanup_errors=True) as folder:
        settings = load_settings(data_dir=Path(folder), from_running_stack=False)
        async with (
            EmbeddedStack(settings, simulators=True) as stack,
            bare_side(settings, stack.state) as bare,
            real_side(stack.state) as real,
        ):
            client = await Client.connect(stack.state.temporal_address)
            return await _alternate(real, bare, client, pairs, cases)


async def _alternate(real: Side, bare: Side, client: Client, pairs: int, cases: int) -> Floor:
    for side in (real, bare):
        await side.run(min(cases, WARM_UP))
    found: list[tuple[Result, Result]] = []
    for number in range(pairs):
        # Who goes first changes, so that neither always meets the fuller database.
        order = (real, bare) if number % 2 == 0 else (bare, real)
        first, second = await order[0].run(cases), await order[1].run(cases)
        found.append((first, second) if number % 2 == 0 else (second, first))
    mine, other = found[-1]
    return _floor(found, await _usual(client, mine), await _usual(client, other))


def _floor(found: list[tuple[Result, Result]], ours: list[dict[str, Any]], theirs: list[dict[str, Any]]) -> Floor:
    if billed(ours) != billed(theirs):
        raise UnlikeError(f"a case does {dict(billed(ours))}, the bare workflow {dict(billed(theirs))}")
    rates = tuple((mine.cases_per_s, other.cases_per_s) for mine, other in found)
    return Floor(
        rate=Ratio("floor", "cases/s", rates, AT_LEAST),
        cpu=tuple((mine.worker_cpu_s, other.worker_cpu_s) for mine, other in found),
        events=events(ours),
        actions=actions(ours),
        bill=billed(ours),
    )


async def _usual(client: Client, result: Result) -> list[dict[str, Any]]:
    """The histories of a case whose bill is the most frequent of the sample: now and then two signals are one."""
    all_of = [await _histories(client, case_id) for case_id in result.case_ids[-SAMPLE:]]
    bills = Counter(frozenset(billed(each).items()) for each in all_of)
    usual, _ = bills.most_common(1)[0]
    return next(each for each in all_of if frozenset(billed(each).items()) == usual)


async def _histories(client: Client, case_id: str) -> list[dict[str, Any]]:
    """All runs of a case, oldest first."""
    runs = [run async for run in client.list_workflows(f"WorkflowId = '{case_id}'")]
    runs.sort(key=lambda run: run.start_time)
    handles = [client.get_workflow_handle(case_id, run_id=run.run_id) for run in runs]
    return [(await handle.fetch_history()).to_json_dict() for handle in handles]


@asynccontextmanager
async def real_side(state: StackState) -> AsyncIterator[Side]:
    """The cases of a running stack, whose partners answer at once."""
    async with asyncpg.create_pool(state.database_url, min_size=1, max_size=1) as pool, _http() as http:
        await _answer_at_once(http, state.partners_url or "")
        yield Side(state.gateway_url, state.pids["worker"], RealLook(pool), http)


@asynccontextmanager
async def bare_side(settings: Settings, state: StackState) -> AsyncIterator[Side]:
    """The bare workflow's own worker, gateway and partners, on the Temporal server of a running stack."""
    folder = settings.data_dir.absolute() / "bare"
    folder.mkdir()
    gateway, partners = choose_port(0), choose_port(0)
    keys = ensure_partner_keys(folder / "partner-keys")  # both sides sign their calls, and are signed to
    own = settings.model_copy(
        update={
            "data_dir": folder,
            "gateway_port": gateway,
            "gateway_url": f"http://{HOST}:{gateway}",
            "simulators_port": partners,
            "partners_url": f"http://{HOST}:{partners}",
            "partner_keys": keys.gateway,
            "sender_keys": keys.senders,
            "call_keys": keys.calls,
            "caller_keys": keys.callers,
        }
    )
    temporal = {"TEMPORAL_ADDRESS": state.temporal_address, "TEMPORAL_CONFIG_FILE": "/dev/null"}
    environment = child_environment({**own.environment(), **temporal}, without="TEMPORAL_")
    supervisor = Supervisor(
        folder,
        [
            PythonService("gateway", "bench.floor.bare_gateway", lambda: environment, lambda: (gateway,)),
            PythonService("simulators", "simulators", lambda: environment, lambda: (partners,)),
            PythonService("worker", "bench.floor.bare_worker", lambda: environment),
        ],
    )
    try:
        await supervisor.start()
        async with _http() as http:
            await _answer_at_once(http, own.partners_url)
            yield Side(own.gateway_url, supervisor.pids["worker"], BareLook(folder / PROGRESS_FILE), http)
    finally:
        await supervisor.stop()


def _http() -> httpx2.AsyncClient:
    return httpx2.AsyncClient(trust_env=False, timeout=30)


async def _answer_at_once(http: httpx2.AsyncClient, partners_url: str) -> None:
    body = AGREEABLE.model_dump(mode="json", exclude_none=True)
    for behaviour in body.values():
        behaviour["after"] = "PT0S"
    (await http.put(f"{partners_url}/scripts/default", json=body)).raise_for_status()
