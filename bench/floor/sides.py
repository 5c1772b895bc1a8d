"""The two sides of the comparison, driven alike: file, send what a case then needs, until it has its work permit."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal, Protocol

import httpx2
import psutil

from demonstration.people import application
from eventstore.store import EventStore
from eventstore.summary import CaseSummary, SummaryFilter

AT_ONCE: Final = 40
"""Cases under way at the same time: enough that a server is always busy."""
SETTLE_S: Final = 2.0
"""Before the work permit is applied for: a server begins a run anew at most once a second, and a message that came
before the new run's first activity would be taken by it, which saves a case an activity that the bare one has."""
LOOK_S: Final = 0.1
SAMPLE: Final = 9
CASE_TIMEOUT_S: Final = 120.0

Next = Literal["arrival.paroled", "work_permit.applied", "done"]
"""What a case waits for that no partner sends."""
_SENDERS: Final[Mapping[str, tuple[str, dict[str, str]]]] = {
    "arrival.paroled": ("border", {"port": "MIA", "by": "air"}),
    "work_permit.applied": ("applicant", {}),
}


class Look(Protocol):
    """Tells where cases stand."""

    async def __call__(self) -> Mapping[str, Next]:
        """Case id to what it waits for now."""
        ...


@dataclass(slots=True)
class RealLook:
    """From the event store's heads."""

    store: EventStore

    async def __call__(self) -> Mapping[str, Next]:
        """See `Look`."""
        found: dict[str, Next] = {}
        async for summary in self.store.summaries(SummaryFilter(open=True)):
            if (wanted := _next_of(summary)) is not None:
                found[summary.case_id] = wanted
        return found


def _next_of(summary: CaseSummary) -> Next | None:
    if summary.waiting_on == "arrival":
        return "arrival.paroled"
    if summary.work_permit == "eligible":
        return "done"
    return "work_permit.applied" if summary.waiting_on == "parole_end" and summary.work_permit is None else None


@dataclass(slots=True)
class BareLook:
    """From the file to which the bare worker writes the parts that are behind a case."""

    file: Path
    _read: int = 0
    _found: dict[str, Next] = field(default_factory=dict)

    async def __call__(self) -> Mapping[str, Next]:
        """See `Look`."""
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

    async def run(self, cases: int) -> "Result":
        """Take so many cases to their work permits. Raises TimeoutError for one that does not get there."""
        places = asyncio.Semaphore(AT_ONCE)
        watching = asyncio.create_task(self._watch())
        cpu_s, began = self._cpu_s(), time.perf_counter()
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(self._one(places)) for _ in range(cases)]
        finally:
            watching.cancel()
        seconds = time.perf_counter() - began
        some = tuple(task.result() for task in tasks[-SAMPLE:])
        return Result(cases / seconds, (self._cpu_s() - cpu_s) / cases, some)

    def _cpu_s(self) -> float:
        times = psutil.Process(self.worker_pid).cpu_times()
        return float(times.user + times.system)

    async def _watch(self) -> None:
        while True:
            found = await self.look()
            async with self._moved:
                self._stand = found
                self._moved.notify_all()
            await asyncio.sleep(LOOK_S)

    async def _one(self, places: asyncio.Semaphore) -> str:
        async with places, asyncio.timeout(CASE_TIMEOUT_S):
            case_id = await self._file()
            for message, (by, fields) in _SENDERS.items():
                await self._until(case_id, message)
                if message == "work_permit.applied":
                    await asyncio.sleep(SETTLE_S)
                await self._post(
                    f"/v1/partners/{by}/messages",
                    {"webhook-id": f"{case_id}.{message}"},
                    {"case": case_id, "message": message, **fields},
                )
            await self._until(case_id, "done")
            return case_id

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

    async def _until(self, case_id: str, wanted: str) -> None:
        async with self._moved:
            await self._moved.wait_for(lambda: self._stand.get(case_id) == wanted)


@dataclass(frozen=True, slots=True)
class Result:
    """One run of one side."""

    cases_per_s: float
    worker_cpu_s: float
    """A case."""
    some_cases: tuple[str, ...]
    """Of which the histories are then read."""
