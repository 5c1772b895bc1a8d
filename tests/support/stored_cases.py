"""Cases as scenarios play them, stored as the log stores them: rows with headers, hashes, commands and ciphertext."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from domain.kernel.events import CaseEvent
from domain.kernel.ids import CaseId, CommandId
from domain.kernel.messages import Command, MeetDeadline
from domain.kernel.programme import ProgrammeEvent
from domain.kernel.proof import CLOCK, Proof, claimed
from eventstore.format.envelope import NO_HASH, Envelope
from eventstore.format.wrapping import wrap
from eventstore.keys import CaseKey
from eventstore.port import Append
from eventstore.summary import CaseSummary, ProgrammeSummary
from simulation.format.loader import load_scenario
from simulation.format.programmes import programmes_of
from simulation.format.scenario import Scenario
from tests.support.player import Player, Playing

SCENARIOS = Path(__file__).parents[1] / "scenarios"
FILES = sorted(file for folder in ("given", ".") for file in (SCENARIOS / folder).glob("*.yaml"))


@dataclass
class StoredLog:
    """The streams of one scenario, and the keys of its cases."""

    streams: dict[str, list[Envelope]] = field(default_factory=dict)
    keys: dict[str, CaseKey] = field(default_factory=dict)
    programme: str = ""

    @property
    def cases(self) -> list[CaseId]:
        """The cases that were filed."""
        return [stream for stream in self.streams if stream != self.programme]


class StoringPlayer(Player):
    """A player that keeps what a store would."""

    def __init__(self, scenario: Scenario) -> None:
        (programme,) = programmes_of(scenario)
        self.log = StoredLog(programme=programme)
        super().__init__(scenario)

    def _take(self, playing: Playing, command: Command) -> str:
        before = len(playing.events)
        rules = self.rules_of(playing.case)
        answer = super()._take(playing, command)
        if playing.events[before:]:
            received_at = None if isinstance(command, MeetDeadline) else command.received_at
            events = tuple(playing.events[before:])
            self._store(playing.case.case_id, command.command_id, command.proof, events, rules.digest, received_at)
        return answer

    def _evolve(self, name: str, events: tuple[ProgrammeEvent, ...]) -> None:
        opening = name not in self.programmes
        command_id = "passage:open" if opening else f"governments:{len(self.log.streams)}-{self.now}"
        self._store(name, command_id, CLOCK if opening else claimed("governments"), events)
        super()._evolve(name, events)

    def _store(
        self,
        stream: str,
        command_id: str,
        proof: Proof,
        events: tuple[CaseEvent | ProgrammeEvent, ...],
        rules_digest: str | None = None,
        received_at: datetime | None = None,
    ) -> None:
        rows = self.log.streams.setdefault(stream, [])
        of_programme = stream == self.log.programme
        key = None
        if not of_programme:
            key = self.log.keys.setdefault(stream, CaseKey(stream, hashlib.sha256(stream.encode()).digest()))
        summary: Any = ProgrammeSummary("", "open", "", {}) if of_programme else _SUMMARY
        append = Append(
            stream=stream,
            programme=self.log.programme,
            command_id=CommandId(command_id),
            message_digest=hashlib.sha256(command_id.encode()).digest(),
            expected_version=len(rows),
            previous_hash=rows[-1].hash if rows else NO_HASH,
            events=events,
            proof=proof,
            now=self.now,
            rules_digest=rules_digest,
            received_at=received_at,
            summary=summary,
        )
        rows += wrap(append, key, self.now)


_SUMMARY = object.__new__(CaseSummary)
"""Only that there is one is asked."""


def stored(scenario: Scenario) -> StoredLog:
    """The log of a scenario, played to its end."""
    player = StoringPlayer(scenario)
    player.play()
    return player.log


@lru_cache(maxsize=1)
def all_stored() -> tuple[tuple[str, StoredLog], ...]:
    """The log of every scenario file, by the file's name."""
    return tuple((file.stem, stored(load_scenario(file))) for file in FILES)


def all_cases() -> Iterator[tuple[str, StoredLog, CaseId]]:
    """Every case of every scenario file."""
    for name, log in all_stored():
        for case_id in log.cases:
            yield name, log, case_id
