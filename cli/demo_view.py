"""What a person sees of the demonstration: a table that lives in a terminal, and plain lines everywhere else."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from typing import Protocol
from urllib.parse import quote

from rich.console import Console
from rich.live import Live
from rich.table import Table

from cases.clock import Clock
from cli.lines import moment, row
from demonstration.board import Board
from demonstration.story import Script
from demonstration.verdict import Verdict, with_reason
from eventstore.summary import CaseSummary
from process.config import Settings

_AROUND_TABLE = 6
"""Lines of a terminal that are not rows of the table."""
_WIDTHS = (13, 48, 34, 0)


class DemoView(Protocol):
    """Shows a demonstration."""

    def told(self, name: str, summary: CaseSummary) -> None:
        """A story stands otherwise than before."""

    def showing(self, board: Board) -> AbstractContextManager[None]:
        """While it is played."""
        ...

    def conclude(self, verdicts: Sequence[Verdict], first_authorized_s: float | None, *, stay: bool) -> None:
        """What became of each case, and where to look."""


def view_of(script: Script, settings: Settings, clock: Clock) -> DemoView:
    """The view that suits where the output goes."""
    console = Console(highlight=False, soft_wrap=True)
    kind = LiveView if console.is_terminal else PlainView
    return kind(console, script, settings, clock)


class PlainView:
    """A line for each case that enters a stage or closes."""

    def __init__(self, console: Console, script: Script, settings: Settings, clock: Clock) -> None:
        self._console = console
        self._script = script
        self._settings = settings
        self._clock = clock
        self._stages: dict[str, str] = {}

    def told(self, name: str, summary: CaseSummary) -> None:
        """Print it, if the stage is new."""
        stage = with_reason(summary.outcome, summary.reason) if summary.closed else summary.stage
        if self._stages.get(name) == stage:
            return
        self._stages[name] = stage
        on = f", waits on {summary.waiting_on}" if summary.waiting_on else ""
        self._console.print(f"{moment(summary.since)}  {summary.case_id}  {name}: {stage}{on}", markup=False)

    @contextmanager
    def showing(self, board: Board) -> Iterator[None]:  # noqa: ARG002  the live view needs it
        """Links first, so that whoever watches can look."""
        self._links()
        yield

    def _links(self) -> None:
        for label, query in (
            ("All cases", 'WorkflowType="Case"'),
            ("In vetting", 'CaseStage="security_vetting"'),
            ("With an officer", 'WaitingOn="officer"'),
            ("Revoked", 'Outcome="revoked"'),
        ):
            if (address := self._search(query)) is not None:
                self._console.print(f"{label:<16}{address}", markup=False)
        self._console.print(f"{'Gateway':<16}{self._settings.gateway_url}/docs", markup=False)

    def _search(self, query: str) -> str | None:
        pages = self._pages()
        return None if pages is None else f"{pages}?query={quote(query, safe='')}"

    def _pages(self) -> str | None:
        base, namespace = self._settings.temporal_ui_url, self._settings.temporal["namespace"]
        return None if base is None else f"{base}/namespaces/{quote(namespace, safe='')}/workflows"

    def conclude(self, verdicts: Sequence[Verdict], first_authorized_s: float | None, *, stay: bool) -> None:
        """The table of what became of each case, then links."""
        self._ending(verdicts)
        as_told = sum(not verdict.differences for verdict in verdicts)
        self._console.print(f"{as_told} of {len(verdicts)} cases ended as told.")
        if first_authorized_s is not None:
            self._console.print(f"First case authorized {first_authorized_s:.1f} s after the start.")
        for verdict in verdicts:
            for difference in verdict.differences:
                self._console.print(f"{verdict.case_id}  {verdict.story.name}: {difference}", markup=False)
        if stay:
            self._links()
            self._look_into(verdicts[0])
            self._console.print("Ctrl-C stops everything.")

    def _ending(self, verdicts: Sequence[Verdict]) -> None:
        self._console.print("What became of each case")
        for verdict in verdicts:
            self._console.print(row(_ended(verdict), _WIDTHS), markup=False)

    def _look_into(self, verdict: Verdict) -> None:
        if (pages := self._pages()) is not None and verdict.case_id is not None:
            self._console.print(f"{'A whole life':<16}{pages}/{verdict.case_id}", markup=False)
        self._console.print(f"{'And its story':<16}passage case history {verdict.case_id}", markup=False)


class LiveView(PlainView):
    """One table that is drawn anew four times a second."""

    def told(self, name: str, summary: CaseSummary) -> None:
        """Move the story to the end of those that show when not all fit."""
        self._stages.pop(name, None)
        self._stages[name] = summary.stage

    @contextmanager
    def showing(self, board: Board) -> Iterator[None]:
        """Draw until it is played out; what was drawn then gives way to the conclusion."""
        self._links()
        with Live(
            get_renderable=lambda: self._table(board), console=self._console, refresh_per_second=4, transient=True
        ):
            yield

    def _ending(self, verdicts: Sequence[Verdict]) -> None:
        self._console.print(_table_of(verdicts))

    def _table(self, board: Board) -> Table:
        now = self._clock.now(datetime.now(UTC))
        names = [story.name for story in self._script.stories]
        closed = sum(board.standing(name) == "closed" for name in names)
        table = Table(
            title=f"{now:%d %B %Y} · {closed} of {len(names)} cases closed", title_justify="left", expand=False
        )
        for heading, width in (("Case", 13), ("Story", 10), ("Stage", 23), ("Waits on", 13), ("Since", 10), ("Due", 4)):
            table.add_column(heading, no_wrap=True, min_width=width)
        for name in self._fitting(names):
            table.add_row(*_cells(name, board))
        return table

    def _fitting(self, names: Sequence[str]) -> Sequence[str]:
        room = max(self._console.height - _AROUND_TABLE, 5)
        if len(names) <= room:
            return names
        moving = set([*self._stages][-room:])
        return [name for name in names if name in moving]


def _cells(name: str, board: Board) -> tuple[str, ...]:
    summary = board.summary(name)
    if summary is None:
        return (board.case_of(name) or "", name, "", "", "", "")
    if summary.closed:
        ended = with_reason(summary.outcome, summary.reason)
        return (summary.case_id, name, f"[bold]{ended}[/bold]", "", f"{summary.since:%Y-%m-%d}", "")
    due = f"{summary.due_name} {summary.due_at:%Y-%m-%d}" if summary.due_at else ""
    return (summary.case_id, name, summary.stage, summary.waiting_on or "", f"{summary.since:%Y-%m-%d}", due)


def _table_of(verdicts: Sequence[Verdict]) -> Table:
    table = Table(title="What became of each case", title_justify="left")
    table.add_column("Case", no_wrap=True)
    table.add_column("Story")
    table.add_column("Ended", no_wrap=True)
    table.add_column("", no_wrap=True)
    for verdict in verdicts:
        table.add_row(*_ended(verdict))
    return table


def _ended(verdict: Verdict) -> tuple[str, str, str, str]:
    mark = "differs" if verdict.differences else "as told"
    return verdict.case_id or "", verdict.story.name, verdict.ended, mark
