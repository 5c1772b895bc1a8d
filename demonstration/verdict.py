"""Whether each case ended as told, from what the log holds of it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from demonstration.board import Board
from demonstration.player import Surprise
from demonstration.story import Script, Story
from eventstore.port import EventStore
from eventstore.summary import CaseSummary


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one story."""

    story: Story
    case_id: str | None
    summary: CaseSummary | None
    differences: tuple[str, ...]
    """In words; none where it ended as told."""

    @property
    def ended(self) -> str:
        """What became of it: its outcome and the reason, or where it stands."""
        if self.summary is None:
            return "filed, not taken" if self.case_id else "not filed"
        if not self.summary.closed:
            return f"open, waits on {self.summary.waiting_on}"
        return with_reason(self.summary.outcome, self.summary.reason)


def with_reason(outcome: str | None, reason: str | None) -> str:
    """`ineligible (mexico-entry)`."""
    return f"{outcome} ({reason})" if reason else str(outcome)


async def judge(script: Script, board: Board, store: EventStore, surprises: Sequence[Surprise]) -> tuple[Verdict, ...]:
    """One verdict a story, in the script's order. Raises `StoreUnavailable`."""
    return tuple([await _judge(story, board, store, surprises) for story in script.stories])


async def _judge(story: Story, board: Board, store: EventStore, surprises: Iterable[Surprise]) -> Verdict:
    case_id, summary = board.case_of(story.name), board.summary(story.name)
    told = with_reason(story.outcome, story.reason)
    verdict = Verdict(story, case_id, summary, ())
    differences = [surprise.what for surprise in surprises if surprise.story == story.name]
    if verdict.ended != told:
        differences.insert(0, f"{verdict.ended}, expected {told}")
    elif case_id is not None:
        events = [stored.type for stored in (await store.load(case_id)).events]
        missing = first_missing(story.events, events)
        if missing is not None:
            differences.append(f"{missing} is missing, or not where it was expected")
    return Verdict(story, case_id, summary, tuple(differences))


def first_missing(wanted: Iterable[str], found: Iterable[str]) -> str | None:
    """The first of `wanted` that is not in `found` in this order."""
    rest = iter(found)
    return next((event for event in wanted if event not in rest), None)
