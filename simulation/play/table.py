"""A result for people to read."""

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from simulation.play.outcome import CaseOutcome, Difference, Result


def show(console: Console, result: Result) -> None:
    """Print what became of each case, and each difference."""
    verdict = "[green]holds[/]  " if result.ok else "[red]differs[/]"
    console.print(f"{verdict} {escape(result.scenario)}")
    table = Table("case", "id", "stands", "last event", box=None, padding=(0, 1), show_header=False)
    for name, case in result.cases.items():
        last = case.events[-1] if case.events else "-"
        table.add_row(*map(escape, ("        " + name, case.case_id or "-", standing(case), last)))
    console.print(table)
    for difference in result.differences:
        console.print(f"         {escape(difference_in_words(difference))}", style="red")


def standing(case: CaseOutcome) -> str:
    """`ineligible: mexico-entry`, or where an open case stands."""
    if case.stage is None:
        return "not filed"
    if case.outcome is None:
        return f"{case.stage}, waiting on {case.waiting_on}"
    return case.outcome if case.reason is None else f"{case.outcome}: {case.reason}"


def difference_in_words(difference: Difference) -> str:
    """One line."""
    where = difference.key if difference.case is None else f"{difference.case}: {difference.key}"
    return f"{where}: expected {_shown(difference.expected)}, found {_shown(difference.found)}"


def _shown(value: object) -> str:
    if isinstance(value, tuple | list):
        return "[" + ", ".join(map(str, value)) + "]"
    return "null" if value is None else str(value)
