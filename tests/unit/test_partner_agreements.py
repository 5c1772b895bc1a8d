"""What is agreed with each partner is data, and a file that is no agreement stops the worker with one line."""

from datetime import timedelta
from pathlib import Path

import pytest

from activities.partners.agreements import AgreementsUnreadable, read_agreements
from domain import registry

WHOLE = "\n".join(
    f'[{partner}]\ncalls_per_s = 2.5\nanswers_within = "P3D"\nask_again_after = "PT6H"'
    for partner in registry.partners()
)


def test_the_program_brings_an_agreement_with_every_partner() -> None:
    assert set(read_agreements()) == set(registry.partners())


def test_a_deployment_names_its_own(tmp_path: Path) -> None:
    file = tmp_path / "agreements.toml"
    file.write_text(WHOLE)

    vetting = read_agreements(file)["vetting"]

    assert vetting.calls_per_s == 2.5
    assert (vetting.answers_within, vetting.ask_again_after) == (timedelta(days=3), timedelta(hours=6))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[vetting", "not TOML"),
        ("", "nothing is agreed with sponsor_registry, entry_records, vetting, work_permit_office"),
        (WHOLE.replace("[vetting]", "[border]"), "border"),
        (WHOLE + "\nfast = true", "work_permit_office.fast"),
        (WHOLE.replace("calls_per_s = 2.5", "calls_per_s = 0", 1), "sponsor_registry.calls_per_s"),
        (WHOLE.replace('"P3D"', '"PT1S"', 1), "sponsor_registry.answers_within"),
        (WHOLE.replace('"P3D"', '"P3Y"', 1), "sponsor_registry.answers_within"),
    ],
)
def test_a_file_that_is_no_agreement_is_named_with_its_fault(tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / "agreements.toml"
    file.write_text(text)

    with pytest.raises(AgreementsUnreadable) as refused:
        read_agreements(file)

    assert str(file) in str(refused.value)
    assert says in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_file_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(AgreementsUnreadable, match="No such file"):
        read_agreements(tmp_path / "none.toml")
