"""A family from outside, as docs/adding-a-programme.md has it, found by its entry point: from filing to export."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.programmes.installed import ROOT, environment

MALFORMED = """
import json
import sys
from pathlib import Path
from simulation.format.faults import MalformedScenario
from simulation.format.loader import load_scenario

try:
    load_scenario(Path(sys.argv[1]))
except MalformedScenario as malformed:
    print(json.dumps([str(each).rpartition("/")[2] for each in malformed.faults]))
"""
BAD = f"""\
extends: {ROOT}/tests/programmes/permits/season.yaml
applications:
  first: {{boats: six, colour: red}}
  nobody: {{filed_at: 2024-02-01T09:00:00-05:00, programme: nowhere, boats: 2}}
"""
DOCUMENT = """
import json
from typing import Any
from gateway.app import create_app

deps: Any = None
print(json.dumps(create_app(deps).openapi()))
"""


def said(tmp_path: Path, *arguments: str) -> Any:
    """What a process that finds the distribution says in its last line, as JSON."""
    command = [sys.executable, *arguments]
    ran = subprocess.run(command, cwd=ROOT, env=environment(tmp_path), capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout.splitlines()[-1])


@pytest.mark.slow
@pytest.mark.timeout(240)
async def test_it_runs_through_every_part_without_a_line_changed_elsewhere(database_url: str, tmp_path: Path) -> None:
    module = ("-m", "tests.programmes.whole_life", database_url, str(tmp_path / "keys"))
    told = await asyncio.to_thread(said, tmp_path, *module)

    assert told["result"]["differences"] == []
    assert told["result"]["pools"] == {"bay": {"places": 10, "taken": 0}}
    assert told["facts"] == {"boats": 5, "season_last_day": "2024-06-03"}
    assert told["faults"] == []
    for text in ("The harbour office was asked.", "5 boats may fish, until 2024-06-03.", "Season until: 2024-06-03"):
        assert text in told["replay"]["en"]
    assert "5 barcos pueden pescar" in told["replay"]["es"]
    assert "Cooperativa" not in told["replay"]["en"]
    assert told["exported_bytes"] > 1000


def test_what_each_family_takes_has_a_name_of_its_own_in_the_document(tmp_path: Path) -> None:
    document = said(tmp_path, "-c", DOCUMENT)
    filings = document["paths"]["/v1/applications"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    names = [each["$ref"].rpartition("/")[2] for each in filings["oneOf"]]

    assert names == ["HumanitarianParoleFiling", "PermitsFiling"]
    fields = [document["components"]["schemas"][name]["properties"]["application"]["$ref"] for name in names]
    assert [each.rpartition("/")[2] for each in fields] == ["Application", "Fleet"]


def test_a_fault_in_its_application_names_file_line_and_key(tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text(BAD)
    faults = said(tmp_path, "-c", MALFORMED, str(tmp_path / "bad.yaml"))

    assert faults[:2] == [
        "bad.yaml:3: applications.first.boats: should be a valid integer",
        "bad.yaml:3: applications.first.colour: unknown key",
    ]
    assert faults[2].startswith("bad.yaml:4: applications.nobody.programme: names none of ")
