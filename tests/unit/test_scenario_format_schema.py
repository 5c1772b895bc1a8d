"""The published JSON Schema is the format that the loader takes."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from simulation.format.schema import PUBLISHED, published_text, scenario_schema

ROOT = Path(__file__).parents[2]

SCENARIO = """\
scenario: One
extends: base.yaml
applications: {a: {beneficiary: {located_in: COL}, partners: {vetting: {kind: name-match}}}}
timeline:
  - {at: 2022-11-20T12:00:00-05:00, case: a, message: arrival.paroled, port: MIA, by: air, deliver: 2}
  - {at: 2022-11-20T12:00:00-05:00, message: programme.cap, places: 3}
expect: {a: {stage: closed, outcome: null, counts: {CaseClosed: 1}}}
"""


def as_json(value: Any) -> Any:
    """YAML's timestamps are JSON's text."""
    if isinstance(value, dict):
        return {key: as_json(each) for key, each in value.items()}
    if isinstance(value, list):
        return [as_json(each) for each in value]
    return value.isoformat() if isinstance(value, date) else value


def faults(text: str) -> int:
    return len(list(Draft202012Validator(scenario_schema()).iter_errors(as_json(yaml.safe_load(text)))))


def test_the_published_schema_is_current() -> None:
    published = (ROOT / PUBLISHED).read_text("utf-8")

    assert published == published_text(), "the format changed: publish it with `python -m simulation.format.schema`"
    Draft202012Validator.check_schema(json.loads(published))


def test_a_file_that_extends_a_base_may_be_partial() -> None:
    assert faults(SCENARIO) == 0


def test_a_scenario_that_extends_nothing_must_be_whole() -> None:
    assert faults(SCENARIO.replace("extends: base.yaml\n", "")) > 0


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("located_in: COL", "located_in: Colombia"),
        ("kind: name-match", "knd: name-match"),
        ("port: MIA", "prt: MIA"),
        ("port: MIA, ", ""),
        ("case: a, ", ""),
        ("message: programme.cap", "case: a, message: programme.cap"),
        ("stage: closed", "stage: shut"),
        ("CaseClosed", "CaseShut"),
        ("deliver: 2", "deliver: two"),
    ],
)
def test_the_schema_refuses_what_the_loader_refuses(right: str, wrong: str) -> None:
    assert faults(SCENARIO.replace(right, wrong)) > 0
