"""What an auditor needs to verify, and what not."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_verification_needs_neither_temporal_nor_the_programs_that_write() -> None:
    asked = "import sys, audit.verify.record; print(*sorted({name.split('.')[0] for name in sys.modules}))"
    loaded = subprocess.run([sys.executable, "-c", asked], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert not {"temporalio", "workflows", "activities", "gateway", "worker", "process"} & set(loaded.split())
