"""What `passage programme adopt-rules` and the id of a case accept."""

from importlib import resources
from pathlib import Path

import pytest

from cli.errors import UnusableError
from cli.governing import rules_named
from cli.reach import checked_case_id
from domain import registry

BOOK = registry.programme("venezuela-air").sets
KNOWN = (
    resources.files("domain.humanitarian_parole") / "programmes" / "venezuela-air" / "sets" / "2023-01-06.toml"
).read_text("utf-8")


def test_rules_are_named_by_their_version_or_by_a_file_that_holds_them(tmp_path: Path) -> None:
    file = tmp_path / "rules.toml"
    file.write_text(KNOWN, "utf-8")
    assert rules_named("2023-01-06", BOOK) is rules_named(str(file), BOOK) is BOOK["2023-01-06"]


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (("authorization = 90", "authorization = 91"), "differs from the rules of 2023-01-06"),
        (('version = "2023-01-06"', 'version = "2023-02-01"'), "holds rules of 2023-02-01, which no worker has"),
        (("[limits]", "[lengths]"), "is no rule set: it is not the TOML of one"),
    ],
)
def test_a_file_with_other_rules_is_refused(tmp_path: Path, change: tuple[str, str], line: str) -> None:
    file = tmp_path / "rules.toml"
    file.write_text(KNOWN.replace(*change), "utf-8")
    with pytest.raises(UnusableError, match=line):
        rules_named(str(file), BOOK)


def test_rules_that_are_nowhere_are_refused_with_those_that_are() -> None:
    with pytest.raises(UnusableError, match=r"no such rule set: 2024-01-01.*2022-10-12, 2022-10-19, 2023-01-06"):
        rules_named("2024-01-01", BOOK)


def test_a_case_id_is_taken_as_people_type_it() -> None:
    assert checked_case_id(" ven-7q4k-m2xs ") == "VEN-7Q4K-M2XS"


@pytest.mark.parametrize(("typed", "shown"), [("VEN-7Q4K-M2XD", "VEN-7Q4K-M2XD"), ("Ana María Rojas", "that")])
def test_what_is_no_case_id_is_refused_and_a_name_not_repeated(typed: str, shown: str) -> None:
    with pytest.raises(UnusableError, match=f"^{shown} is no case id"):
        checked_case_id(typed)
