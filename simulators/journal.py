"""What the simulated partners must remember, in one SQLite file: a restart loses nothing, as with real partners.

It holds no request: of the people in them only a digest of the passport number, to recognise a script's case.
"""

import hashlib
import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from domain.kernel.ids import Code
from simulators.scripts import PartnerScript, PartnerScripts

IN_MEMORY: Final = Path(":memory:")

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS script (scope TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS calls (
    case_id TEXT, partner TEXT, count INTEGER NOT NULL, PRIMARY KEY (case_id, partner)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS receipt (
    partner TEXT, request_id TEXT, case_id TEXT NOT NULL, accepted_at TEXT NOT NULL, PRIMARY KEY (partner, request_id)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS promise (
    partner TEXT, request_id TEXT, due_at REAL NOT NULL, message_id TEXT NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (partner, request_id)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS answer (
    id INTEGER PRIMARY KEY, due_at REAL NOT NULL, retry_at REAL, attempts INTEGER NOT NULL DEFAULT 0,
    path TEXT NOT NULL, message_id TEXT NOT NULL, body TEXT NOT NULL, outcome TEXT
);
CREATE INDEX IF NOT EXISTS answer_open ON answer (due_at) WHERE outcome IS NULL;
"""


def open_database(path: Path) -> sqlite3.Connection:
    """The partners' database at `path`, made if it is not there; `IN_MEMORY` lasts as long as the connection."""
    if path != IN_MEMORY:
        path.parent.mkdir(parents=True, exist_ok=True)
    database = sqlite3.connect(path, isolation_level=None)
    # A killed process loses nothing that is written to the WAL; only a lost machine could, and it simulates no partner.
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("PRAGMA synchronous=NORMAL")
    database.executescript(_SCHEMA)
    return database


@dataclass(frozen=True, slots=True)
class Receipt:
    """A request that was taken: for which case, and when."""

    case_id: str
    accepted_at: datetime


@dataclass(frozen=True, slots=True)
class Promise:
    """The answer to a request: when it is ready, and the message, whether or not it ever arrives."""

    due_at: datetime
    message_id: str
    body: str


class Journal:
    """Scripts, calls, receipts and answers. Statements take microseconds, so they run on the event loop."""

    def __init__(self, database: sqlite3.Connection, default: PartnerScripts) -> None:
        self._database = database
        self._default = default

    def set_default(self, scripts: PartnerScripts) -> None:
        """Partners behave so towards every case that nothing else is said about."""
        self._set("default", scripts)

    def set_for_case(self, case_id: str, scripts: PartnerScripts) -> None:
        """Partners behave so towards this case; what is left out stays as it was by script and default."""
        self._set(f"case:{case_id}", scripts)

    def set_for_passport(self, passport_number: str, scripts: PartnerScripts) -> None:
        """Partners behave so towards the case whose beneficiary has this passport when it first calls."""
        self._set(f"script:{_digest(passport_number)}", scripts)

    def script(self, partner: Code, case_id: str, passport_number: str) -> PartnerScript | None:
        """How `partner` is to behave towards the case: its own, its script's, or the default's word."""
        self._database.execute(  # The case keeps its script when its passport changes.
            "INSERT OR IGNORE INTO script SELECT ?, body FROM script WHERE scope = ?",
            (f"bound:{case_id}", f"script:{_digest(passport_number)}"),
        )
        for scope in (f"case:{case_id}", f"bound:{case_id}", "default"):
            told = self._get(scope)
            script = told.of(partner) if told else None
            if script is not None:
                return script
        return self._default.of(partner)

    def count_call(self, partner: Code, case_id: str) -> int:
        """Count one more call of the case to `partner`; returns the number of this call, from 1."""
        statement = "INSERT INTO calls VALUES (?, ?, 1) ON CONFLICT DO UPDATE SET count = count + 1 RETURNING count"
        row = self._database.execute(statement, (case_id, partner)).fetchone()
        return int(row[0])

    def receipt(self, partner: Code, request_id: str) -> Receipt | None:
        """The receipt that `partner` gave for this request, if it took it."""
        row = self._database.execute(
            "SELECT case_id, accepted_at FROM receipt WHERE partner = ? AND request_id = ?", (partner, request_id)
        ).fetchone()
        return Receipt(row[0], datetime.fromisoformat(row[1])) if row else None

    def note_receipt(self, partner: Code, request_id: str, receipt: Receipt) -> None:
        """Remember that `partner` took this request."""
        self._database.execute(
            "INSERT INTO receipt VALUES (?, ?, ?, ?)",
            (partner, request_id, receipt.case_id, receipt.accepted_at.isoformat()),
        )

    def promise(self, partner: Code, request_id: str) -> Promise | None:
        """What `partner` answers, or will answer, to a request that it took."""
        row = self._database.execute(
            "SELECT due_at, message_id, body FROM promise WHERE partner = ? AND request_id = ?", (partner, request_id)
        ).fetchone()
        return Promise(datetime.fromtimestamp(row[0], UTC), row[1], row[2]) if row else None

    def note_promise(self, partner: Code, request_id: str, promise: Promise) -> None:
        """Remember it; the same request again is answered the same."""
        self._database.execute(
            "INSERT OR REPLACE INTO promise VALUES (?, ?, ?, ?, ?)",
            (partner, request_id, promise.due_at.timestamp(), promise.message_id, promise.body),
        )

    def another_case(self, case_id: str) -> str | None:
        """A case other than this one that some partner has heard of."""
        row = self._database.execute("SELECT case_id FROM calls WHERE case_id <> ? LIMIT 1", (case_id,)).fetchone()
        return str(row[0]) if row else None

    def _set(self, scope: str, scripts: PartnerScripts) -> None:
        body = scripts.model_dump_json(exclude_none=True)
        self._database.execute("INSERT OR REPLACE INTO script VALUES (?, ?)", (scope, body))

    def _get(self, scope: str) -> PartnerScripts | None:
        row = self._database.execute("SELECT body FROM script WHERE scope = ?", (scope,)).fetchone()
        return PartnerScripts.model_validate_json(row[0]) if row else None


def _digest(passport_number: str) -> str:
    return hashlib.sha256(passport_number.encode()).hexdigest()
