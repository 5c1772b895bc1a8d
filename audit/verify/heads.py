"""Compares heads, waiting list, counters and the cap with what the events say."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Final

from pydantic import ValidationError

from audit.log.tables import Connection
from audit.programmes import ProgrammeHistory, read_programme
from audit.verify.faults import Code, Faults
from audit.verify.refold import Folded, LegalHold, Places, Refold, summary_faults
from domain.kernel.programme import Programme
from domain.kernel.rule_set import Cap
from eventstore.format.codec import UnknownEvent
from eventstore.format.summarize import summarize_programme
from eventstore.places import Pool
from eventstore.postgres.heads import PROGRAMME, case_summary, programme_summary
from eventstore.summary import ProgrammeSummary

_ROWS: Final = 1000

_ORPHANS: Final = """
SELECT case_id FROM passage.case_head AS h
WHERE NOT EXISTS (SELECT FROM passage.events AS e WHERE e.stream = h.case_id)
  AND NOT EXISTS (SELECT FROM passage.leaf AS l WHERE l.stream = h.case_id) ORDER BY case_id
"""
"""Heads of cases that left nothing else: with a leaf they are told already."""

_OWED: Final = """
SELECT case_id, request_id, partner FROM passage.outbound_call WHERE case_id = ANY ($1) AND dropped_at IS NULL
"""
_NOTHING: Final[frozenset[tuple[str, str]]] = frozenset()

_WAITING_ORPHANS: Final = """
SELECT case_id FROM passage.waiting_list AS w
WHERE NOT EXISTS (SELECT FROM passage.case_head AS h WHERE h.case_id = w.case_id) ORDER BY case_id
"""


class HeadCheck:
    """Compares cases in batches, and counts their places."""

    def __init__(self, connection: Connection, faults: Faults, histories: dict[str, ProgrammeHistory]) -> None:
        self._connection = connection
        self._faults = faults
        self._histories = histories
        self.places = Places()
        self._unknown: set[str] = set()

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
        await self._compare_calls(cases, ids)

    async def _compare_calls(self, cases: Sequence[Folded], ids: list[str]) -> None:
        """Each open request is owed to its partner, and nothing else is."""
        owed: dict[str, set[tuple[str, str]]] = defaultdict(set)
        for case_id, request_id, partner in await self._connection.fetch(_OWED, ids):
            owed[case_id].add((request_id, partner))
        for folded in cases:
            asked = {(request.request_id, request.partner) for request in folded.case.requests}
            if asked != owed.get(folded.case.case_id, _NOTHING):
                detail = "its open requests are not the calls that are owed"
                self._faults.add(Code.CALL_DIFFERS, folded.case.case_id, folded.end.version, detail)

    async def _by_case(self, query: str, ids: list[str]) -> dict[str, Any]:
        return {row["case_id"]: row for row in await self._connection.fetch(query, ids)}

    def _compare(self, folded: Folded, head: Any) -> None:
        case_id, end = folded.case.case_id, folded.end
        if (head["version"], head["hash"]) != (end.version, end.hash):
            self._faults.add(Code.HEAD_DIFFERS, case_id, head["version"], f"its last event is {end.version}")
        held = folded.held
        kept = {
            "place_allotment": held and held.allotment,
            "place_period": held and held.period,
            "place_quantity": held.quantity if held else 0,
            "erased": folded.case.erased,
        }
        for name, value in kept.items():
            if head[name] != value:
                self._faults.add(Code.SUMMARY_EDITED, case_id, end.version, name)
        history = self._histories.get(folded.case.programme)
        if history is None:
            if folded.case.programme not in self._unknown:
                self._unknown.add(folded.case.programme)
                self._faults.add(Code.HEAD_MISSING, folded.case.programme, None, f"{case_id} is filed under it")
            return
        differing = summary_faults(folded, case_summary(head), history)
        if differing:
            self._faults.add(Code.SUMMARY_EDITED, case_id, end.version, ", ".join(differing))

    def _compare_wait(self, folded: Folded, row: Any) -> None:
        if folded.turn_at != (None if row is None else row["turn_at"]):
            detail = "its events say that it " + ("waits" if folded.turn_at else "does not wait")
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
        check_caps(self._histories, self.places.granted, self._faults)

    async def _compare_access(self, refold: Refold) -> None:
        heads = {
            f"access:{row['programme']}": (row["version"], row["hash"])
            for row in await self._connection.fetch("SELECT * FROM passage.access_head WHERE version > 0")
        }
        for stream in sorted(heads.keys() | refold.access_ends.keys()):
            end = refold.access_ends.get(stream)
            if heads.get(stream) != (None if end is None else (end.version, end.hash)):
                self._faults.add(Code.HEAD_DIFFERS, stream, None, f"its last event is {end.version if end else 0}")
        rows = await self._connection.fetch("SELECT case_id, programme, placed_at FROM passage.legal_hold")
        held = {case_id: LegalHold(programme, placed_at) for case_id, programme, placed_at in rows}
        for case_id in sorted(held.keys() | refold.legal_holds.keys()):
            if held.get(case_id) != refold.legal_holds.get(case_id):
                detail = "the access log holds it since then" if case_id in refold.legal_holds else "no event holds it"
                self._faults.add(Code.LEGAL_HOLD_DIFFERS, case_id, None, detail)

    async def _compare_counters(self) -> None:
        expected = self.places.held.copy()
        for row in await self._connection.fetch(
            "SELECT programme, allotment, reserved_period, reserved FROM passage.waiting_list WHERE reserved > 0"
        ):
            expected[row["programme"], row["allotment"], row["reserved_period"]] += row["reserved"]
        for (programme, allotment, _), places in list(expected.items()):
            expected[programme, allotment, "total"] += places
        stored = await self._connection.fetch("SELECT programme, allotment, period, taken FROM passage.place_counter")
        counted = Counter({(row["programme"], row["allotment"], row["period"]): row["taken"] for row in stored})
        for programme, allotment, period in sorted(counted.keys() | expected.keys()):
            found, held = counted[programme, allotment, period], expected[programme, allotment, period]
            if found != held:
                detail = f"{allotment}, {period}: the counter says {found}, cases hold or have reserved {held}"
                self._faults.add(Code.PLACES_MISCOUNTED, programme, None, detail)


Grants = Mapping[tuple[int, str], int]
"""Places still held, by the version of the programme under which they were granted, and the month."""


def check_caps(
    histories: Mapping[str, ProgrammeHistory], granted: Mapping[tuple[str, str], Grants], faults: Faults
) -> None:
    """No pool holds more places than its cap allowed. Those freed since can no longer prove an excess."""
    drawing: dict[str, set[tuple[str, str]]] = {}
    for programme, history in histories.items():
        for cap in (cap for state in history.states[1:] for cap in state.rules.caps):
            drawing.setdefault(cap.pool, set()).add((programme, cap.allotment))
    shared = {pool for pool, who in drawing.items() if len(who) > 1}
    for (programme, allotment), grants in granted.items():
        if programme in histories:
            _check_cap(programme, allotment, histories[programme], grants, shared, faults)
    for pool in sorted(shared):
        _check_shared(pool, histories, {who: granted.get(who, {}) for who in drawing[pool]}, faults)


def _check_cap(
    programme: str, allotment: str, history: ProgrammeHistory, granted: Grants, shared: set[str], faults: Faults
) -> None:
    """At the last grant under each version of the programme, it held no more places of a pool of its own than the cap.

    The programme's lock puts every grant under one version before every grant under a later one, so that this needs no
    order among the grants.
    """
    for version in sorted({version for version, _ in granted}):
        if not 0 < version < len(history.states):
            faults.add(Code.CAP_EXCEEDED, programme, version, "places were granted under a version it never had")
            continue
        state = history.states[version]
        cap = _cap_for(state, allotment)
        if cap is not None and cap.pool in shared:
            continue
        allowed = 0 if cap is None else state.places_of(cap)
        months = {month for under, month in granted if under == version}
        for month in months if cap is not None and cap.period == "month" else {None}:
            held = sum(n for (under, m), n in granted.items() if under <= version and month in (None, m))
            if held > allowed:
                detail = f"{held} places were held under a cap of {allowed}" + (f" in {month}" if month else "")
                faults.add(Code.CAP_EXCEEDED, programme, version, detail)


def _check_shared(
    pool: str, histories: Mapping[str, ProgrammeHistory], granted: Mapping[tuple[str, str], Grants], faults: Faults
) -> None:
    """What was granted of a pool that several draw on is no more than the highest cap that it ever had.

    The last of them to speak sets its cap, and nothing in their streams orders what different ones said.
    """
    held: Counter[str] = Counter()
    caps: list[Cap] = []
    places: list[int] = []
    for (programme, allotment), grants in granted.items():
        states = histories[programme].states
        for state in states[1:]:
            cap = _cap_for(state, allotment)
            if cap is not None and cap.pool == pool:
                caps.append(cap)
                places.append(state.places_of(cap))
        for (version, month), count in grants.items():
            cap = _cap_for(states[version], allotment) if 0 < version < len(states) else None
            if cap is not None and cap.pool == pool:
                held[month] += count
    monthly = any(cap.period == "month" for cap in caps)
    for when, count in sorted(held.items()) if monthly else [("all", held.total())]:
        if count > max(places):
            detail = f"{count} places were held under a cap of at most {max(places)}, in {when}"
            faults.add(Code.CAP_EXCEEDED, pool, None, detail)


def _cap_for(state: Programme, allotment: str) -> Cap | None:
    return next((cap for cap in state.rules.caps if cap.allotment == allotment), None)


async def read_programmes(connection: Connection, faults: Faults) -> dict[str, ProgrammeHistory]:
    """Fold every programme, and compare it with its head."""
    found: dict[str, ProgrammeHistory] = {}
    heads = {head["programme"]: head for head in await connection.fetch(f"{PROGRAMME} ORDER BY h.programme")}
    for programme in heads:
        try:
            found[programme] = await read_programme(connection, programme)
        except (UnknownEvent, ValidationError, ValueError, TypeError, LookupError):
            faults.add(Code.EVENT_UNREADABLE, programme, None, "the programme cannot be folded")
    caps = _caps(found)
    for programme, history in found.items():
        await _compare_programme(connection, heads[programme], history, caps, faults)
    return found


def _caps(histories: Mapping[str, ProgrammeHistory]) -> frozenset[tuple[str, int, str]]:
    """What a cap may be: of a pool that programmes share, as any of them says, for the one that spoke last set it."""
    newest = [history.newest for history in histories.values() if history.newest.version]
    return frozenset((cap.pool, state.places_of(cap), cap.period) for state in newest for cap in state.rules.caps)


async def _compare_programme(
    connection: Connection, head: Any, history: ProgrammeHistory, caps: frozenset[tuple[str, int, str]], faults: Faults
) -> None:
    programme, version = head["programme"], history.newest.version
    last = await connection.fetchval(
        "SELECT hash FROM passage.events WHERE stream = $1 AND version = $2", programme, version
    )
    if (head["version"], head["hash"]) != (version, last or bytes(32)):
        faults.add(Code.HEAD_DIFFERS, programme, head["version"], f"its last event is {version}")
    stored, expected = programme_summary(head), summarize_programme(history.newest)
    differing = [name for name in ("status", "rules_version") if getattr(stored, name) != getattr(expected, name)]
    if _drawn(stored) != _drawn(expected) or not {_cap(pool) for pool in stored.pools.values()} <= caps:
        differing.append("pools")
    if differing:
        faults.add(Code.PROGRAMME_SUMMARY_EDITED, programme, version, ", ".join(differing))


def _drawn(summary: ProgrammeSummary) -> dict[str, str]:
    return {allotment: pool.pool for allotment, pool in summary.pools.items()}


def _cap(pool: Pool) -> tuple[str, int, str]:
    return pool.pool, pool.places, pool.period
