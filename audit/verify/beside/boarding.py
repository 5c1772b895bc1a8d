"""Answers to carriers against the case as it stood at that moment, folded without any key.

An answer is accused where no state of the case and its programme around its moment gives it. `held` and `mismatch` are
not judged: an undecided message holds too, and a passport's number is personal.
"""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple, cast

from pydantic import ValidationError

from audit.log.tables import Connection
from audit.programmes import ProgrammeHistory
from audit.verify.faults import Code, Faults
from domain import registry
from domain.kernel.case import Case
from domain.kernel.decider import evolve
from domain.kernel.events import CaseEvent
from eventstore.format.codec import CODEC, UnknownEvent

_AROUND: Final = timedelta(seconds=60)
"""Clocks differ, and an answer rests on what was committed when it was asked for."""
_JUDGED: Final = frozenset({"ok", "none", "expired", "revoked"})
_ROWS: Final = 500

_CHECKS: Final = """
SELECT stream, version, happened_at, recorded_at, encode(public_body, 'escape') AS said FROM passage.events
WHERE stream LIKE 'access:%' AND type = 'BoardingChecked'
ORDER BY encode(public_body, 'escape')::jsonb ->> 'case', stream, version
"""
_EVENTS: Final = """
SELECT type, schema_version, happened_at, recorded_at, public_body FROM passage.events
WHERE stream = $1 ORDER BY version
"""


class _State(NamedTuple):
    """The case after an event, and when that happened and was recorded."""

    case: Case
    happened_at: datetime
    recorded_at: datetime


async def check_boarding(connection: Connection, faults: Faults, histories: dict[str, ProgrammeHistory]) -> None:
    """Judge every answer; keeps one case at a time."""
    case_id, states = "", ()  # type: tuple[str, Sequence[_State]]
    async for row in connection.cursor(_CHECKS, prefetch=_ROWS):
        said = json.loads(row["said"])
        if said["answer"] not in _JUDGED:
            continue
        if said["case"] != case_id:
            case_id, states = said["case"], await _states(connection, said["case"])
        history = histories.get(row["stream"].removeprefix("access:"))
        if history is not None and not _can_be(said["answer"], row, states, history):
            detail = f"{case_id} was answered {said['answer']}, and its events say otherwise"
            faults.add(Code.BOARDING_DIFFERS, row["stream"], row["version"], detail)


async def _states(connection: Connection, case_id: str) -> Sequence[_State]:
    """The states that the case had, oldest first; up to an event that cannot be folded, which was told."""
    found: list[_State] = []
    try:
        family, case = registry.family_of(case_id), Case(case_id)
        for row in await connection.fetch(_EVENTS, case_id):
            event = CODEC.decode(row["type"], row["schema_version"], row["happened_at"], row["public_body"], None)
            case = evolve(family, case, cast("CaseEvent", event))
            found.append(_State(case, row["happened_at"], row["recorded_at"]))
    except (UnknownEvent, ValidationError, ValueError, TypeError, LookupError):
        return found
    return found


def _can_be(answer: str, row: Any, states: Sequence[_State], history: ProgrammeHistory) -> bool:
    at = row["happened_at"]
    first = min(
        sum(state.happened_at <= at - _AROUND for state in states),
        sum(state.recorded_at <= row["recorded_at"] - 2 * _AROUND for state in states),
    )
    last = max(
        sum(state.happened_at <= at + _AROUND for state in states),
        sum(state.recorded_at <= row["recorded_at"] for state in states),
    )
    seen: list[Case | None] = [None, *(state.case for state in states)]
    return any(_answers(case, at, history, answer) for case in seen[first : last + 1])


def _answers(case: Case | None, at: datetime, history: ProgrammeHistory, answer: str) -> bool:
    if case is None:
        return answer == "none"
    may_travel = registry.family_of(case.case_id).may_travel
    if may_travel is None:
        return answer == "none"
    for moment in (at - _AROUND, at, at + _AROUND):
        programme = history.at(moment, 1)
        if programme.version and case.rules_version in programme.sets:
            rules = programme.rules_for(case.rules_version, case.filed_at)
            if may_travel(case, programme, rules, at) == answer:
                return True
    return False
