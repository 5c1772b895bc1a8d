"""A script played on a whole stack by those who write to Passage, while a test breaks it.

Senders do as partners are asked to: who gets no answer, or one that says to come again, sends the same once more under
the same id. They keep every receipt, for `invariants.py` to hold against what the inbox has.
"""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

import asyncpg
import httpx2

from cases.programme_commands import open_if_new
from domain import registry
from process.backing import Backing, clock_of, open_backing
from process.config import Settings
from process.key_files import sender_keys
from simulation.format.scenario import Scenario
from simulation.play.client import REQUEST_TIMEOUT_S, GatewayClient
from simulation.play.table import difference_in_words
from simulation.scaled.board import Board
from simulation.scaled.performance import Performance as ScaledPerformance
from simulation.scaled.performance import PlayedCase
from tests.support.fault_script import USUAL
from tests.support.whole_stack import WholeStack, slowness

RULES: Final = "2022-10-19"
PLAY_TIMEOUT_S: Final = 110.0
"""On an idle machine."""
CLOSED_WITHIN_S: Final = 120.0
"""A worker that died with an activity in hand is noticed after a minute."""
_LOOK_S: Final = 0.2


@dataclass(frozen=True, slots=True)
class Told:
    """A receipt as its sender got it."""

    source: str
    message_id: str
    number: int
    answer: str | None = None
    code: str | None = None


@dataclass(slots=True)
class Ledger:
    """Every receipt that anybody was given, in order."""

    receipts: list[Told] = field(default_factory=list)

    async def note(self, response: httpx2.Response) -> None:
        """A hook of the HTTP client."""
        parts = response.request.url.path.split("/")
        if not response.is_success or parts[1:3] not in (["v1", "applications"], ["v1", "partners"]):
            return
        await response.aread()
        taken: dict[str, Any] = response.json()
        if parts[2] == "applications":
            key = response.request.headers["Idempotency-Key"]
            self.receipts.append(Told("supporter", key, taken["number"]))
        else:
            told = {name: taken[name] for name in ("message_id", "number", "answer", "code")}
            self.receipts.append(Told(parts[3], **told))


@contextlib.asynccontextmanager
async def keeping_http(ledger: Ledger) -> AsyncIterator[httpx2.AsyncClient]:
    """A client of the gateway and the partners that keeps every receipt."""
    hooks = {"response": [ledger.note]}
    # Sooner than the gateway, which lets an idle connection go after five seconds: who writes into one that is being
    # closed gets no answer.
    limits = httpx2.Limits(keepalive_expiry=2)
    async with httpx2.AsyncClient(trust_env=False, timeout=REQUEST_TIMEOUT_S, event_hooks=hooks, limits=limits) as http:
        yield http


async def open_programme(backing: Backing, name: str, places: int | None = None) -> None:
    """A programme of the test's own, open from now on."""
    await open_if_new(backing.cases, registry.programme(name).sets[RULES], places, backing.now())


_UNSETTLED: Final = """
SELECT EXISTS (SELECT FROM passage.case_head WHERE programme = $1 AND NOT closed)
    OR EXISTS (SELECT FROM passage.inbox WHERE answer IS NULL)
"""


async def until_all_closed(settings: Settings, programme: str) -> None:
    """Until every case of the programme is closed, and every message answered: a partner may write to any case."""
    database = await asyncpg.connect(settings.required_database_url)
    try:
        async with asyncio.timeout(CLOSED_WITHIN_S):
            while await database.fetchval(_UNSETTLED, programme):  # noqa: ASYNC110  a database tells nobody
                await asyncio.sleep(_LOOK_S)
    finally:
        await database.close()


Breaking = Callable[["Performance"], Coroutine[None, None, None]]
"""What a test does to the stack while the script is played."""


class Performance:
    """One script on one stack. `differences` are what did not happen as told."""

    def __init__(self, stack: WholeStack, script: Sequence[Scenario], programme: str) -> None:
        self.stack = stack
        self.script = script
        self.programme = programme
        self.ledger = Ledger()
        self.differences: list[str] = []
        self._board = Board()
        self._cases: tuple[PlayedCase, ...] = ()
        self._reopen = asyncio.Event()

    async def play(self, breaking: Breaking, places: int) -> None:
        """Play to the end, every case closed, while `breaking` does its worst; then compare with what was told."""
        async with open_backing(self.stack.settings) as backing:
            await open_programme(backing, self.programme, places)
        watching = asyncio.create_task(self._watch())
        async with keeping_http(self.ledger) as http:
            client = self._client(http)
            played = ScaledPerformance(self.script, self.programme, client, clock_of(self.stack.settings), self._board)
            self._cases = tuple(played.cases())
            try:
                async with asyncio.timeout(PLAY_TIMEOUT_S * slowness()), asyncio.TaskGroup() as group:
                    group.create_task(played.play())
                    group.create_task(breaking(self))
                    group.create_task(self._end(client))
            except TimeoutError:
                self.differences.append(f"not at its end after {PLAY_TIMEOUT_S * slowness():g} s")
            finally:
                watching.cancel()
        async with open_backing(self.stack.settings) as backing:
            for result in await played.results(backing.store):
                self.differences += [f"{result.scenario}: {difference_in_words(each)}" for each in result.differences]

    @property
    def case_ids(self) -> set[str]:
        """Every case that was filed."""
        return {case.case_id for case in self._cases if case.case_id is not None}

    def reopen(self) -> None:
        """The stack was started again: its database is elsewhere now."""
        self._reopen.set()

    def _client(self, http: httpx2.AsyncClient) -> GatewayClient:
        settings = self.stack.settings
        return GatewayClient(http, settings.gateway_url, settings.partners_url, sender_keys(settings.sender_keys))

    async def _end(self, client: GatewayClient) -> None:
        """End the programme once nothing else is to happen: whoever is paroled then completes within days."""
        await self._board.until(lambda: all(map(self._is_done, self._cases)))
        ends_on = (self.stack.domain_now() + timedelta(days=4)).date().isoformat()
        body = {"programme": self.programme, "message": "programme.terminated", "parole_ends_on": ends_on}
        reply = await client.send("governments", f"end-{secrets.token_hex(4)}", body)
        if reply.answer != "accepted":
            self.differences.append(f"the end of the programme was answered {reply}")

    def _is_done(self, case: PlayedCase) -> bool:
        summary = self._board.summary(case.case_id)
        if summary is None or not case.playing.played:
            return False
        waits = summary.waiting_on == "parole_end" and (
            case.name != USUAL or summary.facts["work_permit"] == "eligible"
        )
        return summary.closed or waits

    async def _watch(self) -> None:
        while True:
            self._reopen.clear()
            async with open_backing(self.stack.settings) as backing:
                looking = asyncio.create_task(self._board.watch(backing.store))
                moved = asyncio.create_task(self._reopen.wait())
                await asyncio.wait({looking, moved}, return_when=asyncio.FIRST_COMPLETED)
                for task in (looking, moved):
                    task.cancel()
