"""What became of the messages this run took, for the updates that wait for it."""

from temporalio import workflow

from activities.contracts import ANSWERS_MAX, MessageResult, Step


class Answers:
    """The newest `ANSWERS_MAX` answers, and how often the case was asked."""

    def __init__(self) -> None:
        self._known: dict[int, MessageResult] = {}
        self.taken = 0
        """The highest inbox number that this run knows to be decided."""
        self._begun = 0
        self._ended = 0

    def begin(self) -> None:
        """An activity that takes messages starts."""
        self._begun += 1

    def end(self, step: Step | None) -> None:
        """It ended, with a Step or without."""
        self._ended = self._begun
        if step:
            self.taken = max(self.taken, step.taken)
            self._known |= {answer.number: answer for answer in step.answers}
            for number in sorted(self._known)[:-ANSWERS_MAX]:
                del self._known[number]

    async def of(self, number: int) -> MessageResult:
        """The answer of message `number`, after at most one more activity that begins from now on.

        The message was in the inbox before anybody asked for its answer, so that activity takes it if any does. What
        this run does not know, a number that is in no inbox included, has no `answer`: the caller reads the inbox.
        """
        last_chance = self._begun + 1
        await workflow.wait_condition(lambda: self.taken >= number or self._ended >= last_chance)
        return self._known.get(number, MessageResult(number=number, answer=None))
