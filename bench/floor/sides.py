"""The two sides of the comparison, driven alike: file, send what a case then needs, until it has its work permit."""

import asyncio
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal, Protocol

import asyncpg
import httpx2
import psutil

from simulation.demonstration.repeat import application

AT_ONCE: Final = 40
"""Cases under way at the same time: enough that a server is always busy."""
SETTLE_S: Final = 2.0
"""Before the work permit is applied for: a server begins a run anew at most once a second, and a message that came
before the new run's first activity would be taken by it, which saves a case an activity that the bare one has."""
LOOK_S: Final = 0.1
SAMPLE: Final = 9
"""Cases of a run whose histories are read."""
CASE_TIMEOUT_S: Final = 120.0

Next = Literal["arrival.paroled", "work_permit.applied", "done"]
"""What a case waits for that no partner sends."""
_SENDERS: Final[Mapping[Next, tuple[str, dict[str, str]]]] = {
    "arrival.paroled": ("border", {"port": "MIA", "by": "air"}),
    "work_permit.applied": ("applicant", {}),
}


class Look(Protocol):
    """Tells where cases stand."""

    async def __call__(self, under_way: Collection[str]) -> Mapping[str, Next]:
        """Case id to what it waits for now, at least of those under way."""
        ...


@dataclass(slots=True)
class RealLook:
    """From the event store's heads, those under way alone: whoever watches is not to be what is measured."""

    pool: "asyncpg.Pool[asyncpg.Record]"

    async def __call__(self, under_way: Collection[str]) -> Mapping[str, Next]:
        """See `Look`."""
        rows = await self.pool.fetch(
            "SELECT case_id, waiting_on, facts ->> 'work_permit' FROM passage.case_head WHERE case_id = ANY ($1)",
            list(under_way),
        )
        return {case_id: wanted for case_id, *stands in rows if (wanted := _next_of(*stands)) is not None}


def _next_of(waiting_on: str | None, work_permit: str | None) -> Next | None:
    if waiting_on == "arrival":
        return "arrival.paroled"
    if work_permit == "eligible":
        return "done"
    return "work_permit.applied" if waiting_on == "parole_end" and work_permit is None else None


@dataclass(slots=True)
class BareLook:
    """From the file to which the bare worker writes the parts that are behind a case."""

    file: Path
    _read: int = 0
    _found: dict[str, Next] = field(default_factory=dict)

    async def __call__(self, under_way: Collection[str]) -> Mapping[str, Next]:
        """See `Look`; whatever was written is read, which costs no more."""
        del under_way
        after: dict[str, Next] = {"3": "arrival.paroled", "5": "work_permit.applied", "7": "done"}
        if self.file.exists():
            with self.file.open(encoding="ascii") as lines:
                lines.seek(self._read)
                while (line := lines.readline()).endswith("\n"):
                    self._read = lines.tell()
                    case_id, part = line.split()
                    self._found.pop(case_id, None)
                    if part in after:
                        self._found[case_id] = after[part]
        return self._found


@dataclass(slots=True)
class Side:
    """One side: where it is reached, which process is its worker, and how its cases are watched."""

    gateway_url: str
    worker_pid: int
    look: Look
    http: httpx2.AsyncClient
    _sent: int = 0
    _stand: Mapping[str, Next] = field(default_factory=dict)
    _moved: asyncio.Condition = field(default_factory=asyncio.Condition)
    _under_way: set[str] = field(default_factory=set)

    async def run(self, cases: int, to: Next = "done") -> "Result":
        """Take so many cases to their work permits, or to what they wait for before it, and leave them there.

        Raises TimeoutError for one that does not get there.
        """
        places = asyncio.Semaphore(AT_ONCE)
        watching = asyncio.create_task(self._watch())
        cpu_s, began = self._cpu_s(), time.perf_counter()
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(self._one(places, to)) for _ in range(cases)]
        finally:
            watching.cancel()
        seconds = time.perf_counter() - began
        return Result(cases / seconds, (self._cpu_s() - cpu_s) / cases, tuple(task.result() for task in tasks))

    def _cpu_s(self) -> float:
        times = psutil.Process(self.worker_pid).cpu_times()
        return float(times.user + times.system)

    async def _watch(self) -> None:
        while True:
            found = await self.look(self._under_way)
            async with self._moved:
                self._stand = found
                self._moved.notify_all()
            await asyncio.sleep(LOOK_S)

    async def _one(self, places: asyncio.Semaphore, to: Next) -> str:
        async with places, asyncio.timeout(CASE_TIMEOUT_S):
            case_id = await self._file()
            self._under_way.add(case_id)
            for message in _SENDERS:
                await self._until(case_id, message)
                if message == to:
                    break
                if message == "work_permit.applied":
                    await asyncio.sleep(SETTLE_S)
                await self.send(case_id, message)
            await self._until(case_id, to)
            self._under_way.remove(case_id)
            return case_id

    async def send(self, case_id: str, message: Next) -> None:
        """Send what the case waits for and no partner sends."""
        by, fields = _SENDERS[message]
        await self._post(
            f"/v1/partners/{by}/messages",
            {"webhook-id": f"{case_id}.{message}"},
            {"case": case_id, "message": message, **fields},
        )

    async def _file(self) -> str:
        self._sent += 1
        filed = application(self._sent).model_dump(mode="json", exclude_none=True)
        body = {"programme": "venezuela-air", "application": filed}
        found = await self._post("/v1/applications", {"Idempotency-Key": f"floor-{self._sent}"}, body)
        return str(found["case_id"])

    async def _post(self, path: str, headers: dict[str, str], body: Mapping[str, Any]) -> dict[str, Any]:
        response = await self.http.post(f"{self.gateway_url}{path}", headers=headers, json=dict(body))
        response.raise_for_status()
        found: dict[str, Any] = response.json()
        return found

    async def _until(self, case_id: str, wanted: Next) -> None:
        async with self._moved:
            await self._moved.wait_for(lambda: self._stand.get(case_id) == wanted)


@dataclass(frozen=True, slots=True)
class Result:
    """One run of one side."""

    cases_per_s: float
    worker_cpu_s: float
    """A case."""
    case_ids: tuple[str, ...]
    """In the order of their filing."""
