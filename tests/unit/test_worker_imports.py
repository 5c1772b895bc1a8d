"""What the worker loads. The linter reads packages alone, and `worker.py` is a module."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_worker_loads_no_other_program() -> None:
    asked = "import sys, worker; print(*sorted({name.split('.')[0] for name in sys.modules}))"
    loaded = subprocess.run([sys.executable, "-c", asked], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert not {"gateway", "relay", "audit", "cli", "fastapi", "starlette", "uvicorn"} & set(loaded.split())
