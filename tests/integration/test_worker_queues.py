"""Which queues a worker serves, and how fast: a partner's pace is kept by the server, for all workers together."""

from pathlib import Path
from typing import Any, cast

from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment

from activities.partners.agreements import read_agreements
from cases.inbound.senders import NOBODY
from domain import registry
from process.backing import Backing
from worker import case_workers

AGREED = "\n".join(
    f'[{partner}]\ncalls_per_s = {number}\nanswers_within = "P3D"\nask_again_after = "P1D"'
    for number, partner in enumerate(registry.partners(), start=1)
)


async def test_a_worker_serves_each_partner_at_its_agreed_pace(dev_server: WorkflowEnvironment, tmp_path: Path) -> None:
    file = tmp_path / "agreements.toml"
    file.write_text(AGREED)
    client = await Client.connect(dev_server.client.service_client.config.target_host)  # one has each queue once

    workers = case_workers(
        client, cast("Backing", _Nothing()), cast("Any", None), read_agreements(file), NOBODY
    )  # none of them takes a task here

    pace = {each.task_queue: each.config()["max_task_queue_activities_per_second"] for each in workers}
    assert pace == {
        "cases": None,
        "calls-sponsor-registry": 1,
        "calls-entry-records": 2,
        "calls-vetting": 3,
        "calls-work-permit-office": 4,
        "partner-calls": None,  # what was asked for before partners had queues of their own
    }


class _Nothing:
    """Stands where a backing would: making workers reads and writes nothing."""

    def __getattr__(self, _: str) -> Any:
        return self
