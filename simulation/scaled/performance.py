"""Scenarios played side by side on a stack that runs, in real time on a scaled clock."""

import asyncio
import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial

from cases.clock import Clock
from domain import registry
from eventstore.port import EventStore
from simulation.format.scenario import Scenario
from simulation.play.agenda import Agenda, Filing, first_moment
from simulation.play.client import GatewayClient
from simulation.play.entrances import Entrances
from simulation.play.later import later
from simulation.play.names import CaseNames
from simulation.play.outcome import Result
from simulation.play.player import Player
from simulation.play.reading import read_cases, result_of
from simulation.scaled.board import Board
from simulation.scaled.pace import Pace
from simulators.app import PassportScripts


@dataclass(frozen=True, slots=True, kw_only=True)
class ScaledEntrances(Entrances):
    """The partners are told how to answer a person before the application is filed, for its case may ask at once."""

    filed: Callable[[str, str], None]
    """Called with the name and the id of each case."""

    async def file(self, filing: Filing) -> str:
        """See base class."""
        application = filing.application
        number = application.content.beneficiary.passport.number
        await self.client.script_partners([PassportScripts(passport_number=number, partners=application.partners)])
        case_id = await Entrances.file(self, filing)
        self.filed(filing.name, case_id)
        return case_id


async def _decided_when_answered(_: datetime) -> None:
    """Whoever reads a message's answer waits for it."""


@dataclass(slots=True)
class Playing:
    """One scenario as it is played."""

    scenario: Scenario
    names: CaseNames
    pace: Pace
    player: Player
    played: bool = field(default=False)
    """Whether all of it is said."""

    async def play(self, board: Board) -> None:
        """Play it until every case that is expected to close has closed. Raises `RequestRefusedError`."""
        agenda = Agenda(self.scenario)
        while (at := agenda.next_at()) is not None and (entry := agenda.take(at)) is not None:
            await self.player.play(entry, await self.pace.until(entry, at))
            await board.until_looked_again()
        self.played = True
        await board.until(lambda: all(self._is_closed(name, board) for name in self._to_close()))

    def _to_close(self) -> list[str]:
        return [name for name, expected in self.scenario.expect.items() if expected.stage == "closed"]

    def _is_closed(self, name: str, board: Board) -> bool:
        summary = board.summary(self.names.filed(name))
        return summary is not None and summary.closed

    async def result(self, store: EventStore) -> Result:
        """What has become of it by now. Raises `StoreUnavailable`."""
        cases = await read_cases(self.scenario, self.names, store)
        return result_of(
            self.scenario, cases, None, self.player.answers, None if self.played else "not all of it was played"
        )


@dataclass(frozen=True, slots=True)
class PlayedCase:
    """One case of a performance, under a title of its own."""

    title: str
    playing: Playing
    name: str

    @property
    def case_id(self) -> str | None:
        """Its id, once it is filed."""
        return self.playing.names.filed(self.name)


class Performance:
    """Scenarios played from now on; what names no programme of its own is about `programme`."""

    def __init__(
        self, scenarios: Sequence[Scenario], programme: str, client: GatewayClient, clock: Clock, board: Board
    ) -> None:
        self._programme = programme
        self._client = client
        self._clock = clock
        self._board = board
        begun = clock.now(datetime.now(UTC)) - min(map(first_moment, scenarios))
        self.playing = tuple(self._prepared(later(each, begun)) for each in scenarios)

    def cases(self) -> Iterator[PlayedCase]:
        """Every case, by its scenario's title, or by its own name where it has others beside it."""
        for each in self.playing:
            names = list(each.scenario.applications)
            for name in names:
                yield PlayedCase(name if len(names) > 1 else each.scenario.scenario, each, name)

    def _prepared(self, scenario: Scenario) -> Playing:
        applications = {
            name: each.model_copy(update={"programme": self._programme})
            if each.programme == scenario.programme
            else each
            for name, each in scenario.applications.items()
        }
        scenario = scenario.model_copy(update={"programme": self._programme, "applications": applications})
        names = CaseNames(registry.programme(self._programme).prefix)
        pace = Pace(scenario, names, self._board, self._clock)

        def filed(name: str, case_id: str) -> None:
            self._board.follow(case_id, partial(pace.note, name))

        mark = f"scenario-{secrets.token_hex(4)}-"
        entrances = ScaledEntrances(self._client, names, mark, filed=filed)
        return Playing(scenario, names, pace, Player(entrances, _decided_when_answered))

    async def play(self) -> None:
        """Play all to their ends, while somebody watches the board. Raises `RequestRefusedError` in a group."""
        async with asyncio.TaskGroup() as group:
            for each in self.playing:
                group.create_task(each.play(self._board))

    async def results(self, store: EventStore) -> tuple[Result, ...]:
        """One a scenario, in the order given. Raises `StoreUnavailable`."""
        return tuple([await each.result(store) for each in self.playing])
