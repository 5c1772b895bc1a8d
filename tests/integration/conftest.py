"""What many of these tests begin with."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.sealed_log import SealedLog, opened_log


@pytest.fixture
async def log(database_url: str, tmp_path: Path) -> AsyncIterator[SealedLog]:
    """A log whose programme is open, and nothing filed."""
    async with opened_log(database_url, tmp_path / "keys") as opened:
        await opened.open()
        yield opened
