"""A large log made in memory and copied in: whole cases, encrypted, chained and hashed as an append would do it."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

import asyncpg

from domain import registry
from domain.humanitarian_parole.application import ERASED_APPLICATION
from domain.humanitarian_parole.stages.entry import EntryCheckRequested, EntryVerified
from domain.humanitarian_parole.stages.filing import ApplicationFiled
from domain.humanitarian_parole.stages.parole import ParoleGranted, WorkPermitApplied, WorkPermitEligible
from domain.humanitarian_parole.stages.sponsor import SponsorConfirmationRequested, SponsorConfirmed
from domain.humanitarian_parole.stages.travel import ALLOTMENT as AIR
from domain.humanitarian_parole.stages.travel import TravelAuthorized
from domain.humanitarian_parole.stages.vetting import VettingCleared, VettingRequested
from domain.kernel.case import Case
from domain.kernel.decider import fold
from domain.kernel.events import Basis, CaseEvent, RuleResult
from domain.kernel.ids import CommandId, case_id_from_entropy
from domain.kernel.programme import Programme, evolve_programme, open_programme
from domain.kernel.proof import claimed
from eventstore.format.envelope import NO_HASH, Envelope, machine_clock
from eventstore.format.summarize import summarize, summarize_programme
from eventstore.format.wrapping import wrap
from eventstore.keys import CaseKey
from eventstore.port import Append

PROGRAMME: Final = "venezuela-air"
AT: Final = datetime(2022, 10, 20, 12, tzinfo=UTC)
MONTH: Final = "2022-10"
_DEFINED = registry.programme(PROGRAMME)
_RULES = _DEFINED.sets["2022-10-19"]
_BASIS = Basis(
    rules_version=_RULES.version,
    rules_digest=_RULES.digest,
    programme_version=1,
    decided_at=AT,
    results=(RuleResult(rule="mexico-entry", result="passed", because="before-the-cutoff"),),
)
[_OPENED] = open_programme(_RULES, 10**9, AT)
_OPEN: Final = evolve_programme(Programme(), _OPENED)
_COLUMNS: Final = Envelope._fields
_PLACE = ("place_allotment", "place_period", "place_quantity")
_HEAD: Final = (
    "rules_version", "stage", "waiting_on", "since", "due_name", "due_at", "outcome", "reason", "facts", "flags",
    "filed_at", "closed", "held", "overdue_since",
)  # fmt: skip
_PROOF: Final = claimed("bench")
_INBOX: Final = (
    "stream", "number", "case_id", "programme", "source", "message_id", "kind", "body", "key_id", "digest",
    "received_at", "proof", "answer",
)  # fmt: skip
_CASES_AT_ONCE: Final = 500
EVENTS_A_CASE: Final = 11
"""`events_of` lists them."""


@dataclass(frozen=True, slots=True)
class _Made:
    rows: tuple[Envelope, ...]
    case: Case


def events_of(case_id: str) -> tuple[CaseEvent, ...]:
    """A case from its filing to parole: eleven events, four of them with something personal."""
    later = AT + timedelta(hours=1)
    return (
        ApplicationFiled(
            at=AT, programme=PROGRAMME, rules_version=_RULES.version, rules_digest=_RULES.digest,
            application=ERASED_APPLICATION,
        ),
        SponsorConfirmationRequested(at=AT, request_id=f"{case_id}:2", basis=_BASIS),
        SponsorConfirmed(at=later, basis=_BASIS),
        EntryCheckRequested(at=later, request_id=f"{case_id}:4"),
        EntryVerified(at=later, basis=_BASIS, by="records", entered_at=AT, place="Tapachula", manner="regular"),
        VettingRequested(at=later, request_id=f"{case_id}:6"),
        VettingCleared(at=later),
        TravelAuthorized(at=later, basis=_BASIS, last_day=date(2023, 1, 18), period=MONTH),
        ParoleGranted(at=later, port="MIA", paroled_on=date(2022, 11, 1), last_day=date(2024, 10, 31)),
        WorkPermitApplied(at=later, request_id=f"{case_id}:10"),
        WorkPermitEligible(at=later, why="in time"),
    )  # fmt: skip


def _append(stream: str, events: tuple[Any, ...], command: str) -> Append:
    return Append(
        stream=stream, programme=PROGRAMME, command_id=CommandId(command),
        message_digest=hashlib.sha256(command.encode()).digest(), expected_version=0, previous_hash=NO_HASH,
        events=events, proof=_PROOF, now=AT, rules_digest=_RULES.digest, received_at=AT,
        summary=summarize_programme(_OPEN),
    )  # fmt: skip


def _made(number: int) -> _Made:
    case_id = case_id_from_entropy("VEN", hashlib.sha256(number.to_bytes(8)).digest())
    events = events_of(case_id)
    case = fold(_DEFINED.family, Case(case_id), events)
    summary = summarize(case, _OPEN, _RULES, AT)
    append = replace(_append(case_id, events, f"bench:{case_id}"), summary=summary)
    return _Made(wrap(append, CaseKey(case_id, bytes(32)), machine_clock()), case)


async def make_log(database_url: str, cases: int) -> int:
    """Fill an empty, migrated database with whole cases that wait for their seal; how many events that made."""
    connection = await asyncpg.connect(database_url)
    try:
        opened = wrap(_append(PROGRAMME, (_OPENED,), "bench:open"), None, machine_clock())
        await _copy(connection, opened)
        await connection.execute(
            "INSERT INTO passage.programme_head VALUES ($1, 1, $2, 'open', $3)",
            PROGRAMME, opened[0].hash, _RULES.version,
        )  # fmt: skip
        await connection.execute("INSERT INTO passage.pool VALUES ($1, 1000000000, 'total', false)", PROGRAMME)
        await connection.execute("INSERT INTO passage.programme_pool VALUES ($1, $2, $1)", PROGRAMME, AIR)
        events = 1
        for first in range(0, cases, _CASES_AT_ONCE):
            made = [_made(number) for number in range(first, min(first + _CASES_AT_ONCE, cases))]
            events += sum(len(each.rows) for each in made)
            await _copy(connection, [row for each in made for row in each.rows])
            await _copy_heads(connection, made, first)
            await _copy_beside(connection, made, first)
        await connection.executemany(
            "INSERT INTO passage.place_counter VALUES ($1, $2, $3, $4)",
            [(PROGRAMME, AIR, period, cases) for period in ("total", MONTH)],
        )
        await connection.execute("ANALYZE passage.events")
    finally:
        await connection.close()
    return events


async def _copy(connection: asyncpg.Connection, rows: Any) -> None:
    records = [tuple(getattr(row, name) for name in _COLUMNS) for row in rows]
    await connection.copy_records_to_table("events", schema_name="passage", columns=_COLUMNS, records=records)
    queue = list(_queue(rows))
    await connection.copy_records_to_table(
        "unsealed", schema_name="passage", columns=["stream", "first_version", "last_version"], records=queue
    )


def _queue(rows: Any) -> Iterator[tuple[str, int, int]]:
    """Two events an append, as most are."""
    for row in rows:
        if row.version % 2:
            yield row.stream, row.version, min(row.version + 1, EVENTS_A_CASE if row.stream != PROGRAMME else 1)


async def _copy_heads(connection: asyncpg.Connection, made: list[_Made], first: int) -> None:
    columns = ["case_id", "programme", "version", "hash", "filed_number", *_PLACE, *_HEAD]
    records = []
    for number, each in enumerate(made, start=first):
        summary = summarize(each.case, _OPEN, _RULES, AT)
        last = each.rows[-1]
        of_head = (json.dumps(summary.facts) if name == "facts" else getattr(summary, name) for name in _HEAD)
        records.append((last.stream, PROGRAMME, last.version, last.hash, number, AIR, MONTH, 1, *of_head))
    await connection.copy_records_to_table("case_head", schema_name="passage", columns=columns, records=records)


async def _copy_beside(connection: asyncpg.Connection, made: list[_Made], first: int) -> None:
    """The message that each case came by, and a hash by which its person is found."""
    messages, persons = [], []
    for number, each in enumerate(made, start=first):
        case_id, digest = each.case.case_id, each.rows[0].message_digest
        messages.append((case_id, number, case_id, PROGRAMME, "bench", case_id, "application.submitted", b"", case_id,
                         digest, AT, str(_PROOF), "accepted"))  # fmt: skip
        persons.append((case_id, digest))
    await connection.copy_records_to_table("inbox", schema_name="passage", columns=_INBOX, records=messages)
    await connection.copy_records_to_table("case_person", schema_name="passage", records=persons)
