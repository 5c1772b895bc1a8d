"""One case, from filing to its close: a small loop over Steps (decision 3).

What a case may do next is decided in `domain/` by the activity that appends; this workflow only knows when to ask
again: a signal came, a limit is reached, more is left. It holds nothing that the log does not.
"""

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError, is_cancelled_exception

from activities.contracts import CASE_WORKFLOW, Advance, CaseStart, MessageRef, MessageResult
from activities.safe import Unreadable
from workflows import calls
from workflows.answers import Answers
from workflows.contracts import ANSWER_UPDATE, NOT_A_CASE, NOT_A_MESSAGE
from workflows.run_state import RunState
from workflows.signals import MessageSignals


@workflow.defn(name=CASE_WORKFLOW)
class Case(MessageSignals):
    """Order, waiting, retries and deadlines of one case."""

    def __init__(self) -> None:
        super().__init__()
        self._answers = Answers()

    @workflow.run
    async def run(self, start: CaseStart | Unreadable | None = None) -> None:
        """Ends when the case is closed and whoever signalled has been answered; every run begins from the log."""
        if not isinstance(start, CaseStart) or start.case_id != workflow.info().workflow_id:
            raise ApplicationError(NOT_A_CASE, type=NOT_A_CASE, non_retryable=True)
        state = RunState(start, self._signals, self._answers)
        while True:
            await self._advance(state)
            await workflow.wait_condition(lambda: state.asked() or state.may_leave())
            if not state.asked():
                break
        if not state.closed:
            workflow.continue_as_new(state.next_run())

    async def _advance(self, state: RunState) -> None:
        """The one place that calls an activity which appends, so two never run at once."""
        known, due, direct = state.next_run(), state.timer.take(), self._signals.hand_over()
        what = Advance(case_id=known.case_id, seen_version=known.seen_version, due=due, direct=direct)
        state.begin()
        try:
            step = await calls.advance(state.step, what)
        except ActivityError as failure:
            if is_cancelled_exception(failure):
                raise
            state.give_up(failure)
        else:
            state.take(step)
        finally:
            # Also after a failure: the activity writes them to the inbox before anything else, or refuses them.
            self._signals.handed_over(direct)

    @workflow.update(
        name=ANSWER_UPDATE,
        description='Waits for the answer of a message that is in the inbox: {"message_id": "m-1", "number": 7}',
    )
    async def answer(self, message: MessageRef | Unreadable | None = None) -> MessageResult:
        """The domain's yes or no; a no is an answer and not a failure."""
        if not isinstance(message, MessageRef):
            raise ApplicationError(NOT_A_MESSAGE, type=NOT_A_MESSAGE)
        self._signals.expect(message.number)
        return await self._answers.of(message.number)

    @answer.validator
    def _is_readable(self, message: MessageRef | Unreadable | None = None) -> None:
        if not isinstance(message, MessageRef):
            raise ApplicationError(NOT_A_MESSAGE, type=NOT_A_MESSAGE)
