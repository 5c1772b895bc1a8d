"""Where a case stands, as far as one run of its workflow knows, and what follows from that for the run."""

from collections import deque

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError

from activities.contracts import CaseStart, RefusedSignal, Step
from domain import registry
from domain.kernel.ids import Code
from workflows import operator_view
from workflows.answers import Answers
from workflows.deadline import DeadlineTimer
from workflows.outstanding import OutstandingCalls, failure_code
from workflows.signals import PendingSignals

REFUSED_SHOWN = 5
"""Direct signals of this run that were refused, the newest; all are on record."""


class RunState:
    """The newest Step, and what runs beside the loop because of it: the timer, the calls, the operator's view."""

    def __init__(self, start: CaseStart, signals: PendingSignals, answers: Answers) -> None:
        self.step: Step | None = None
        self.timer = DeadlineTimer()
        self._start = start
        self._signals = signals
        self._answers = answers
        self._calls = OutstandingCalls(start.case_id, self._show)
        self._first_stage: Code | None = None
        self._trouble: str | None = None
        self._heard = 0
        self._refused: deque[RefusedSignal] = deque(maxlen=REFUSED_SHOWN)

    @property
    def closed(self) -> bool:
        """The case is closed in the log."""
        return self.step is not None and self.step.closed

    def next_run(self) -> CaseStart:
        """What the next activity and the next run must know: the case, and the newest version any run has seen."""
        seen = max(self._start.seen_version, self.step.version if self.step else 0)
        return CaseStart(case_id=self._start.case_id, seen_version=seen)

    def begin(self) -> None:
        """An activity that appends is about to start."""
        self._heard = self._signals.heard
        self._answers.begin()

    def take(self, step: Step) -> None:
        """The activity returned. A Step older than the one held is late news: only its answers count."""
        self._trouble = None
        self._answers.end(step)
        self._refused.extend(step.refused)
        if self.step is None or step.version >= self.step.version:
            self.step = step
            self._first_stage = self._first_stage or step.stage
            self.timer.watch(step.due)
            self._calls.follow(step.calls)
            operator_view.show_search_attributes(step)
        self._show()

    def give_up(self, failure: ActivityError) -> None:
        """The activity failed in a way that no retry mends: stay, show it, try again at the next signal.

        A run that could not even read its case holds nothing worth staying for: raises `ApplicationError`.
        """
        code = failure_code(failure)
        if self.step is None:
            raise ApplicationError(code, type=code, non_retryable=True)
        self._trouble = code
        self._answers.end(None)
        self.timer.watch(self.step.due)
        self._show()

    def asked(self) -> bool:
        """There is a reason to call the activity."""
        if self.timer.fired:
            return True
        if self.step is None or self._trouble:
            return self._signals.heard != self._heard
        return self.step.more or self._signals.waiting(self._answers.taken)

    def may_leave(self) -> bool:
        """This run has nothing in hand: the case is closed, or the next run begins with a short history.

        Where a stage lasts years, as parole does, the case waits there in a run of its own.
        """
        if self.step is None or self._signals.waiting(self._answers.taken) or not workflow.all_handlers_finished():
            return False
        stage = registry.stages().get(self.step.stage)
        years = stage is not None and stage.lasts_years
        waits_for_years = years and self.step.stage != self._first_stage and not self.step.calls
        return self.step.closed or waits_for_years or workflow.info().is_continue_as_new_suggested()

    def _show(self) -> None:
        workflow.set_current_details(
            operator_view.details(self.step, self._signals, self._trouble, self._calls.refused, self._refused)
        )
