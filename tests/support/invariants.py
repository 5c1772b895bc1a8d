"""What must hold after any fault, read from the bytes in the database by a reader of its own: an empty list is well.

Each line of a list names one fault; none holds anything personal.
"""

import hashlib
import json
import sqlite3
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager, closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import asyncpg

from domain.humanitarian_parole.stages.parole import is_paroled
from domain.humanitarian_parole.stages.travel import Travel
from domain.kernel.case import Case
from eventstore.format.summarize import summarize
from process.backing import Backing, open_backing
from process.config import Settings
from tests.support.performance import Told

Row = Any
"""A record of asyncpg."""

_HEADER_ONLY: Final = {"public_body_sha256", "encrypted_body_sha256", "previous_hash"}
_MOMENTS: Final = ("happened_at", "recorded_at", "received_at")
_REJECTED_MAX: Final = 50
_AFTER_CLOSING: Final = {
    "IrregularCrossingRecorded", "FactRetracted", "ReconsiderationRequested", "CaseReopened", "PersonalDataErased",
}  # fmt: skip
"""What may follow `CaseClosed`, until `CaseReopened`."""


@asynccontextmanager
async def reading(settings: Settings) -> AsyncIterator["Log"]:
    """The log of a stack, as its owner reads it."""
    connection = await asyncpg.connect(settings.required_database_url)
    try:
        async with open_backing(settings) as backing, connection.transaction(isolation="repeatable_read"):
            yield await Log.read(connection, backing)
    finally:
        await connection.close()


@dataclass(slots=True)
class Log:
    """Everything that the database holds, at one moment."""

    backing: Backing
    events: dict[str, list[Row]]
    """By stream, in the order of versions."""
    inbox: list[Row]
    heads: dict[str, Row]
    tables: dict[str, list[Row]]

    @classmethod
    async def read(cls, connection: asyncpg.Connection, backing: Backing) -> "Log":
        """One snapshot of every table."""
        events: dict[str, list[Row]] = defaultdict(list)
        for row in await connection.fetch("SELECT * FROM passage.events ORDER BY stream, version"):
            events[row["stream"]].append(row)
        places = ("waiting_list", "place_counter", "pool", "programme_pool")
        rest = ("notification", "pending_filing", "outbound_call", *places)
        return cls(
            backing=backing,
            events=events,
            inbox=await connection.fetch("SELECT * FROM passage.inbox ORDER BY number"),
            heads={row["case_id"]: row for row in await connection.fetch("SELECT * FROM passage.case_head")},
            tables={name: await connection.fetch(f"SELECT * FROM passage.{name}") for name in rest},
        )

    async def faults(self) -> list[str]:
        """Everything that does not hold."""
        return [fault for found in (await self.faults_by_promise()).values() for fault in found]

    async def faults_by_promise(self) -> dict[str, list[str]]:
        """What is promised of every log, and what does not hold of it."""
        streams = self.events.items()
        return {
            "every accepted message has its event or its recorded refusal": [*self._message_faults()],
            "no event is lost": [fault for stream, rows in streams for fault in chain_faults(stream, rows)],
            "no event is there twice": [fault for stream, rows in streams for fault in command_faults(stream, rows)],
            "messages of a case are taken in their order": [*self._order_faults()],
            "nothing is left undone": [*self._leftovers()],
            "summaries equal the state that the events fold to": await self._head_faults(),
            "places are counted right, and the cap is held": await self._place_faults(),
        }

    def _message_faults(self) -> Iterable[str]:
        """Every message has its answer, and what the answer says has happened is in the log."""
        for row in self.inbox:
            name = f"{row['stream']} {row['kind']} {row['source']}:{row['message_id']}"
            found = [e["type"] for e in self.events[row["stream"]] if e["command_id"] == _command_id(row)]
            if row["answer"] is None:
                yield f"{name}: never decided"
            elif row["answer"] == "accepted" and not found and row["source"] != "passage":
                yield f"{name}: accepted, and no event says so"
            elif row["answer"] == "rejected" and not self._refusal_is_recorded(row, found):
                yield f"{name}: rejected ({row['code']}), recorded as {found}"

    def _refusal_is_recorded(self, row: Row, found: list[str]) -> bool:
        if found:
            return found == ["MessageRejected"]
        events = self.events[row["stream"]]
        closed = any(e["type"] == "CaseClosed" for e in events)
        return row["case_id"] is None or closed or sum(e["type"] == "MessageRejected" for e in events) >= _REJECTED_MAX

    def _order_faults(self) -> Iterable[str]:
        """What came in later is in the log later, in every stream."""
        numbers = {(row["stream"], _command_id(row)): row["number"] for row in self.inbox}
        for stream, events in self.events.items():
            found = [numbers.get((stream, event["command_id"])) for event in events]
            taken = [number for number in found if number is not None]
            if taken != sorted(taken):
                yield f"{stream}: its messages were taken in the order {taken}"

    def _leftovers(self) -> Iterable[str]:
        undecided = {row["number"] for row in self.inbox if row["answer"] is None}
        for row in self.tables["notification"]:
            yield f"{row['stream']}: a notification is left for message {row['number']}"
        for row in self.tables["pending_filing"]:
            if row["number"] not in undecided:
                yield f"filing {row['number']} is decided and still makes others wait"
        for row in self.tables["outbound_call"]:
            open_call = row["accepted_at"] is None and row["dropped_at"] is None
            if open_call and self.heads[row["case_id"]]["closed"]:
                yield f"{row['case_id']}: is closed and still owes {row['partner']} a request"
        for row in self.tables["waiting_list"]:
            head = self.heads[row["case_id"]]
            if head["waiting_on"] != "place" and not head["held"] and not row["passed_over"]:
                yield f"{row['case_id']}: on the waiting list, and does not wait"

    async def _cases(self) -> AsyncIterator[Case]:
        for case_id in self.heads:
            yield await self.backing.cases.case(case_id)

    async def _head_faults(self) -> list[str]:
        faults = []
        async for case in self._cases():
            programme = await self.backing.cases.programme(case.programme)
            rules = self.backing.cases.rules_of(case, programme)
            wanted = asdict(summarize(case, programme, rules, self.backing.now()))
            head = self.heads[case.case_id]
            last = self.events[case.case_id][-1]
            wanted |= {"version": last["version"], "hash": last["hash"]}
            for name, value in wanted.items():
                found = _READ.get(name, _as_it_is)(head[name])
                if found != value:
                    faults.append(f"{case.case_id}: the head's {name} is {found}, the log says {value}")
        return faults

    async def _place_faults(self) -> list[str]:
        """Held and reserved places, counted from the log, against the counters and the caps of the pools."""
        held, kept, months = Counter[tuple[str, str]](), Counter[str](), Counter[str]()
        async for case in self._cases():
            travel = case.of(Travel)
            has_place = travel.authorization is not None and travel.lapsed_at is None
            if has_place and (is_paroled(case) or not case.closed):
                held[case.programme, self.heads[case.case_id]["place_period"]] += 1
        for row in self.tables["waiting_list"]:
            if row["reserved"]:
                held[row["programme"], row["reserved_period"]] += row["reserved"]
        for (programme, _), places in held.items():
            kept[programme] += places
        counted = Counter[str]()
        for row in self.tables["place_counter"]:
            (counted if row["period"] == "total" else months)[row["programme"]] += row["taken"]
        return [
            *self._cap_faults(held),
            *(f"{p}: {counted[p]} places are counted, {kept[p]} are held" for p in kept if kept[p] != counted[p]),
            *(f"{p}: {counted[p]} places in all, {months[p]} by month" for p in counted if counted[p] != months[p]),
        ]

    def _cap_faults(self, held: Counter[tuple[str, str]]) -> Iterable[str]:
        """What all programmes that draw on a pool hold together, in all or in a month, is within its cap."""
        drawn = {row["programme"]: row["pool"] for row in self.tables["programme_pool"]}
        pools = {row["pool"]: row for row in self.tables["pool"]}
        of_pool = Counter[tuple[str, str]]()
        for (programme, month), places in held.items():
            pool = drawn[programme]
            of_pool[pool, "all" if pools[pool]["period"] == "total" else month] += places
        for (pool, when), places in of_pool.items():
            if places > pools[pool]["places"]:
                yield f"{pool}: {places} places are held of {pools[pool]['places']}, in {when}"


_READ: Final[dict[str, Callable[[Any], Any]]] = {"flags": tuple, "facts": json.loads}
"""How a column is read that the driver gives in another form."""


def _as_it_is(value: Any) -> Any:
    return value


def _command_id(row: Row) -> str:
    return f"{row['source']}:{row['message_id']}"


def chain_faults(stream: str, rows: list[Row]) -> Iterable[str]:
    """Versions are dense, and each header is the columns' own, hashes to the hash and follows the one before."""
    previous = bytes(32)
    for version, row in enumerate(rows, start=1):
        header = json.loads(row["header"])
        name = f"{stream} {row['version']}"
        if row["version"] != version:
            yield f"{name}: version {version} was expected"
        if hashlib.sha256(b"\x00" + row["header"]).digest() != row["hash"]:
            yield f"{name}: the header does not hash to the hash"
        if header["previous_hash"] != previous.hex():
            yield f"{name}: does not follow the event before it"
        for body in ("public_body", "encrypted_body"):
            digest = None if row[body] is None else hashlib.sha256(row[body]).hexdigest()
            if header[f"{body}_sha256"] != digest:
                yield f"{name}: {body} is not the one that was hashed"
        for column in header.keys() - _HEADER_ONLY:
            value = row[column]
            written = value.strftime("%Y-%m-%dT%H:%M:%S.%fZ") if column in _MOMENTS and value else value
            written = written.hex() if column == "message_digest" else written
            if header[column] != written:
                yield f"{name}: column {column} is not what was hashed"
        previous = row["hash"]
    yield from closing_faults(stream, rows)


def closing_faults(stream: str, rows: list[Row]) -> Iterable[str]:
    """Nothing follows the closing of a case but what may."""
    closed = False
    for row in rows:
        if closed and row["type"] not in _AFTER_CLOSING:
            yield f"{stream} {row['version']}: {row['type']} follows CaseClosed"
        closed = row["type"] == "CaseClosed" or (closed and row["type"] != "CaseReopened")


def command_faults(stream: str, rows: list[Row]) -> Iterable[str]:
    """The events of a command were appended together, and once."""
    appends: dict[str, set[Any]] = defaultdict(set)
    versions: dict[str, list[int]] = defaultdict(list)
    for row in rows:
        appends[row["command_id"]].add(row["recorded_at"])
        versions[row["command_id"]].append(row["version"])
    for command_id, found in versions.items():
        if len(appends[command_id]) > 1 or found != list(range(found[0], found[0] + len(found))):
            yield f"{stream}: the events of {command_id} were appended more than once ({found})"


def receipt_faults(receipts: Iterable[Told], inbox: list[Row]) -> Iterable[str]:
    """Whoever was told that a message is safe, under a number and with an answer, was told the truth."""
    rows = {row["number"]: row for row in inbox}  # the id that a person gave is not kept in clear
    numbers: dict[tuple[str, str], int] = {}
    for told in receipts:
        row = rows.get(told.number)
        name = f"{told.source}:{told.message_id}"
        first = numbers.setdefault((told.source, told.message_id), told.number)
        if row is None or row["source"] != told.source:
            yield f"{name}: its sender has a receipt, and it is lost"
        elif first != told.number:
            yield f"{name}: its sender was told number {told.number}, and before that {first}"
        elif told.answer is not None and (told.answer, told.code) != (row["answer"], row["code"]):
            yield f"{name}: its sender was told {told.answer} ({told.code}), it is {row['answer']} ({row['code']})"


@dataclass(frozen=True, slots=True)
class PartnersBooks:
    """What the simulated partners have written down. Read it before the log: partners go on meanwhile."""

    answers: list[tuple[str, str, str | None]]
    """Path, message id and outcome of each answer that a partner gives."""
    requests: list[tuple[str, str]]
    """Partner and request id of each request that was taken."""

    @classmethod
    def of(cls, data_dir: Path) -> "PartnersBooks":
        """The books of the stack whose data directory this is."""
        path = data_dir / "simulators" / "partners.sqlite3"
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as books:
            return cls(
                books.execute("SELECT path, message_id, outcome FROM answer").fetchall(),
                books.execute("SELECT partner, request_id FROM receipt").fetchall(),
            )


def partner_faults(books: PartnersBooks, log: Log) -> Iterable[str]:
    """What the partners delivered is in the inbox, what they were asked is stated in the log."""
    inbox = {(row["source"], row["message_id"]) for row in log.inbox}
    stated = {row["event_id"] for rows in log.events.values() for row in rows}
    for path, message_id, outcome in books.answers:
        if outcome == "taken" and (path.split("/")[3], message_id) not in inbox:
            yield f"{message_id}: was delivered, and is lost"
        if outcome == "refused" and not message_id.endswith(":wrong-case"):
            yield f"{message_id}: was refused"
    for partner, request_id in books.requests:
        if request_id not in stated:
            yield f"{partner} was asked {request_id}, which is nowhere in the log"
