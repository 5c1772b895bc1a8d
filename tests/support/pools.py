"""Pools of places that several programmes draw on: a small model, and what writes to the real ones."""

import hashlib
import itertools
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, Literal

from domain.humanitarian_parole.stages.travel import ALLOTMENT as AIR
from domain.humanitarian_parole.stages.travel import Waitlisted
from domain.kernel.ids import CommandId
from domain.kernel.programme import PlacesChanged, ProgrammeOpened
from domain.kernel.proof import claimed
from eventstore.format.envelope import NO_HASH
from eventstore.places import AllotPlaces, PlaceChange, Pool
from eventstore.port import Append, Appended
from eventstore.postgres.store import PostgresStore
from eventstore.summary import ProgrammeSummary
from tests.support.filings import MONTH, NOON, RULES_DIGEST, filed, new_case_id, summary

_COMMANDS = itertools.count(1)


@dataclass
class Stream:
    """A case or a programme in the real store, and what its next append must expect."""

    store: PostgresStore
    name: str
    programme: str
    version: int = 0
    hash: bytes = NO_HASH

    async def append(self, *events: Any, **changed: Any) -> Appended:
        command = f"test:{self.name}-{next(_COMMANDS)}"
        append = Append(
            stream=self.name,
            programme=self.programme,
            command_id=CommandId(command),
            message_digest=hashlib.sha256(command.encode()).digest(),
            expected_version=self.version,
            previous_hash=self.hash,
            events=events,
            proof=claimed("test"),
            now=NOON,
            rules_digest=RULES_DIGEST,
            summary=summary(self.name, programme=self.programme),
        )
        appended = await self.store.append(replace(append, **changed))
        self.version, self.hash = appended.version, appended.hash
        return appended

    async def change(self, place: PlaceChange) -> Appended:
        """Any event will do: the store does not read them."""
        return await self.append(Waitlisted(at=NOON), place=place)

    async def set(
        self, pool: Pool, status: Literal["open", "suspended"] = "open", allotment: str = AIR, **changed: Any
    ) -> Appended:
        """The programme draws on `pool` from now on and has this status; it sets the cap."""
        head = ProgrammeSummary(self.name, status, "2022-10-19", {allotment: pool})
        event: Any = PlacesChanged(at=NOON, places=pool.places)
        if self.version == 0:
            event = ProgrammeOpened(
                at=NOON, programme=self.name, rules_version="2022-10-19", rules_digest=RULES_DIGEST,
                rules="{}",
                places=pool.places,
            )  # fmt: skip
        given = {"summary": head, "caps": (pool.pool,), "place": AllotPlaces(MONTH), **changed}
        return await self.append(event, **given)


async def open_programmes(store: PostgresStore, pool: Pool, *names: str) -> list[Stream]:
    programmes = [Stream(store, name, name) for name in names]
    for each in programmes:
        await each.set(pool)
    return programmes


async def file_in(store: PostgresStore, programme: str) -> Stream:
    case = Stream(store, new_case_id(), programme)
    await case.append(filed(programme=programme))
    return case


@dataclass
class Waits:
    """A case on the list."""

    case: int
    programme: int
    turn: int
    quantity: int
    whole: bool
    passed_over: bool = False
    reserved: int = 0


@dataclass
class Model:
    """One pool, as the rules are told: who holds how much, who waits, what is reserved."""

    cap: int
    suspended: set[int] = field(default_factory=set)
    held: dict[int, int] = field(default_factory=dict)
    waiting: list[Waits] = field(default_factory=list)
    """In the order of turns; equal turns in the order in which they joined."""

    @property
    def free(self) -> int:
        return self.cap - sum(self.held.values()) - sum(each.reserved for each in self.waiting)

    def entry(self, case: int) -> Waits | None:
        return next((each for each in self.waiting if each.case == case), None)

    def left_for(self, case: int) -> int:
        mine = self.entry(case)
        reserved = mine.reserved if mine else 0
        for each in self.waiting:
            if each is mine:
                break
            wants = each.quantity - each.reserved
            considered = not each.passed_over and each.programme not in self.suspended
            if each.case != case and wants and considered and (not each.whole or each.quantity <= self.free):
                return reserved
        return reserved + max(self.free, 0) if mine is None or not mine.passed_over else reserved

    def take(self, case: int, quantity: int) -> bool:
        if self.left_for(case) < quantity:
            return False
        mine = self.entry(case)
        if mine is not None:
            mine.reserved -= min(quantity, mine.reserved)
            mine.quantity -= quantity
            if mine.quantity <= 0:
                self.waiting.remove(mine)
        self.held[case] = self.held.get(case, 0) + quantity
        return True

    def join(self, waits: Waits) -> bool:
        if self.left_for(waits.case) >= waits.quantity:
            return False
        self.waiting.append(waits)
        self.waiting.sort(key=lambda each: each.turn)
        return True

    def settle(self) -> set[int]:
        """What the cap and the suspended no longer allow goes back, and what is free goes to the heads."""
        before = {each.case: each.reserved for each in self.waiting}
        self.release()
        for each in self.waiting:
            wants = each.quantity - each.reserved
            if self.free <= 0 or each.passed_over or each.programme in self.suspended:
                continue
            if not each.whole or wants <= self.free:
                each.reserved += min(wants, self.free)
        return {each.case for each in self.waiting if each.reserved > before[each.case]}

    def release(self) -> None:
        for each in self.waiting:
            if each.programme in self.suspended:
                each.reserved = 0
        for each in reversed(self.waiting):
            if self.free < 0:
                each.reserved -= each.reserved if each.whole else min(each.reserved, -self.free)


def turn_of(minute: int) -> Any:
    return NOON + timedelta(minutes=minute)
