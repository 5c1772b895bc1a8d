"""What a scenario file may say, and that every fault is shown where it was written."""

import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from domain.kernel.ids import Code
from simulation.format.faults import MalformedScenario
from simulation.format.loader import load_scenario, load_scenarios
from simulation.format.scenario import Scenario
from simulators.scripts import PartnerScript

BASE = """\
programme: venezuela-air
rules: "2022-10-19"
until: 2023-06-30T00:00:00Z
applications:
  a:
    filed_at: 2022-10-20T09:00:00-05:00
    beneficiary:
      given_names: Ana
      surnames: Rojas
      birth_date: 1990-05-14
      nationalities: [VEN]
      passport: {number: "15", issuing_country: VEN, issued_on: 2021-03-01, expires_on: 2026-03-01}
      located_in: COL
    supporter:
      given_names: Luis
      surnames: Rivas
      birth_date: 1980-01-01
      tax_id: "900-00-0001"
      status: citizen
      household_size: 2
      annual_income_usd: 60000
      address: "1 Main St"
      phone: "+1-713-555-0100"
      email: luis@example.org
partners:
  sponsor_registry: {answer: sponsor.confirmed, after: P3D}
  vetting: {answer: vetting.hit, after: P5D, kind: name-match}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "base.yaml").write_text(BASE)
    return tmp_path


def write(folder: Path, text: str, name: str = "s.yaml") -> Path:
    file = folder / name
    file.write_text(text)
    return file


def load(folder: Path, text: str) -> Scenario:
    return load_scenario(write(folder, "scenario: One\nextends: base.yaml\n" + text))


def script_of(scenario: Scenario, partner: Code) -> PartnerScript:
    script = scenario.applications["a"].partners.of(partner)
    assert script is not None
    return script


def faults(folder: Path, text: str) -> list[str]:
    """The faults of a file that extends the base, without the folder's name; its own text starts in line 3."""
    with pytest.raises(MalformedScenario) as malformed:
        load(folder, text)
    return [str(fault).removeprefix(f"{folder}/") for fault in malformed.value.faults]


def faults_of_whole(folder: Path, text: str) -> list[str]:
    with pytest.raises(MalformedScenario) as malformed:
        load_scenario(write(folder, text))
    return [str(fault).removeprefix(f"{folder}/") for fault in malformed.value.faults]


def test_values_keep_their_meaning(folder: Path) -> None:
    scenario = load(
        folder, "timeline:\n  - {at: 2022-11-20T12:00:00-05:00, case: a, message: arrival.paroled, port: MIA}"
    )

    assert scenario.until == datetime(2023, 6, 30, tzinfo=UTC)
    assert scenario.applications["a"].filed_at.utcoffset() == timedelta(hours=-5)
    assert script_of(scenario, "sponsor_registry").after == timedelta(hours=72)
    assert scenario.applications["a"].partners.of("entry_records") is None
    assert scenario.timeline[0].says.port == "MIA"


def test_maps_merge_at_every_depth_and_lists_replace(folder: Path) -> None:
    middle = "extends: base.yaml\napplications: {a: {beneficiary: {nationalities: [VEN, ESP], surnames: Paz}}}\n"
    write(folder, middle, "middle.yaml")
    scenario = load_scenario(
        write(
            folder,
            "scenario: One\nextends: middle.yaml\napplications: {a: {beneficiary: {nationalities: [COL]}}}\n"
            "partners: {vetting: {after: P1D}}\n",
        )
    )

    beneficiary = scenario.applications["a"].content.beneficiary
    assert (beneficiary.given_names, beneficiary.surnames, beneficiary.nationalities) == ("Ana", "Paz", ("COL",))
    vetting = script_of(scenario, "vetting")
    assert (vetting.after, vetting.says.kind) == (timedelta(days=1), "name-match")


def test_an_application_has_its_own_partners_over_the_scenarios(folder: Path) -> None:
    scenario = load(folder, "applications: {a: {partners: {sponsor_registry: {after: P4D}}}}")

    assert script_of(scenario, "sponsor_registry").says.message == "sponsor.confirmed"
    assert script_of(scenario, "sponsor_registry").after == timedelta(days=4)
    assert script_of(scenario, "vetting").answer == "vetting.hit"


def test_another_answer_does_not_inherit_the_fields_of_the_first(folder: Path) -> None:
    scenario = load(folder, "partners: {vetting: {answer: vetting.cleared}}")

    vetting = script_of(scenario, "vetting")
    assert (vetting.says.message, vetting.after) == ("vetting.cleared", timedelta(days=5))


def test_a_base_may_be_named_absolutely(folder: Path) -> None:
    file = write(folder, f"scenario: One\nextends: {folder}/base.yaml\n")

    assert load_scenario(file).programme == "venezuela-air"


def test_an_expectation_tells_null_from_unnamed(folder: Path) -> None:
    expected = load(folder, "expect: {a: {outcome: null, paroled_until: 2024-01-01}}").expect["a"]

    assert expected.model_fields_set == {"outcome", "paroled_until"}
    assert expected.paroled_until == date(2024, 1, 1)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("colour: red", "s.yaml:3: colour: unknown key"),
        ("places: '24000'", "s.yaml:3: places: should be a valid integer"),
        ("places: yes", "s.yaml:3: places: should be a valid integer"),
        ("rules: 2022-10-19", "s.yaml:3: rules: is not text; quote it"),
        ('rules: "2021-01-01"', "s.yaml:3: rules: no such rule set; there are 2022-10-12, 2022-10-19, 2023-01-06"),
        ("until: 2022-10-20T00:00:00", "s.yaml:3: until: needs an offset"),
        ("until: 2022-10-20", "s.yaml:3: until: is not a timestamp"),
        ("applications: {a: {beneficiary: {surnames: 12}}}", "applications.a.beneficiary.surnames: is not text"),
        ("applications: {a: {beneficiary: {birth_date: x}}}", "applications.a.beneficiary.birth_date: is not a date"),
        ("applications: {a: {supporter: {status: king}}}", "applications.a.supporter.status: should be 'citizen'"),
        ("applications: {a: {entries: {}}}", "s.yaml:3: applications.a.entries: is not a list"),
        ("applications:\n  a:\n    documents: [{kind: fmm}]", "s.yaml:5: applications.a.documents[0].number: is"),
        ("partners: {vetting: {knd: x}}", "s.yaml:3: partners.vetting.knd: unknown key"),
        ("partners: {vetting: {request_id: r-1}}", "s.yaml:3: partners.vetting.request_id: unknown key"),
        ("partners: {vetting: {says: x}}", "s.yaml:3: partners.vetting.says: unknown key"),
        ("partners: {vetting: {answer: none}}\npartner: {}", "s.yaml:4: partner: unknown key"),
        ("partners: {vetting: {after: 5}}", "s.yaml:3: partners.vetting.after: not a duration"),
        ("partners: {vetting: {after: P1M}}", "s.yaml:3: partners.vetting.after: not a duration"),
        (
            "partners: {vetting: {answer: entry.matched}}",
            "partners.vetting.answer: vetting does not send entry.matched",
        ),
        ("partners: {vetting: {answer: nothing}}", "s.yaml:3: partners.vetting.answer: should be 'sponsor.confirmed'"),
        ("partners: {police: {answer: none}}", "s.yaml:3: partners.police: unknown key"),
        ("partners: null", "s.yaml:3: partners: is a map of partners"),
        ("timeline: [{case: a, message: vetting.hit}]", "s.yaml:3: timeline[0].at: is missing"),
        ("timeline: [{at: 2022-11-20T12:00:00Z, message: vetting.hit}]", "s.yaml:3: timeline[0].case: is missing"),
        ("timeline: [{at: 2022-11-20T12:00:00Z, case: a}]", "s.yaml:3: timeline[0].message: is missing"),
        ("timeline: [{at: 2022-11-20T12:00:00Z, case: z, message: vetting.hit}]", "timeline[0].case: no application"),
        ("timeline: [{at: 2022-11-20T12:00:00Z, case: a, message: arrival.paroled}]", "timeline[0].port: is missing"),
        ("timeline: [{at: 2022-11-20T12:00:00Z, case: a, message: place.offered}]", "timeline[0].message: there is no"),
        (
            "timeline:\n  - at: 2022-11-20T12:00:00Z\n    case: a\n    message: programme.suspended",
            "s.yaml:5: timeline[0].case: programme.suspended speaks to the programme and carries no case",
        ),
        ("expect: {b: {stage: closed}}", "s.yaml:3: expect.b: no application of that name"),
        ("expect: {a: {never: [CaseClosd]}}", "s.yaml:3: expect.a.never[0]: there is no 'CaseClosd' here"),
        (
            "expect: {a: {counts: {CaseClosed: true}}}",
            "s.yaml:3: expect.a.counts.CaseClosed: should be a valid integer",
        ),
        ("expect: {a: {sage: closed}}", "s.yaml:3: expect.a.sage: unknown key"),
        ("until: 2022-13-45", "s.yaml:3: until: looks like a timestamp and is none"),
        ("places: 1\nplaces: 2", "s.yaml:4: places: this key is given twice, first in line 3"),
        ("expect: {a: {stage: closed, stage: closed}}", "s.yaml:3: expect.a.stage: this key is given twice"),
        ("yes: 1", "s.yaml:3: the key yes is not text"),
        ("places: !!python/name:os.system x", "s.yaml:3: places: the tag !!python/name:os.system has no meaning here"),
        ("timeline: &t [*t]", "s.yaml:3: timeline[0]: an alias may not contain itself"),
        ("places: [1", "s.yaml:3: while parsing a flow sequence"),
        ("---\nplaces: 1", "s.yaml:3: expected a single document"),
    ],
)
def test_a_fault_names_file_line_and_key(folder: Path, text: str, told: str) -> None:
    found = faults(folder, text)

    assert len(found) == 1
    assert told in found[0]


def test_a_principal_is_another_application_of_the_file(folder: Path) -> None:
    text = "applications: {a: {beneficiary: {travels_with: {case: CASE, relationship: child}}}}"
    where = "s.yaml:3: applications.a.beneficiary.travels_with.case: "

    assert faults(folder, text.replace("CASE", "nobody")) == [where + "no application of that name"]
    assert faults(folder, text.replace("CASE", "a")) == [where + "is the application itself"]


def test_a_fault_that_came_from_a_base_is_shown_in_the_base(folder: Path) -> None:
    write(folder, BASE.replace("surnames: Rojas", "surnames: 12"), "base.yaml")

    assert faults(folder, "places: 1") == ["base.yaml:9: applications.a.beneficiary.surnames: is not text; quote it"]


@pytest.mark.parametrize("key", ["scenario", "rules", "until", "applications"])
def test_a_whole_scenario_needs_its_keys(folder: Path, key: str) -> None:
    sections = re.split(r"^(?=\w)", "scenario: One\n" + BASE, flags=re.MULTILINE)
    text = "".join(section for section in sections if not section.startswith(f"{key}:"))

    assert faults_of_whole(folder, text) == [f"s.yaml:1: {key}: is missing"]


def test_an_application_needs_its_keys(folder: Path) -> None:
    where = "s.yaml:3: applications.b."

    assert faults(folder, "applications: {b: {}}") == [
        f"{where}{key}: is missing" for key in ("filed_at", "beneficiary", "supporter")
    ]


def test_applications_are_one_or_more(folder: Path) -> None:
    text = 'scenario: One\nprogramme: p\nrules: "2022-10-19"\nuntil: 2023-06-30T00:00:00Z\napplications: {}\n'

    assert "s.yaml:5: applications: " in faults_of_whole(folder, text)[0]


def test_all_faults_of_all_files_are_told_at_once(folder: Path) -> None:
    first = write(folder, "scenario: One\nextends: base.yaml\ncolour: red\nplaces: x\n", "first.yaml")
    second = write(folder, "scenario: Two\nextends: base.yaml\nuntil: 3\n", "second.yaml")

    with pytest.raises(MalformedScenario) as malformed:
        load_scenarios([first, second, folder / "third.yaml"])

    assert [(Path(fault.place.file).name, fault.place.line, fault.place.key) for fault in malformed.value.faults] == [
        ("first.yaml", 4, "places"),
        ("first.yaml", 3, "colour"),
        ("second.yaml", 3, "until"),
        ("third.yaml", 1, ""),
    ]


def test_bases_in_a_circle_are_refused(folder: Path) -> None:
    write(folder, "extends: s.yaml\n", "base.yaml")

    assert faults(folder, "") == ["base.yaml:1: extends: s.yaml extends this file in turn: a circle has no base"]


@pytest.mark.parametrize("named", ["nowhere.yaml", "12", "null", "[base.yaml]"])
def test_a_base_that_is_none_is_refused(folder: Path, named: str) -> None:
    assert faults_of_whole(folder, f"scenario: One\nextends: {named}\n")[0].startswith("s.yaml:2: extends: ")


def test_no_file_can_grow_without_bound(folder: Path) -> None:
    doubled = "".join(f"k{n}: &k{n} [{', '.join([f'*k{n - 1}'] * 9)}]\n" for n in range(1, 9))

    assert "holds more than 100000 values" in faults_of_whole(folder, "k0: &k0 1\n" + doubled)[0]
    assert "larger than 1000000 bytes" in faults_of_whole(folder, "#" * 1_000_001)[0]
