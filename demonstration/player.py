"""Plays a script: files each story's application and makes its moves, each when the case stands so."""

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from cases.clock import Clock
from demonstration.board import Board
from demonstration.door import Answer, Door
from demonstration.people import passport_number
from demonstration.story import Act, Move, Script, Story
from simulators.app import Script as PartnerScript

STAGGER_S = 0.15
"""Between two filings, so that a person can watch them come in."""


@dataclass(frozen=True, slots=True)
class Surprise:
    """Something in a story that went otherwise than told."""

    story: str
    what: str


@dataclass(slots=True)
class Player:
    """One performance of a script."""

    script: Script
    board: Board
    door: Door
    clock: Clock
    programme: str
    performance: str
    """A random mark, so that no key of an earlier performance is used again."""
    surprises: list[Surprise] = field(default_factory=list)

    async def play(self) -> None:
        """Play it to its end: every case is closed, every act done. Raises `DoorClosedError`."""
        await self.door.script_partners(
            [PartnerScript(passport_number=passport_number(s.person), partners=s.partners) for s in self._scripted()]
        )
        async with asyncio.TaskGroup() as group:
            group.create_task(self._govern())
            for number, story in enumerate(self.script.stories):
                group.create_task(self._tell(story, number * STAGGER_S))
        await self.board.until_all_closed([story.name for story in self.script.stories])

    def _scripted(self) -> list[Story]:
        """Each person once: who files again is known from the first time."""
        first = {story.person: story for story in reversed(self.script.stories)}
        return list(first.values())

    async def _tell(self, story: Story, wait_s: float) -> None:
        await asyncio.sleep(wait_s)
        await self.board.until_open(story.gates)
        case_id = await self.door.file(self._key(story.name), self.programme, self._application(story))
        await self.board.filed(story.name, case_id)
        for number, move in enumerate(story.moves, start=1):
            stands = await self.board.until_stands(story.name, move.once)
            if stands is None:
                self.surprises.append(Surprise(story.name, f"closed before {move.message}"))
                return
            await self._sleep_until(stands.since + move.after)
            await self.board.until_open(move.gates)
            answer = await self._make(story, move, case_id, number)
            self._compare(story, move, answer)
            await self.board.until_looked_again()

    def _compare(self, story: Story, move: Move, answer: Answer) -> None:
        if answer.answer != move.answer:
            told = f"{move.message} was answered {answer.answer}{f' ({answer.code})' if answer.code else ''}"
            self.surprises.append(Surprise(story.name, f"{told}, expected {move.answer}"))

    def _application(self, story: Story) -> dict[str, Any]:
        filed = story.application(story.person).model_dump(mode="json", exclude_none=True)
        if story.travels_with is not None:
            filed["beneficiary"]["travels_with"]["case"] = self.board.case_of(story.travels_with)
        return filed

    async def _make(self, story: Story, move: Move, case_id: str, number: int) -> Answer:
        if move.message == "travel.boarding_check":
            return await self.door.may_board(case_id)
        body = {"case": case_id, "message": move.message, **move.fields(self._now())}
        return await self.door.send(move.by, f"{self._key(story.name)}.{number}", body)

    async def _govern(self) -> None:
        for act in self.script.acts:
            await self.board.until_open(act.gates)
            await self._sleep_until(self._now() + act.after)
            await self._act(act)
            await self.board.act_done(act.name)

    async def _act(self, act: Act) -> None:
        taken = await self.door.places_taken(self.programme)
        body = {"programme": self.programme, "message": act.message, **act.fields(self._now(), taken)}
        answer = await self.door.send("governments", self._key(act.name), body)
        if answer.answer != "accepted":
            self.surprises.append(Surprise(act.name, f"{act.message} was answered {answer.answer} ({answer.code})"))

    def _key(self, name: str) -> str:
        plain = "".join(sign if sign.isalnum() else "-" for sign in name)
        return f"demo-{self.performance}-{plain}"

    def _now(self) -> datetime:
        return self.clock.now(datetime.now(UTC))

    async def _sleep_until(self, domain_time: datetime) -> None:
        remaining: timedelta = self.clock.server_time(domain_time) - datetime.now(UTC)
        await asyncio.sleep(max(0.0, remaining.total_seconds()))
