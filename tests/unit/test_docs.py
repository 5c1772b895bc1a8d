"""The documents name what there is, all of it, and nothing that is not there."""

import fnmatch
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, get_args

import pytest
import typer

from activities.contracts import MESSAGE_SENDERS
from activities.failures import FAILURES
from audit.verify.faults import Code
from cli.main import application
from cli.stack.bench import Name
from domain import registry
from domain.kernel.definition import name_of
from domain.kernel.messages import GovernmentsMessage
from domain.kernel.programme import PROGRAMME_EVENTS
from gateway.http.metrics import GatewayMetrics
from workflows.contracts import SEARCH_ATTRIBUTES
from workflows.operator_view import NEXT

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
IDS = [str(page.relative_to(ROOT)) for page in PAGES]
COMMAND: Any = typer.main.get_command(application())


def named_in(page: str, section: str) -> set[str]:
    """The names in the first cells of the tables of a section."""
    text = (ROOT / page).read_text()
    found = re.search(rf"^#+ {re.escape(section)}$(.*?)(?=^#+ |\Z)", text, re.MULTILINE | re.DOTALL)
    assert found, f"{page} has no section {section}"
    cells = re.findall(r"^\| (.*?) \|", found[1], re.MULTILINE)
    return {name for cell in cells for name in re.findall(r"`([^`]+)`", cell)}


def messages() -> set[str]:
    return set(MESSAGE_SENDERS) | {name_of(kind) for kind in get_args(GovernmentsMessage)}


def rejections() -> set[str]:
    sources = "".join(path.read_text() for path in (ROOT / "domain").rglob("*.py"))
    return set(re.findall(r'Rejection\(\s*"([a-z-]+)"', sources))


def counters() -> set[str]:
    kinds = {"counter": "_total", "histogram": ""}
    return {family.name + kinds[family.type] for family in GatewayMetrics().registry.collect()}


SECTIONS: Mapping[tuple[str, str], set[str]] = {
    ("docs/glossary.md", "Stages"): {*registry.stages(), "closed"},
    ("docs/glossary.md", "Waiting on"): set(NEXT),
    ("docs/glossary.md", "Limits (`due`)"): {name for family in registry.families() for name in family.limits},
    ("docs/glossary.md", "Events of a case"): {event.__name__ for event in registry.case_events()},
    ("docs/glossary.md", "Events of a programme"): {event.__name__ for event in PROGRAMME_EVENTS},
    ("docs/glossary.md", "Messages"): messages(),
    ("docs/glossary.md", "Why a message was rejected"): rejections(),
    ("docs/operators.md", "What you see"): {key.name for key in SEARCH_ATTRIBUTES},
    ("docs/operators.md", "Signals you may send"): set(registry.signals()),
    ("docs/audit.md", "What each code means"): {str(code) for code in Code},
    ("docs/on-call.md", "Failure codes"): set(FAILURES),
    ("docs/on-call.md", "Metrics"): counters(),
}


@pytest.mark.parametrize(("page", "section"), SECTIONS, ids=[section for _, section in SECTIONS])
def test_a_table_names_everything_there_is_and_nothing_else(page: str, section: str) -> None:
    wanted, found = SECTIONS[page, section], named_in(page, section)
    assert wanted, "there is nothing to be named"
    assert (wanted - found, found - wanted) == (set(), set()), f"missing from {page}, or no longer there"


def test_the_glossary_names_every_outcome_rule_and_reason() -> None:
    found = named_in("docs/glossary.md", "Outcomes") | named_in("docs/glossary.md", "Rules and reasons")
    assert found == {code for family in registry.families() for code in family.codes}


def folders() -> set[str]:
    ignored = [line.strip().rstrip("/") for line in (ROOT / ".gitignore").read_text().splitlines()]
    return {
        path.name
        for path in ROOT.iterdir()
        if path.is_dir()
        and not path.name.startswith(".")
        and not any(fnmatch.fnmatch(path.name, pattern) for pattern in ignored)
    }


def test_the_readme_names_every_folder() -> None:
    assert named_in("README.md", "The picture") == {f"{name}/" for name in folders()}


def code_in(page: Path) -> Iterator[str]:
    """What is set as code: indented lines, and spans, which may run over the end of a line."""
    text = page.read_text()
    yield from re.findall(r"^ {4,}(.*)$", text, re.MULTILINE)
    for span in re.findall(r"`([^`]+)`", re.sub(r"^ {4,}.*$", "", text, flags=re.MULTILINE)):
        yield " ".join(span.split())


def passage_commands(page: Path) -> Iterator[list[str]]:
    """The words after `passage`, up to what the shell or a comment makes of the rest."""
    for code in code_in(page):
        for rest in re.findall(r"(?<![\w./-])passage +([^|;#<>`]*)", code):
            if re.match(r"[a-z]", rest):
                yield rest.split()


@pytest.mark.parametrize("page", PAGES, ids=IDS)
def test_every_command_exists(page: Path) -> None:
    for words in passage_commands(page):
        command, rest = COMMAND, list(words)
        while rest and (inner := getattr(command, "commands", None)):
            assert rest[0] in inner, f"there is no `passage {' '.join(words)}`"
            command = inner[rest.pop(0)]
        known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
        unknown = {word for word in rest if word.startswith("--")} - known
        assert not unknown, f"`passage {' '.join(words)}` has no {unknown}"
        assert words[0] != "bench" or set(words[1:2]) <= set(Name)


@pytest.mark.parametrize("page", PAGES, ids=IDS)
def test_every_make_target_exists(page: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {target for code in code_in(page) for target in re.findall(r"(?:^|\s)make ([a-z]+)", code)}
    assert named <= targets


def anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=IDS)
def test_every_link_inside_the_project_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        if "://" in target:
            continue
        path, _, anchor = target.partition("#")
        linked = (page.parent / path).resolve() if path else page
        assert linked.exists(), target
        assert not anchor or anchor in anchors(linked), target


@pytest.mark.parametrize("page", PAGES, ids=IDS)
def test_every_file_named_is_there_and_holds_what_it_is_named_for(page: Path) -> None:
    text = page.read_text()
    for path in re.findall(r"`([\w.-]+/[\w./-]*)`", text):
        if path.split("/")[0] in folders():
            assert (ROOT / path).exists(), path
    for name, path in re.findall(r"`(\w+)` (?:in|of)(?: a)?\s+`([\w/]+\.py)`", text):
        assert re.search(rf"\b{name}\b", (ROOT / path).read_text()), f"{name} is not in {path}"
