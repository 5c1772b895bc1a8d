"""A process that claims places for each of its cases: `python -m tests.support.pool_claimer URL KEYS CASES`.

`CASES` is a file of lines "case programme quantity". It can be killed at any moment and started again.
"""

import asyncio
import sys
from pathlib import Path

from domain.humanitarian_parole.stages.travel import ALLOTMENT as AIR
from eventstore.conflicts import NoPlace
from eventstore.keys import DirectoryKeyStore
from eventstore.places import TakePlace
from eventstore.postgres.store import PostgresStore
from tests.support.filings import MONTH
from tests.support.pools import Stream


async def claim(url: str, keys: Path, cases: list[tuple[str, str, str]]) -> None:
    store = await PostgresStore.connect(url, DirectoryKeyStore(keys), connections=4)
    waiting = iter(cases)

    async def work() -> None:
        for case_id, programme, quantity in waiting:
            stream = await store.load(case_id)
            if stream.version > 1:
                continue  # it has its places from before this process was killed
            case = Stream(store, case_id, programme, stream.version, stream.hash)
            try:
                await case.change(TakePlace(AIR, MONTH, int(quantity)))
            except NoPlace:
                continue

    await asyncio.gather(*(work() for _ in range(4)))
    await store.close()


if __name__ == "__main__":
    lines = Path(sys.argv[3]).read_text().split("\n")
    asyncio.run(claim(sys.argv[1], Path(sys.argv[2]), [(a, b, c) for a, b, c in map(str.split, lines)]))
