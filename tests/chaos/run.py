"""One run: the load, the faults in their order, and afterwards what must hold."""

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Final

from eventstore.conflicts import StoreUnavailable
from process.backing import open_backing
from process.temporal import connect_temporal
from simulation.scaled.board import Board
from tests.chaos.arena import Arena
from tests.chaos.faults import EXTRA, FAULTS
from tests.chaos.load import LIVES, Load, Repeating, repeating_senders, script_partners
from tests.chaos.schedule import Schedule, schedule
from tests.support.breaking import running_cases
from tests.support.invariants import PartnersBooks, partner_faults, reading, receipt_faults
from tests.support.performance import until_all_closed
from tests.support.sender import Senders

PROGRAMME: Final = "venezuela-air"
CASES_A_PLACE: Final = 5
"""So few places that most of those who may travel wait for one."""
TOLD_WITHIN_S: Final = 240.0
"""After the last fault: what is still to be filed and said, and what is said again."""
STUCK_AFTER_S: Final = 150.0
"""Without an event: an activity in a dead hand is given up after a minute, a sweep comes every half."""
QUIET_WITHIN_S: Final = 900.0
"""With events: a busy machine works off slowly what has heaped up."""
FORGOTTEN_AFTER: Final = timedelta(days=10)
"""In domain time, five seconds: a limit that is over for longer was forgotten."""
_OVERDUE: Final = "SELECT case_id, due_name FROM passage.case_head WHERE NOT closed AND due_at < $1"
_LOOK_S: Final = 0.5

Say = Callable[[str], None]


def schedule_of(seed: int, cases: int, faults: int) -> Schedule:
    """The run of a seed, of every kind of fault and of case that there is."""
    return schedule(
        seed,
        cases,
        faults,
        kinds={name: fault.lasts_s for name, fault in FAULTS.items()},
        once={name: fault.lasts_s for name, fault in EXTRA.items()},
        lives=LIVES,
    )


@dataclass(slots=True)
class Run:
    """One run under way. `broken` holds, for each promise, in what it was broken: nothing is well."""

    arena: Arena
    plan: Schedule
    say: Say
    board: Board = field(default_factory=Board)
    broken: dict[str, list[str]] = field(default_factory=dict)
    began: float = field(default_factory=time.monotonic)

    async def whole(self) -> Mapping[str, list[str]]:
        """Do everything that is planned, then look at what must hold."""
        chance = random.Random(self.plan.seed)  # noqa: S311  no secret
        async with repeating_senders(self.arena, PROGRAMME, chance) as (senders, repeating), self._watched():
            await script_partners(senders, self.plan.filings)
            load = await self._attack(senders, repeating)
            self._note("everything is said")
            self.broken["no case is stuck"] = await self._stuck()
            self._note("nothing moves any more")
            await senders.command_programme("programme.terminated", parole_ends_on="2022-10-20")
            await self._judge(senders, load)
        self.say(f"{len(load.filed)} cases filed, {repeating.repeated} requests delivered twice or more")
        self.say(f"refused by the gateway: {dict(load.refused) or 'nobody'}")
        return self.broken

    async def _attack(self, senders: Senders, repeating: Repeating) -> Load:
        over = asyncio.Event()
        load = Load(self.arena, senders, self.board, over)
        lives = [asyncio.create_task(load.live(filing)) for filing in self.plan.filings]
        try:
            await self._strike_all()
            over.set()
            _, late = await asyncio.wait(lives, timeout=TOLD_WITHIN_S)
            self.broken["every sender is heard in the end"] = load.problems + ["somebody was not heard"] * len(late)
            for life in lives:
                if life.done():
                    life.result()
            await repeating.settle()
        finally:
            for life in lives:
                life.cancel()
        return load

    async def _strike_all(self) -> None:
        for number, strike in enumerate(self.plan.strikes, start=1):
            await asyncio.sleep(strike.after_s)
            self._note(f"{number:3}  {strike.fault}{f', for {strike.lasts_s:g} s' if strike.lasts_s else ''}")
            await (FAULTS | EXTRA)[strike.fault].strike(self.arena, strike.lasts_s)
        self._note("the last fault is over")

    def _note(self, what: str) -> None:
        self.say(f"{time.monotonic() - self.began:7.1f} s  {what}")

    @contextlib.asynccontextmanager
    async def _watched(self) -> AsyncIterator[None]:
        """The board shows how the cases stand meanwhile."""
        watching = asyncio.create_task(self._watch())
        try:
            yield
        finally:
            watching.cancel()

    async def _watch(self) -> None:
        while True:
            self.arena.restarted.clear()
            with contextlib.suppress(StoreUnavailable):
                async with open_backing(self.arena.stack.settings) as backing:
                    looking = asyncio.create_task(self.board.watch(backing.store))
                    moved = asyncio.create_task(self.arena.restarted.wait())
                    await asyncio.wait({looking, moved}, return_when=asyncio.FIRST_COMPLETED)
                    for task in (looking, moved):
                        task.cancel()
            await asyncio.sleep(_LOOK_S)

    async def _stuck(self) -> list[str]:
        """What does not come to rest: messages unanswered, limits forgotten, open cases without a workflow."""
        began = moved = time.monotonic()
        events = 0
        while found := await self._restless():
            now, before = time.monotonic(), events
            async with self.arena.database() as database:
                events = await database.fetchval("SELECT count(*) FROM passage.events")
            moved = now if events != before else moved
            if now - moved > STUCK_AFTER_S or now - began > QUIET_WITHIN_S:
                return found
            await asyncio.sleep(_LOOK_S)
        return []

    async def _restless(self) -> list[str]:
        now = self.arena.stack.domain_now()
        client = await connect_temporal(self.arena.stack.settings, "tests")
        async with self.arena.database() as database:
            running = await running_cases(client)
            unanswered = await database.fetch("SELECT stream, kind FROM passage.inbox WHERE answer IS NULL")
            overdue = await database.fetch(_OVERDUE, now - FORGOTTEN_AFTER)
            waiting = await database.fetch("SELECT case_id FROM passage.case_head WHERE NOT closed")
        return [
            *(f"{row['stream']}: {row['kind']} is not answered" for row in unanswered),
            *(f"{row['case_id']}: {row['due_name']} is over and nothing happens" for row in overdue),
            *(f"{row['case_id']}: is open and has no workflow" for row in waiting if row["case_id"] not in running),
        ]

    async def _judge(self, senders: Senders, load: Load) -> None:
        settings = self.arena.stack.settings
        try:
            await until_all_closed(settings, PROGRAMME)
        except TimeoutError:
            self.broken["no case is stuck"].append("not every case closed when the programme ended")
        books = PartnersBooks.of(self.arena.stack.data_dir)
        async with reading(settings) as log:
            self.broken |= await log.faults_by_promise()
            self.broken["every receipt is true"] = [*receipt_faults(senders.ledger.receipts, log.inbox)]
            self.broken["partners were heard, and asked what the log says"] = [*partner_faults(books, log)]
            self.broken["every filing is one case"] = sorted(load.filed - set(log.heads))
        self.broken["audit verify passes"] = await asyncio.to_thread(self._accusations)

    def _accusations(self) -> list[str]:
        verified = self.arena.stack.passage("audit", "verify")
        return [] if verified.returncode == 0 else (verified.stdout + verified.stderr).splitlines()


async def run(plan: Schedule, home: Path, say: Say) -> Mapping[str, list[str]]:
    """Do one run in the folder `home`; for each promise, in what it was broken."""
    say(f"seed {plan.seed}: {len(plan.filings)} cases, {len(plan.strikes)} faults")
    arena = Arena(home, plan.seed, PASSAGE_PROGRAMME_PLACES=str(max(1, len(plan.filings) // CASES_A_PLACE)))
    async with arena.opened():
        say(f"the database's disk is {arena.disk.kind}")
        return await Run(arena, plan, say).whole()
