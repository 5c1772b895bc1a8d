"""One case, from filing to its close: a small loop over Steps (decision 3).

What a case may do next is decided in `domain/` by the activity that appends; this workflow only knows when to ask
again: a bell rang, a limit is reached, more is left. It holds nothing that the log does not.
"""

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError, is_cancelled_exception

from activities.contracts import CASE_WORKFLOW, Advance, Answer, CaseStart, MessageRef
from activities.safe import Unreadable
from workflows import calls
from workflows.answers import Answers
from workflows.contracts import ANSWER_UPDATE, NOT_A_CASE, NOT_A_MESSAGE
from workflows.run_state import Standing
from workflows.signals import Doorbells


@workflow.defn(name=CASE_WORKFLOW)
class Case(Doorbells):
    """Order, waiting, retries and deadlines of one case."""

    def __init__(self) -> None:
        super().__init__()
        self._answers = Answers()

    @workflow.run
    async def run(self, start: CaseStart | Unreadable | None = None) -> None:
        """Ends when the case is closed and whoever rang has been answered; every run begins from the log."""
        if not isinstance(start, CaseStart) or start.case_id != workflow.info().workflow_id:
            raise ApplicationError(NOT_A_CASE, type=NOT_A_CASE, non_retryable=True)
        standing = Standing(start, self._bells, self._answers)
        while True:
            await self._advance(standing)
            await workflow.wait_condition(lambda: standing.asked() or standing.may_leave())
            if not standing.asked():
                break
        if not standing.closed:
            workflow.continue_as_new(standing.next_run())

    async def _advance(self, standing: Standing) -> None:
        """The one place that calls an activity which appends, so two never run at once."""
        known, due, direct = standing.next_run(), standing.timer.take(), self._bells.hand_over()
        what = Advance(case_id=known.case_id, seen_version=known.seen_version, due=due, direct=direct)
        standing.begin()
        try:
            step = await calls.advance(standing.step, what)
        except ActivityError as failure:
            if is_cancelled_exception(failure):
                raise
            standing.give_up(failure)
        else:
            standing.take(step)
        finally:
            # Also after a failure: the activity writes them to the inbox before anything else, or refuses them.
            self._bells.handed_over(direct)

    @workflow.update(
        name=ANSWER_UPDATE,
        description='Waits for the answer of a message that is in the inbox: {"message_id": "m-1", "number": 7}',
    )
    async def answer(self, message: MessageRef | Unreadable | None = None) -> Answer:
        """The domain's yes or no; a no is an answer and not a failure."""
        if not isinstance(message, MessageRef):
            raise ApplicationError(NOT_A_MESSAGE, type=NOT_A_MESSAGE)
        self._bells.expect(message.number)
        return await self._answers.of(message.number)

    @answer.validator
    def _is_readable(self, message: MessageRef | Unreadable | None = None) -> None:
        if not isinstance(message, MessageRef):
            raise ApplicationError(NOT_A_MESSAGE, type=NOT_A_MESSAGE)
