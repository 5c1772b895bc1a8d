"""Compares heads, waiting list, counters and the cap with what the events say."""

from collections.abc import Sequence
from typing import Any, Final

from pydantic import ValidationError

from audit.log.tables import Connection
from audit.verify.faults import Code, Faults
from audit.verify.refold import Folded, Places, ProgrammeHistory, Refold, summary_faults
from domain.programme import Programme, ProgrammeEvent, evolve_programme
from domain.rules.rule_set import RuleBook
from eventstore.format.codec import CODEC, UnknownEvent
from eventstore.postgres.append import case_summary, programme_summary
from eventstore.summary import ProgrammeSummary

_ROWS: Final = 1000

_ORPHANS: Final = """
SELECT case_id FROM passage.case_head AS h
WHERE NOT EXISTS (SELECT FROM passage.events AS e WHERE e.stream = h.case_id)
  AND NOT EXISTS (SELECT FROM passage.leaf AS l WHERE l.stream = h.case_id) ORDER BY case_id
"""
"""Heads of cases that left nothing else: with a leaf they are told already."""

_WAITING_ORPHANS: Final = """
SELECT case_id FROM passage.waiting_list AS w
WHERE NOT EXISTS (SELECT FROM passage.case_head AS h WHERE h.case_id = w.case_id) ORDER BY case_id
"""


class HeadCheck:
    """Compares cases in batches, and counts their places."""

    def __init__(
        self, connection: Connection, faults: Faults, histories: dict[str, ProgrammeHistory], book: RuleBook
    ) -> None:
        self._connection = connection
        self._faults = faults
        self._histories = histories
        self._book = book
        self.places = Places()
        self._unknown: set[str] = set()
        self.without_rules = 0
        """Cases whose rule set is not at hand, so that their limits could not be worked out."""

    async def compare(self, cases: Sequence[Folded]) -> None:
        """Compare these cases with their heads and their places on the waiting list."""
        ids = [each.case.case_id for each in cases]
        heads = await self._by_case("SELECT * FROM passage.case_head WHERE case_id = ANY ($1)", ids)
        waits = await self._by_case("SELECT * FROM passage.waiting_list WHERE case_id = ANY ($1)", ids)
        for folded in cases:
            self.places.count(folded)
            head = heads.get(folded.case.case_id)
            if head is None:
                self._faults.add(Code.HEAD_MISSING, folded.case.case_id, None, "it is in the log and in no list")
            else:
                self._compare(folded, head)
            self._compare_wait(folded, waits.get(folded.case.case_id))

    async def _by_case(self, query: str, ids: list[str]) -> dict[str, Any]:
        return {row["case_id"]: row for row in await self._connection.fetch(query, ids)}

    def _compare(self, folded: Folded, head: Any) -> None:
        case_id, end = folded.case.case_id, folded.end
        if (head["version"], head["hash"]) != (end.version, end.hash):
            self._faults.add(Code.HEAD_DIFFERS, case_id, head["version"], f"its last event is {end.version}")
        for name, value in (("place_month", folded.place_month), ("erased", folded.case.erased)):
            if head[name] != value:
                self._faults.add(Code.SUMMARY_EDITED, case_id, end.version, name)
        history = self._histories.get(folded.case.programme)
        if history is None:
            if folded.case.programme not in self._unknown:
                self._unknown.add(folded.case.programme)
                self._faults.add(Code.HEAD_MISSING, folded.case.programme, None, f"{case_id} is filed under it")
            return
        differing = summary_faults(folded, case_summary(head), history, self._book)
        if differing is None:
            self.without_rules += 1
        elif differing:
            self._faults.add(Code.SUMMARY_EDITED, case_id, end.version, ", ".join(differing))

    def _compare_wait(self, folded: Folded, row: Any) -> None:
        ready_at = None if row is None else row["ready_at"]
        if ready_at != folded.case.waitlisted_at:
            detail = "its events say that it " + ("waits" if folded.case.waitlisted_at else "does not wait")
            self._faults.add(Code.WAITING_LIST_DIFFERS, folded.case.case_id, folded.end.version, detail)

    async def finish(self, refold: Refold, *, counters: bool) -> None:
        """Compare what belongs to no single case; `counters` only where every event is what it was.

        A case that lost its authorization would be told a second time as a miscount.
        """
        for query, code in ((_ORPHANS, Code.CASE_REMOVED), (_WAITING_ORPHANS, Code.WAITING_LIST_DIFFERS)):
            async for row in self._connection.cursor(query, prefetch=_ROWS):
                self._faults.add(code, row["case_id"], None, "no event is left of it")
        await self._compare_access(refold)
        if counters:
            await self._compare_counters()
        for programme, history in self._histories.items():
            check_cap(programme, history.states, self.places, self._faults)

    async def _compare_access(self, refold: Refold) -> None:
        heads = {
            f"access:{row['programme']}": (row["version"], row["hash"])
            for row in await self._connection.fetch("SELECT * FROM passage.access_head WHERE version > 0")
        }
        for stream in sorted(heads.keys() | refold.access_ends.keys()):
            end = refold.access_ends.get(stream)
            if heads.get(stream) != (None if end is None else (end.version, end.hash)):
                self._faults.add(Code.HEAD_DIFFERS, stream, None, f"its last event is {end.version if end else 0}")
        held = {row["case_id"] for row in await self._connection.fetch("SELECT case_id FROM passage.legal_hold")}
        for case_id in sorted(held ^ refold.held):
            detail = "the access log holds it" if case_id in refold.held else "no event holds it"
            self._faults.add(Code.LEGAL_HOLD_DIFFERS, case_id, None, detail)

    async def _compare_counters(self) -> None:
        reserved = await self._connection.fetch(
            "SELECT programme, reserved_month, count(*) AS reserved FROM passage.waiting_list "
            "WHERE reserved_month IS NOT NULL GROUP BY 1, 2"
        )
        expected = {programme: months.copy() for programme, months in self.places.by_month.items()}
        for row in reserved:
            months = expected.setdefault(row["programme"], type(self.places.by_month[row["programme"]])())
            months[row["reserved_month"]] += row["reserved"]
        stored = await self._connection.fetch("SELECT programme, period, taken FROM passage.place_counter")
        counted = {(row["programme"], row["period"]): row["taken"] for row in stored}
        wanted = {(programme, month): n for programme, months in expected.items() for month, n in months.items()}
        wanted |= {(programme, "total"): months.total() for programme, months in expected.items() if months}
        for programme, period in sorted(counted.keys() | wanted.keys()):
            found, held = counted.get((programme, period), 0), wanted.get((programme, period), 0)
            if found != held:
                detail = f"{period}: the counter says {found}, cases hold or have reserved {held}"
                self._faults.add(Code.PLACES_MISCOUNTED, programme, None, detail)


def check_cap(programme: str, states: Sequence[Programme], places: Places, faults: Faults) -> None:
    """At the last grant under each version of the programme, no more places were held than its cap.

    The programme's lock puts every grant under one version before every grant under a later one, so that this needs no
    order among the grants. Only places still held are counted: one that was freed since can no longer prove an excess.
    """
    granted = places.granted[programme]
    for version in sorted({version for version, _ in granted}):
        if not 0 < version <= len(states):
            faults.add(Code.CAP_EXCEEDED, programme, version, "places were granted under a version it never had")
            continue
        state, months = states[version - 1], {month for under, month in granted if under == version}
        for month in months if state.cap_period == "month" else {None}:
            held = sum(n for (under, m), n in granted.items() if under <= version and month in (None, m))
            if held > state.places:
                detail = f"{held} places were held under a cap of {state.places}" + (f" in {month}" if month else "")
                faults.add(Code.CAP_EXCEEDED, programme, version, detail)


async def read_programmes(connection: Connection, faults: Faults) -> dict[str, ProgrammeHistory]:
    """Fold every programme, and compare it with its head."""
    found: dict[str, ProgrammeHistory] = {}
    for head in await connection.fetch("SELECT * FROM passage.programme_head ORDER BY programme"):
        rows = await connection.fetch(
            "SELECT version, type, schema_version, happened_at, recorded_at, public_body, hash FROM passage.events "
            "WHERE stream = $1 ORDER BY version",
            head["programme"],
        )
        try:
            states = _folded(rows)
        except (UnknownEvent, ValidationError, ValueError, TypeError):
            faults.add(Code.EVENT_UNREADABLE, head["programme"], None, "the programme cannot be folded")
            continue
        found[head["programme"]] = ProgrammeHistory(states, tuple(row["recorded_at"] for row in rows))
        _compare_programme(head, rows, states[-1] if states else Programme(), faults)
    return found


def _folded(rows: Sequence[Any]) -> tuple[Programme, ...]:
    states, state = [], Programme()
    for row in rows:
        event = CODEC.decode(row["type"], row["schema_version"], row["happened_at"], row["public_body"], None)
        if not isinstance(event, ProgrammeEvent):
            raise TypeError(f"{row['type']} is no event of a programme")
        state = evolve_programme(state, event)
        states.append(state)
    return tuple(states)


def _compare_programme(head: Any, rows: Sequence[Any], state: Programme, faults: Faults) -> None:
    programme = head["programme"]
    last = (rows[-1]["version"], rows[-1]["hash"]) if rows else (0, bytes(32))
    if (head["version"], head["hash"]) != last:
        faults.add(Code.HEAD_DIFFERS, programme, head["version"], f"its last event is {last[0]}")
    stored = programme_summary(head)
    expected = ProgrammeSummary(programme, state.status, state.places, state.cap_period, state.rules_version)
    differing = [name for name in ProgrammeSummary.__slots__ if getattr(stored, name) != getattr(expected, name)]
    if differing:
        faults.add(Code.PROGRAMME_SUMMARY_EDITED, programme, last[0], ", ".join(differing))
