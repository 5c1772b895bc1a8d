"""Runs scenarios: the real workflow, worker, activities, gateway and event store in one process, with time skipped."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final

from temporalio.client import WorkflowFailureError
from temporalio.exceptions import FailureError
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from relay.maintenance import record_checks
from simulation.format.scenario import Scenario
from simulation.play.outcome import Result
from simulation.play.reading import read_cases, read_numbers, result_of
from simulation.skipped.databases import Databases, open_databases
from simulation.skipped.driver import SCENARIO_TASK_QUEUE, SCENARIO_WORKFLOW, ScenarioRun
from simulation.skipped.run_folder import RunFolder, run_folder
from simulation.skipped.staging import Staging, open_staging

AT_ONCE: Final = 2
"""Scenarios side by side: each keeps a core busy between its own server, Postgres and the worker."""
RUN_TIMEOUT_S: Final = 300.0
"""One scenario takes a second or two; one that takes this long hangs, and says so."""


async def run_scenarios(scenarios: Sequence[Scenario], tell: Callable[[Result], None]) -> bool:
    """Run all and `tell` each result, in order; whether every expectation holds.

    Raises:
        StackError: Postgres or a Temporal test server cannot be started.
    """
    slots = asyncio.Semaphore(AT_ONCE)

    async def run(index: int, scenario: Scenario) -> Result:
        async with slots:
            return await run_scenario(scenario, databases, folder, folder.path / f"keys-{index}")

    with await asyncio.to_thread(run_folder) as folder:
        async with open_databases(folder) as databases:
            return await _in_order([run(index, scenario) for index, scenario in enumerate(scenarios)], tell)


async def _in_order(runs: Sequence[Coroutine[None, None, Result]], tell: Callable[[Result], None]) -> bool:
    tasks = [asyncio.create_task(each) for each in runs]
    try:
        all_hold = True
        for task in tasks:
            result = await task
            tell(result)
            all_hold = all_hold and result.ok
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return all_hold


async def run_scenario(scenario: Scenario, databases: Databases, folder: RunFolder, keys: Path) -> Result:
    """Play one scenario to its end and compare. A run that breaks off is a difference too, with its reason."""
    async with AsyncExitStack() as stack:
        staging = await open_staging(stack, scenario, await databases.create(), folder, keys)
        broken = await _play(staging)
        await record_checks(staging.store.access)
        cases = await read_cases(scenario, staging.names, staging.store)
        numbers = await read_numbers(scenario, staging.statistics)
        answers = staging.player.answers
    return result_of(scenario, cases, numbers, answers, broken)


async def _play(staging: Staging) -> str | None:
    """Play to the end; why it broke off, if it did."""
    driver = Worker(
        staging.server.client,
        task_queue=SCENARIO_TASK_QUEUE,
        workflows=[ScenarioRun],
        activities=[staging.moments.plan, staging.moments.play],
        workflow_runner=UnsandboxedWorkflowRunner(),  # a few lines of our own, and two seconds less
    )
    try:
        async with asyncio.timeout(RUN_TIMEOUT_S), driver, staging.server.skipping():
            await staging.server.client.execute_workflow(
                SCENARIO_WORKFLOW, id=SCENARIO_WORKFLOW, task_queue=SCENARIO_TASK_QUEUE
            )
    except WorkflowFailureError as failure:
        return _innermost(failure)
    except TimeoutError:
        return f"not over after {RUN_TIMEOUT_S:.0f} s"
    return None


def _innermost(failure: BaseException) -> str:
    """Why the driver failed: what the activity raised, in its own words."""
    cause = failure.__cause__
    return _innermost(cause) if isinstance(cause, FailureError) else str(failure)
