"""A scenario of the permits through the real parts, then what an auditor makes of its record.

`python -m tests.programmes.whole_life DATABASE_URL KEYS` in the environment of `installed.py`; prints one JSON object.
"""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any
from unittest.mock import patch

from audit.access import Auditor
from audit.export.case import Export, export_case
from audit.log.log_key import FileLogKey
from audit.log.sealer import opened_sealer
from audit.replay.html import page
from audit.replay.read import opened_log
from audit.replay.text import lines
from audit.verify.record import Scope, verify
from cli.audit.replay import replayed
from domain.kernel.proof import Proof
from eventstore.format.envelope import machine_clock
from eventstore.postgres.heads import case_summary
from process.config import Settings
from simulation.format.loader import load_scenarios
from simulation.play.outcome import Result
from simulation.skipped.databases import Databases
from simulation.skipped.runner import run_scenarios

ORIGIN = "passage.example/log"
SCENARIO = Path(__file__).parent / "permits" / "season.yaml"


async def played(url: str) -> Result:
    async def kept(_: Databases) -> str:
        return url

    results: list[Result] = []
    with patch.object(Databases, "create", kept):
        await run_scenarios(load_scenarios([SCENARIO]), results.append)
    return results[0]


async def audited(url: str, keys: Path, case_id: str) -> dict[str, Any]:
    settings = Settings(data_dir=keys.parent, keys_dir=keys, database_url=url)
    async with opened_sealer(url, keys, ORIGIN) as sealer:
        while await sealer.seal():
            pass
        await sealer.sign()
    faults: list[str] = []
    verifier = FileLogKey(keys).verifier
    await verify(url, Scope(verifier=verifier), lambda fault: faults.append(fault.line))
    replay = await replayed(settings, case_id, None, None)
    asked = Export(case_id=case_id, auditor=Auditor(Proof("operator", "a-1", "auditor"), "court-order"))
    exported = await export_case(url, keys, asked, machine_clock())
    return {
        "faults": faults,
        "replay": {"en": "\n".join(lines(replay, "en")), "es": page(replay, "es")},
        "exported_bytes": len(exported.archive),
    }


async def main(url: str, keys: Path) -> dict[str, Any]:
    result = await played(url)
    case_id = result.cases["doubtful"].case_id or ""
    async with opened_log(url) as log:
        head = await log.fetchrow("SELECT * FROM passage.case_head WHERE case_id = $1", case_id)
    return {
        "result": result.model_dump(mode="json"),
        "facts": case_summary(head).facts,
        **await audited(url, keys, case_id),
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asyncio.run(main(sys.argv[1], Path(sys.argv[2])))))
