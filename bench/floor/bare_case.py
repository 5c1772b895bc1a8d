"""The bare workflow: as many activities, calls, signals, timers and search attributes as a case, and nothing else."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from temporalio import workflow
from temporalio.common import RawValue

from activities.contracts import ADVANCE, OPEN_CASE, Advance, CaseStart, Step
from domain.kernel.ids import Code
from workflows.contracts import CASE_STAGE, PROGRAMME, RULES_VERSION, STAGE_DEADLINE, WAITING_ON

BARE_WORKFLOW: Final = "BareCase"
BARE_TASK_QUEUE: Final = "bare-cases"


@dataclass(frozen=True, slots=True)
class Part:
    """What one signal sets off, and where the case then stands."""

    signal: str | None
    activity: str
    stage: Code
    waiting_on: Code
    partner: Code | None = None
    due: tuple[Code, int] | None = None
    """The limit that runs from then on, and its days."""


PARTS: Final = (
    Part("application.submitted", OPEN_CASE, "sponsor_confirmation", "sponsor", "sponsor_registry"),
    Part("sponsor.confirmed", ADVANCE["sponsor_confirmation"], "proof_of_entry", "entry_records", "entry_records"),
    Part("entry.matched", ADVANCE["proof_of_entry"], "security_vetting", "vetting", "vetting"),
    Part("vetting.cleared", ADVANCE["security_vetting"], "travel_authorization", "arrival", due=("authorization", 90)),
    Part(
        "arrival.paroled",
        ADVANCE["travel_authorization"],
        "work_permit_eligibility",
        "parole_end",
        due=("parole-notice", 640),
    ),
    Part(None, OPEN_CASE, "work_permit_eligibility", "parole_end", due=("parole-notice", 640)),
    Part(
        "work_permit.applied",
        ADVANCE["work_permit_eligibility"],
        "work_permit_eligibility",
        "work_permit_office",
        "work_permit_office",
        ("parole-notice", 640),
    ),
    Part(
        "work_permit.eligible",
        ADVANCE["work_permit_eligibility"],
        "work_permit_eligibility",
        "parole_end",
        due=("parole-notice", 640),
    ),
)
"""A case from its filing to its work permit."""
FRESH_RUN: Final = 5
"""The part with which a run of its own begins, as a case's parole does."""


@workflow.defn(name=BARE_WORKFLOW)
class BareCase:
    """Awaits each signal, runs its activity, shows where it stands."""

    def __init__(self) -> None:
        self._heard = 0
        self._timer: asyncio.Task[None] | None = None
        self._due: Any = None

    @workflow.run
    async def run(self, start: CaseStart) -> None:
        """`seen_version` is the first part of this run."""
        parts = PARTS[start.seen_version : None if start.seen_version else FRESH_RUN]
        awaited = 0
        for number, part in enumerate(parts, start=start.seen_version):
            awaited += part.signal is not None
            await workflow.wait_condition(lambda wanted=awaited: self._heard >= wanted)  # type: ignore[misc]  # a default
            step = await workflow.execute_activity(
                part.activity,
                Advance(case_id=start.case_id, seen_version=number),
                result_type=Step,
                start_to_close_timeout=timedelta(seconds=30),
            )
            self._show(step)
            self._watch(step)
        if not start.seen_version:
            workflow.continue_as_new(CaseStart(case_id=start.case_id, seen_version=FRESH_RUN))
        await workflow.wait_condition(lambda: False)

    @workflow.signal(dynamic=True)
    def hear(self, name: str, payloads: Sequence[RawValue]) -> None:
        """Any signal is the one that is awaited: they come in order."""
        del name, payloads
        self._heard += 1

    def _show(self, step: Step) -> None:
        now = workflow.info().typed_search_attributes
        wanted: tuple[tuple[Any, Any], ...] = (
            (CASE_STAGE, step.stage),
            (WAITING_ON, step.waiting_on),
            (STAGE_DEADLINE, step.due.at if step.due else None),
            (PROGRAMME, step.programme),
            (RULES_VERSION, step.rules_version),
        )
        changed = [
            key.value_unset() if value is None else key.value_set(value)
            for key, value in wanted
            if now.get(key) != value
        ]
        if changed:
            workflow.upsert_search_attributes(changed)

    def _watch(self, step: Step) -> None:
        if step.due == self._due:
            return
        if self._timer:
            self._timer.cancel()
        self._due = step.due
        if step.due:
            self._timer = asyncio.create_task(workflow.sleep(step.due.wake_at - workflow.now()))
