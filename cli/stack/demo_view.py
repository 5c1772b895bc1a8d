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
from eventstore.summary import CaseSummary
from process.config import Settings
from simulation.play.outcome import Result
from simulation.play.table import difference_in_words, standing
from simulation.scaled.board import Board
from simulation.scaled.performance import PlayedCase

_AROUND_TABLE = 6
"""Lines of a terminal that are not rows of the table."""
_WIDTHS = (13, 48, 34, 0)
_HEADING = "What became of each case"
_AS_TOLD = "as told"
_Row = tuple[str, str, str, str]
"""A case, its title, what became of it, and whether it was told so."""


class DemoView(Protocol):
    """Shows a demonstration."""

    def changed(self, summary: CaseSummary) -> None:
        """A case stands otherwise than before."""

    def showing(self, cases: Sequence[PlayedCase], board: Board) -> AbstractContextManager[None]:
        """While it is played."""
        ...

    def conclude(self, results: Sequence[Result], first_authorized_s: float | None, *, stay: bool) -> None:
        """What became of each case, and where to look."""


def view_of(settings: Settings, clock: Clock) -> DemoView:
    """The view that suits where the output goes."""
    console = Console(highlight=False, soft_wrap=True)
    kind = LiveView if console.is_terminal else PlainView
    return kind(console, settings, clock)


class PlainView:
    """A line for each case that enters a stage or closes."""

    def __init__(self, console: Console, settings: Settings, clock: Clock) -> None:
        self._console = console
        self._settings = settings
        self._clock = clock
        self._cases: Sequence[PlayedCase] = ()
        self._titles: dict[str | None, str] = {}
        self._stages: dict[str, str] = {}

    def changed(self, summary: CaseSummary) -> None:
        """Print it, if the stage is new."""
        stage = _ended(summary) if summary.closed else summary.stage
        title = self._title(summary.case_id)
        if title is None or self._stages.get(summary.case_id) == stage:
            return
        self._stages[summary.case_id] = stage
        on = f", waits on {summary.waiting_on}" if summary.waiting_on else ""
        self._console.print(f"{moment(summary.since)}  {summary.case_id}  {title}: {stage}{on}", markup=False)

    def _title(self, case_id: str) -> str | None:
        """The title of a case; None while nobody knows that it is one of these."""
        if case_id not in self._titles:
            self._titles = {case.case_id: case.title for case in self._cases}
        return self._titles.get(case_id)

    @contextmanager
    def showing(self, cases: Sequence[PlayedCase], board: Board) -> Iterator[None]:  # noqa: ARG002  the live view needs it
        """Links first, so that whoever watches can look."""
        self._cases = cases
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

    def conclude(self, results: Sequence[Result], first_authorized_s: float | None, *, stay: bool) -> None:
        """The table of what became of each case, then links."""
        by_scenario = {result.scenario: result for result in results}
        rows = [_row(case, by_scenario[case.playing.scenario.scenario]) for case in self._cases]
        self._ending(rows)
        self._console.print(f"{sum(row[-1] == _AS_TOLD for row in rows)} of {len(rows)} cases ended as told.")
        if first_authorized_s is not None:
            self._console.print(f"First case authorized {first_authorized_s:.1f} s after the start.")
        for result in results:
            for each in result.differences:
                self._console.print(f"{result.scenario}: {difference_in_words(each)}", markup=False)
        if stay:
            self._links()
            self._look_into(self._cases[0])
            self._console.print("Ctrl-C stops everything.")

    def _ending(self, rows: Sequence[_Row]) -> None:
        self._console.print(_HEADING)
        for each in rows:
            self._console.print(row(each, _WIDTHS), markup=False)

    def _look_into(self, case: PlayedCase) -> None:
        if (pages := self._pages()) is not None and case.case_id is not None:
            self._console.print(f"{'A whole life':<16}{pages}/{case.case_id}", markup=False)
        self._console.print(f"{'And its story':<16}passage case history {case.case_id}", markup=False)


class LiveView(PlainView):
    """One table that is drawn anew four times a second."""

    def changed(self, summary: CaseSummary) -> None:
        """Move the case to the end of those that show when not all fit."""
        self._stages.pop(summary.case_id, None)
        self._stages[summary.case_id] = summary.stage

    @contextmanager
    def showing(self, cases: Sequence[PlayedCase], board: Board) -> Iterator[None]:
        """Draw until it is played out; what was drawn then gives way to the conclusion."""
        self._cases = cases
        self._links()
        with Live(
            get_renderable=lambda: self._table(board), console=self._console, refresh_per_second=4, transient=True
        ):
            yield

    def _ending(self, rows: Sequence[_Row]) -> None:
        table = Table(title=_HEADING, title_justify="left")
        for heading in ("Case", "Story", "Ended", ""):
            table.add_column(heading, no_wrap=heading != "Story")
        for each in rows:
            table.add_row(*each)
        self._console.print(table)

    def _table(self, board: Board) -> Table:
        now = self._clock.now(datetime.now(UTC))
        summaries = [board.summary(case.case_id) for case in self._cases]
        closed = sum(summary is not None and summary.closed for summary in summaries)
        table = Table(
            title=f"{now:%d %B %Y} · {closed} of {len(summaries)} cases closed", title_justify="left", expand=False
        )
        for heading, width in (("Case", 13), ("Story", 10), ("Stage", 23), ("Waits on", 13), ("Since", 10), ("Due", 4)):
            table.add_column(heading, no_wrap=True, min_width=width)
        for case in self._fitting():
            table.add_row(*_cells(case, board.summary(case.case_id)))
        return table

    def _fitting(self) -> Sequence[PlayedCase]:
        room = max(self._console.height - _AROUND_TABLE, 5)
        if len(self._cases) <= room:
            return self._cases
        moving = set([*self._stages][-room:])
        return [case for case in self._cases if case.case_id in moving]


def _cells(case: PlayedCase, summary: CaseSummary | None) -> tuple[str, ...]:
    if summary is None:
        return (case.case_id or "", case.title, "", "", "", "")
    since = f"{summary.since:%Y-%m-%d}"
    if summary.closed:
        return (summary.case_id, case.title, f"[bold]{_ended(summary)}[/bold]", "", since, "")
    due = f"{summary.due_name} {summary.due_at:%Y-%m-%d}" if summary.due_at else ""
    return (summary.case_id, case.title, summary.stage, summary.waiting_on or "", since, due)


def _ended(summary: CaseSummary) -> str:
    """`ineligible: mexico-entry`."""
    return f"{summary.outcome}: {summary.reason}" if summary.reason else str(summary.outcome)


def _row(case: PlayedCase, result: Result) -> _Row:
    differs = any(each.case in (case.name, None) for each in result.differences)
    return case.case_id or "", case.title, standing(result.cases[case.name]), "differs" if differs else _AS_TOLD
