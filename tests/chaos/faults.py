"""What can befall a running stack, one class a kind of fault; each mends only what an operator would mend."""

import asyncio
import contextlib
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Protocol, get_args

import asyncpg
from temporalio.service import RPCError

from process.temporal import connect_temporal
from tests.chaos.arena import LINKS, Arena
from tests.chaos.proxy import Trouble
from tests.support.breaking import delete, running_cases, set_back, terminate

PROGRAMS: Final = ("worker", "gateway", "relay", "sealer", "postgres", "temporal", "simulators")
Span = tuple[float, float]
"""The shortest and the longest that a fault lasts, in seconds."""


class Fault(Protocol):
    """One kind of fault."""

    @property
    def lasts_s(self) -> Span:
        """Within what a schedule chooses."""
        ...

    async def strike(self, arena: Arena, lasts_s: float) -> None:
        """Do it, for so long, and return once the stack is left to itself again."""
        ...


@dataclass(frozen=True, slots=True)
class Killed:
    """`kill -9` of one program, which its supervisor starts again."""

    program: str
    lasts_s: Span = (0, 0)

    async def strike(self, arena: Arena, lasts_s: float) -> None:  # noqa: ARG002  over at once
        """See `Fault`."""
        before = arena.stack.kill(self.program)
        await asyncio.to_thread(arena.stack.wait_for_another, self.program, before)


@dataclass(frozen=True, slots=True)
class Frozen:
    """A program does nothing and does not know it (SIGSTOP): a machine that hangs."""

    program: str
    lasts_s: Span = (1, 6)

    async def strike(self, arena: Arena, lasts_s: float) -> None:
        """See `Fault`."""
        with arena.stack.frozen(self.program):
            await asyncio.sleep(lasts_s)


@dataclass(frozen=True, slots=True)
class LinkSpoiled:
    """The network between our programs and one server."""

    link: str
    trouble: Trouble
    lasts_s: Span = (1, 5)

    async def strike(self, arena: Arena, lasts_s: float) -> None:
        """See `Fault`."""
        async with arena.links[self.link].under(self.trouble):
            await asyncio.sleep(lasts_s)


@dataclass(frozen=True, slots=True)
class SessionsEnded:
    """The database ends every session of ours, as at a failover."""

    lasts_s: Span = (0, 0)

    async def strike(self, arena: Arena, lasts_s: float) -> None:  # noqa: ARG002  over at once
        """See `Fault`."""
        async with arena.database() as database:
            await database.execute(_END_SESSIONS)


_END_SESSIONS: Final = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'passage%'
"""


@dataclass(frozen=True, slots=True)
class ConnectionsTaken:
    """Somebody takes every connection that the database has, those of ours first."""

    lasts_s: Span = (2, 5)

    async def strike(self, arena: Arena, lasts_s: float) -> None:
        """See `Fault`."""
        async with contextlib.AsyncExitStack() as taken:
            database = await taken.enter_async_context(arena.database())
            await self._take_all(arena, taken)
            await database.execute(_END_SESSIONS)
            until = asyncio.get_running_loop().time() + lasts_s
            while (left_s := until - asyncio.get_running_loop().time()) > 0:
                await self._take_all(arena, taken)  # what was given back meanwhile
                await asyncio.sleep(min(0.2, left_s))

    async def _take_all(self, arena: Arena, taken: contextlib.AsyncExitStack) -> None:
        with contextlib.suppress(asyncpg.TooManyConnectionsError):
            while True:
                await taken.enter_async_context(arena.database())


@dataclass(frozen=True, slots=True)
class DiskFull:
    """There is no room left where the database writes."""

    lasts_s: Span = (2, 5)

    async def strike(self, arena: Arena, lasts_s: float) -> None:
        """See `Fault`."""
        with arena.disk.full():
            await asyncio.sleep(lasts_s)


@dataclass(frozen=True, slots=True)
class EverythingKilled:
    """The machine loses power for a moment; its clock may be wrong by `clock_step` afterwards, in domain time."""

    clock_step: timedelta = timedelta(0)
    lasts_s: Span = (0, 0)

    async def strike(self, arena: Arena, lasts_s: float) -> None:  # noqa: ARG002  as long as a start takes
        """See `Fault`."""
        await arena.restart(self.clock_step)


@dataclass(frozen=True, slots=True)
class SecondWorkerKilled:
    """Another worker takes part in the work for a while and dies in the midst of it."""

    lasts_s: Span = (1, 4)

    async def strike(self, arena: Arena, lasts_s: float) -> None:
        """See `Fault`."""
        worker = arena.stack.another_worker("worker-that-dies")
        process = await asyncio.to_thread(worker.__enter__)
        try:
            await asyncio.sleep(lasts_s)
            process.kill()
        finally:
            worker.__exit__(None, None, None)


@dataclass(frozen=True, slots=True)
class WorkflowsEnded:
    """Somebody terminates, deletes and sets back running cases in Temporal, a few of each."""

    few: int = 9
    lasts_s: Span = (0, 0)

    async def strike(self, arena: Arena, lasts_s: float) -> None:  # noqa: ARG002  over at once
        """See `Fault`."""
        client = await connect_temporal(arena.stack.settings, "tests")
        for index, case_id in enumerate(sorted(await running_cases(client))[: self.few]):
            with contextlib.suppress(RPCError):  # it has ended by itself meanwhile
                await (terminate, delete, set_back)[index % 3](client, case_id)


TEMPORAL_AWAY: Final = "temporal is away"
TEMPORAL_AWAY_S: Final = 60.0

FAULTS: Final[dict[str, Fault]] = {
    **{f"kill -9 {program}": Killed(program) for program in PROGRAMS},
    **{f"freeze {program}": Frozen(program) for program in PROGRAMS},
    **{
        f"{trouble} link to {link}": LinkSpoiled(link, trouble)
        for link in LINKS
        for trouble in get_args(Trouble)
    },
    "end all database sessions": SessionsEnded(),
    "take all database connections": ConnectionsTaken(),
    "fill the database's disk": DiskFull(),
    "kill -9 everything": EverythingKilled(),
    "kill -9 everything, clock 30 days on": EverythingKilled(timedelta(days=30)),
    "kill -9 everything, clock 10 days back": EverythingKilled(timedelta(days=-10)),
    "kill -9 a second worker": SecondWorkerKilled(),
    "end workflows by hand": WorkflowsEnded(),
}  # fmt: skip
EXTRA: Final[dict[str, Fault]] = {
    TEMPORAL_AWAY: LinkSpoiled("temporal", "cut", (TEMPORAL_AWAY_S, TEMPORAL_AWAY_S)),
}
"""Once in a schedule that is long enough."""
