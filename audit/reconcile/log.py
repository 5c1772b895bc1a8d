"""What `audit reconcile` reads of the log: a case before its histories are read, those kept, the case after."""

import json
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final, NamedTuple

import asyncpg

from audit.reconcile.case import Finding, Found, InboxAnswer, LoggedCase, LoggedEvent
from audit.reconcile.history import HistoryUnreadable, Run, read_run
from audit.reconcile.signals import expected_in_inbox
from audit.verify.beside.histories import NotAsTold, history_of, kept_of
from eventstore.postgres.connections import READING_S, open_pool
from eventstore.postgres.session import translated

_ROLE: Final = "passage_auditor"
_CASES_AT_ONCE: Final = 500

_BEFORE: Final = """
SELECT coalesce(max(version), 0) AS version,
       coalesce(max(version) FILTER (WHERE type = 'CaseClosed'), 0)
           > coalesce(max(version) FILTER (WHERE type = 'CaseReopened'), 0) AS closed
FROM passage.events WHERE stream = $1
"""
_EVENTS: Final = """
SELECT version, type, command_id, recorded_at, public_body FROM passage.events WHERE stream = $1 ORDER BY version
"""
_ROWS: Final = "SELECT number, source, message_id, answer, code FROM passage.inbox WHERE stream = $1"
_ELSEWHERE: Final = """
SELECT i.source, i.message_id FROM passage.inbox AS i
JOIN unnest($1::text[], $2::text[]) AS asked(source, message_id)
    ON i.source = asked.source AND i.message_id = asked.message_id
"""
_CASES: Final = "SELECT case_id FROM passage.case_head WHERE case_id > $1 ORDER BY case_id LIMIT $2"


class Before(NamedTuple):
    """A case as it stood before its histories were read; version 0 where nobody filed it."""

    version: int
    closed: bool


class ReconcileLog:
    """The log, as an auditor may read it. Each read is of its own moment: `reconcile.py` says why."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]") -> None:
        self._pool = pool

    async def cases(self) -> AsyncIterator[str]:
        """The id of every case that was filed."""
        last = ""
        while page := [row["case_id"] for row in await self._pool.fetch(_CASES, last, _CASES_AT_ONCE)]:
            for case_id in page:
                yield case_id
            last = page[-1]

    async def before(self, case_id: str) -> Before:
        """To be read before the case's histories."""
        row = await self._pool.fetchrow(_BEFORE, case_id)
        return Before(0, closed=False) if row is None else Before(row["version"], row["closed"])

    async def kept(self, case_id: str, but: Iterable[str] = ()) -> tuple[list[Run], list[Finding]]:
        """The runs whose histories are kept, but for those that are known better, and what is wrong with them."""
        runs: list[Run] = []
        findings: list[Finding] = []
        better = frozenset(but)
        for row in await kept_of(self._pool, case_id):
            try:
                history = history_of(row)
                if row["run_id"] not in better:
                    runs.append(read_run(row["run_id"], history, "kept"))
            except NotAsTold as error:
                detail = f"the kept history of run {row['run_id']} is not used: {error}"
                findings.append(Finding(Found.KEPT_HISTORY_EDITED, case_id, detail))
            except HistoryUnreadable as error:
                findings.append(Finding(Found.HISTORY_UNREADABLE, case_id, str(error)))
        return runs, findings

    async def after(self, case_id: str, before: Before, runs: Sequence[Run]) -> LoggedCase:
        """The case once its histories are read."""
        async with self._pool.acquire() as connection, connection.transaction(isolation="repeatable_read"):
            events = await connection.fetch(_EVENTS, case_id)
            rows = await connection.fetch(_ROWS, case_id)
            own = {number: InboxAnswer(*row) for number, *row in map(tuple, rows)}
            elsewhere = await connection.fetch(_ELSEWHERE, *_foreign(case_id, runs, own.values()))
        return LoggedCase(
            case_id=case_id,
            version_before=before.version,
            closed_before=before.closed,
            events=tuple(_event(row) for row in events),
            rows=own,
            elsewhere=frozenset((row["source"], row["message_id"]) for row in elsewhere),
        )


@asynccontextmanager
async def opened_reconcile_log(database_url: str, connections: int) -> AsyncIterator[ReconcileLog]:
    """The log for `connections` cases at once. `database_url` is a login that may act as `passage_auditor`.

    Raises:
        StoreUnavailable: the database cannot be reached.
    """
    pool = await open_pool(database_url, "passage-audit", _ROLE, longest_s=READING_S, connections=connections)
    with translated():
        async with pool:
            yield ReconcileLog(pool)


def _foreign(case_id: str, runs: Iterable[Run], own: Iterable[InboxAnswer]) -> tuple[list[str], list[str]]:
    """Sources and ids of direct signals that are not in the case's own inbox: the id may be another case's."""
    signals = (signal for run in runs for signal in (*run.signals, *(each for a in run.asked for each in a.direct)))
    wanted = {command for signal in signals for command in expected_in_inbox(case_id, signal)}
    wanted -= {row.command_id for row in own}
    split = [command.split(":", 1) for command in sorted(wanted)]
    return [source for source, _ in split], [message_id for _, message_id in split]


def _event(row: Any) -> LoggedEvent:
    outcome = _outcome(row["public_body"]) if row["type"] == "CaseClosed" else None
    return LoggedEvent(row["version"], row["type"], row["command_id"], row["recorded_at"], outcome)


def _outcome(body: bytes) -> str | None:
    try:
        outcome = json.loads(body)["outcome"]
    except (ValueError, KeyError, TypeError):
        return None  # `audit verify` accuses the body
    return outcome if isinstance(outcome, str) else None
