"""The log that every attack begins with, made once for each test process."""

import asyncio
import itertools
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from stack.postgres.server import EmbeddedPostgres
from tests.support.attacked_log import Attacked, Template, attacked, build
from tests.support.postgres import TEMPLATE

_NUMBER = itertools.count(1)


@pytest.fixture(scope="session")
def attacked_template(postgres_server: EmbeddedPostgres) -> Iterator[Template]:
    with tempfile.TemporaryDirectory(prefix="passage-attacked-") as keys:
        yield asyncio.run(build(postgres_server, TEMPLATE, Path(keys) / "keys"))


@pytest.fixture
async def target(
    postgres_server: EmbeddedPostgres, attacked_template: Template, tmp_path: Path
) -> AsyncIterator[Attacked]:
    async with attacked(postgres_server, attacked_template, next(_NUMBER), tmp_path) as opened:
        yield opened
