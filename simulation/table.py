"""A result for people to read."""

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from simulation.outcome import Difference, Result


def show(console: Console, result: Result) -> None:
    """Print what became of each case, and each difference."""
    verdict = "[green]holds[/]" if result.ok else "[red]differs[/]"
    console.print(f"{verdict}  {escape(result.scenario)}")
    table = Table("case", "case id", "stage", "outcome", "reason", "waiting on", "permit", "last event", box=None)
    for name, case in result.cases.items():
        words = (case.case_id, case.stage, case.outcome, case.reason, case.waiting_on, case.work_permit)
        last = case.events[-1] if case.events else None
        table.add_row(*(escape(word or "-") for word in (name, *words, last)))
    console.print(table)
    if result.programme is not None:
        figures = result.programme
        console.print(f"  places {figures.places}, authorized {figures.authorized}, waiting {figures.waiting}")
    for difference in result.differences:
        console.print(f"  [red]✗[/] {escape(_sentence(difference))}")


def _sentence(difference: Difference) -> str:
    where = difference.key if difference.case is None else f"{difference.case}: {difference.key}"
    return f"{where} expected {_shown(difference.expected)}, found {_shown(difference.found)}"


def _shown(value: object) -> str:
    if isinstance(value, tuple | list):
        return "[" + ", ".join(map(str, value)) + "]"
    return "null" if value is None else str(value)
