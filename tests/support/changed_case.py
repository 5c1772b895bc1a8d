"""Two ways to change the workflow of running cases: carelessly, and with a patch."""

from temporalio import workflow

from activities.contracts import CaseStart
from activities.safe import Unreadable
from workflows.case import Case
from workflows.contracts import CASE_WORKFLOW
from workflows.run_state import RunState


@workflow.defn(name=CASE_WORKFLOW)
class CarelesslyChanged(Case):
    """Waits a moment before it asks."""

    @workflow.run
    async def run(self, start: CaseStart | Unreadable | None = None) -> None:
        await super().run(start)

    async def _advance(self, state: RunState) -> None:
        await workflow.sleep(1)
        await super()._advance(state)


@workflow.defn(name=CASE_WORKFLOW)
class PatchedChange(Case):
    """The same change for cases that start from now on."""

    @workflow.run
    async def run(self, start: CaseStart | Unreadable | None = None) -> None:
        await super().run(start)

    async def _advance(self, state: RunState) -> None:
        if workflow.patched("wait-before-asking"):
            await workflow.sleep(1)
        await super()._advance(state)
