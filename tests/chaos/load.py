"""Those who write to Passage during a run: each case has a life, every message goes out twice and some overtake others.

Nobody's message is given up: who gets no answer, or one that says to come again, sends the same once more.
"""

import asyncio
import contextlib
import random
from collections import Counter
from collections.abc import AsyncIterator, Coroutine, Mapping
from datetime import datetime
from functools import partial
from typing import Any, Final

import httpx2

from cases.inbound.wire import PartnerName
from domain.humanitarian_parole.application import Application
from process.backing import clock_of
from simulation.demonstration.repeat import application, with_people
from simulation.format.scenario import Scenario
from simulation.play.agenda import TimelineMessage, first_moment
from simulation.play.client import RequestRefusedError
from simulation.play.later import later
from simulation.play.names import CaseNames
from simulation.scaled.board import Board
from simulation.scaled.pace import Pace
from simulators.scripts import PartnerScripts
from tests.chaos.arena import Arena
from tests.chaos.schedule import Filing
from tests.support.applicants import PROMPT
from tests.support.every_kind import one_of_each_kind
from tests.support.fault_script import SCENARIOS
from tests.support.performance import Ledger, keeping_http
from tests.support.sender import Senders

EVERYTHING_AT_ONCE: Final = "hears every kind of message at once"
FILED_TWICE: Final = "filed by two at the same moment"
STORIES: Final[Mapping[str, Scenario]] = {each.scenario: each for each in SCENARIOS if len(each.applications) == 1}
LIVES: Final = (*STORIES, EVERYTHING_AT_ONCE, FILED_TWICE)
"""The kinds of cases there are."""

_AGAIN_S: Final = 0.3
_OVERTAKES_WITHIN_S: Final = 3.0
"""The second delivery of a message comes so much later at most; what happens meanwhile overtakes it."""
_AT_ONCE: Final = 40
"""Requests under way; those of a partner who waits in line."""
_REFUSAL: Final = "unknown-case"
"""The one ground on which intake refuses what these senders say: a partner that was not asked about the case yet."""
_TRANSIENT: Final = frozenset({408, 425, 429})


class Repeating:
    """Has a client deliver everything that it delivers to the gateway once more, at some moment after it."""

    def __init__(self, chance: random.Random) -> None:
        self.http: httpx2.AsyncClient | None = None
        self.repeated = 0
        self._chance = chance
        self._under_way: set[asyncio.Task[None]] = set()

    async def note(self, request: httpx2.Request) -> None:
        """A hook of the client."""
        is_message = request.method == "POST" and request.url.path.startswith(("/v1/applications", "/v1/partners/"))
        if is_message and "second" not in request.extensions:
            task = asyncio.create_task(self._again(request))
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)

    async def _again(self, request: httpx2.Request) -> None:
        assert self.http is not None
        await asyncio.sleep(self._chance.uniform(0, _OVERTAKES_WITHIN_S))
        second = httpx2.Request(
            request.method,
            request.url,
            headers=request.headers,
            content=request.content,
            extensions={**request.extensions, "second": True},
        )
        # A copy may be lost; what it copies is sent until it is taken.
        with contextlib.suppress(httpx2.RequestError, OSError):
            await self.http.send(second)
            self.repeated += 1

    async def settle(self) -> None:
        """Until every copy has been delivered, or lost."""
        while self._under_way:
            await asyncio.wait(set(self._under_way))


class Load:
    """The cases of one run, from filing to whatever becomes of them."""

    def __init__(self, arena: Arena, senders: Senders, board: Board, stopped: asyncio.Event) -> None:
        self.problems: list[str] = []
        """What no sender may meet."""
        self.refused = Counter[str]()
        """Messages that the gateway would not take for good, by the code it gave."""
        self.filed: set[str] = set()
        self._arena = arena
        self._senders = senders
        self._board = board
        self._stopped = stopped
        self._slots = asyncio.Semaphore(_AT_ONCE)

    async def live(self, filing: Filing) -> None:
        """One case's life; it ends with the run at the latest."""
        await asyncio.sleep(filing.at_s)
        try:
            if filing.life == EVERYTHING_AT_ONCE:
                await self._hear_everything(filing)
            elif filing.life == FILED_TWICE:
                await asyncio.gather(*(self._file(application(filing.person)) for _ in range(2)))
            else:
                await self._play(filing, STORIES[filing.life])
        except RequestRefusedError as error:
            self.problems.append(f"{filing.life}: {error}")

    async def _file(self, filed: Application) -> str:
        async with self._slots:
            case_id = await self._senders.file(filed)
        self.filed.add(case_id)
        return case_id

    async def _hear_everything(self, filing: Filing) -> None:
        case_id = await self._file(application(filing.person))
        deliveries = list(one_of_each_kind(case_id, filing.person, self._senders.mark))
        random.Random(filing.chance).shuffle(deliveries)  # noqa: S311  no secret
        await asyncio.gather(*(self._deliver(*delivery) for delivery in deliveries))

    async def _play(self, filing: Filing, scenario: Scenario) -> None:
        now = self._arena.stack.domain_now()
        scenario = with_people(later(scenario, now - first_moment(scenario)), filing.person)
        [(name, applied)] = scenario.applications.items()
        names = CaseNames("VEN")
        pace = Pace(scenario, names, self._board, clock_of(self._arena.settings))
        case_id = await self._file(applied.content)
        names.note(name, case_id)
        self._board.follow(case_id, partial(pace.note, name))
        for number, item in enumerate(scenario.timeline):
            sender = scenario.sender_of(item)
            if await self._comes(pace.until(TimelineMessage(number, item, sender), item.at)) and not item.is_question:
                body = {"case": case_id, **item.says.model_dump(mode="json", exclude_none=True)}
                await self._deliver(sender, f"{self._senders.mark}-{filing.person}-{number}", body)

    async def _comes(self, turn: Coroutine[None, None, datetime]) -> bool:
        """Whether the turn of a message comes, rather than the end of the run."""
        coming = asyncio.create_task(turn)
        stopped = asyncio.create_task(self._stopped.wait())
        try:
            await asyncio.wait({coming, stopped}, return_when=asyncio.FIRST_COMPLETED)
            return coming.done()
        finally:
            coming.cancel()
            stopped.cancel()

    async def _deliver(self, by: PartnerName, message_id: str, body: Mapping[str, Any]) -> None:
        """Until it is taken or refused for good."""
        while True:
            async with self._slots:
                try:
                    response = await self._senders.post(by, message_id, body)
                except (OSError, httpx2.RequestError):
                    response = None
            if response is not None and response.status_code < 500 and response.status_code not in _TRANSIENT:
                break
            await asyncio.sleep(_AGAIN_S)
        if not response.is_success:
            self._note_refusal(str(response.json()["code"]), by, body)

    def _note_refusal(self, code: str, by: PartnerName, body: Mapping[str, Any]) -> None:
        self.refused[code] += 1
        if code != _REFUSAL:
            self.problems.append(f"{by} was refused with {body['message']} about {body['case']}: {code}")


@contextlib.asynccontextmanager
async def repeating_senders(
    arena: Arena, programme: str, chance: random.Random
) -> AsyncIterator[tuple[Senders, Repeating]]:
    """Senders of everything twice."""
    ledger, repeating = Ledger(), Repeating(chance)
    async with keeping_http(ledger) as http:
        repeating.http = http
        http.event_hooks = {**http.event_hooks, "request": [repeating.note]}
        yield Senders(http, arena.settings, programme, ledger), repeating


async def script_partners(senders: Senders, filings: tuple[Filing, ...]) -> None:
    """Tell the simulated partners how to answer about whom."""
    by_life: dict[str, list[int]] = {}
    for filing in filings:
        by_life.setdefault(filing.life, []).append(filing.person)
    for life, persons in by_life.items():
        await senders.script(persons, _partners_of(life))


def _partners_of(life: str) -> PartnerScripts:
    if life not in STORIES:
        return PROMPT
    [applied] = STORIES[life].applications.values()
    return applied.partners
