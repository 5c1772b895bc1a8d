"""Between the port's classes and the columns and parameters of `sql/`."""

from collections.abc import Sequence
from typing import Any

import asyncpg

from eventstore.conflicts import (
    CommandContentDiffers,
    Conflict,
    IllegalAppend,
    MessageFirst,
    PersonConflict,
    ProgrammeConflict,
    VersionConflict,
)
from eventstore.format.envelope import Envelope, command_digest_of
from eventstore.keys import CaseKey
from eventstore.places import AllotPlaces, FreePlace, JoinWaitingList, LeaveWaitingList, PlaceChange, TakePlace
from eventstore.port import Append, Appended, Notification
from eventstore.summary import CaseSummary, ProgrammeSummary


def _call(function: str, parameters: int) -> str:
    return f"SELECT * FROM {function}({', '.join(f'${number}' for number in range(1, parameters + 1))})"  # noqa: S608  # two constants


APPEND_CASE = _call("passage.append_case", 33)
APPEND_PROGRAMME = _call("passage.append_programme", 24)

_REFUSED: dict[str, type[Conflict]] = {
    each.code: each for each in (VersionConflict, ProgrammeConflict, PersonConflict, MessageFirst)
}
_PLACE = {
    TakePlace: "take",
    JoinWaitingList: "join",
    LeaveWaitingList: "leave",
    FreePlace: "free",
    AllotPlaces: "allot",
}


def append_case_arguments(append: Append, rows: Sequence[Envelope], key: CaseKey | None) -> tuple[Any, ...]:
    """The parameters of `passage.append_case`, in its order; null and no array where there is nothing."""
    read, decides, supporter = append.read_at, append.decides, append.supporter
    return (
        append.stream,
        append.programme,
        append.command_id,
        append.expected_version,
        append.previous_hash,
        rows[0].recorded_at if rows else None,
        append.now,
        append.actor,
        append.rules_digest,
        key.key_id if key is not None else None,
        *_events(rows),
        _summary(append.summary) if isinstance(append.summary, CaseSummary) else None,
        read.programme_version,
        list(read.person_versions) or None,
        list(read.person_versions.values()) or None,
        append.deadline,
        *((decides.number, decides.answer, decides.code) if decides is not None else (None, None, None)),
        list(append.persons) or None,
        supporter and [supporter.person, supporter.tax_id, supporter.phone, supporter.address],
        [call.request_id for call in append.calls] or None,
        [call.partner for call in append.calls] or None,
        list(append.drops_calls) or None,
        *_place(append.place),
    )


def append_programme_arguments(append: Append, rows: Sequence[Envelope]) -> tuple[Any, ...]:
    """The parameters of `passage.append_programme`, in its order.

    Raises:
        IllegalAppend: it carries what only a case has.
    """
    decides, place, head = append.decides, append.place, append.summary
    if append.persons or append.supporter or append.calls or append.drops_calls or append.deadline:
        raise IllegalAppend("a programme has no persons, calls or deadlines")
    if place is not None and not isinstance(place, AllotPlaces):
        raise IllegalAppend("a programme can only allot places")
    of_head = (None, None, None, None)
    if isinstance(head, ProgrammeSummary):
        of_head = (head.status, head.places, head.cap_period, head.rules_version)  # type: ignore[assignment]  # the null case above has the same shape
    return (
        append.stream,
        append.command_id,
        append.expected_version,
        append.previous_hash,
        rows[0].recorded_at if rows else None,
        append.now,
        append.actor,
        append.rules_digest,
        *_events(rows),
        *of_head,
        *((decides.number, decides.answer, decides.code) if decides is not None else (None, None, None)),
        place.month if place is not None else None,
        append.notifies,
    )


def _events(rows: Sequence[Envelope]) -> tuple[list[Any], ...]:
    return (
        [row.type for row in rows],
        [row.schema_version for row in rows],
        [row.happened_at for row in rows],
        [row.public_body for row in rows],
        [row.encrypted_body for row in rows],
        [row.header for row in rows],
        [row.hash for row in rows],
    )


def _summary(summary: CaseSummary) -> tuple[Any, ...]:
    return (
        summary.rules_version,
        summary.stage,
        summary.waiting_on,
        summary.since,
        summary.due_name,
        summary.due_at,
        summary.outcome,
        summary.reason,
        summary.work_permit,
        summary.authorized_last_day,
        summary.paroled_last_day,
        summary.flags,
        summary.filed_at,
        summary.closed,
        summary.held,
    )


def _place(place: PlaceChange | None) -> tuple[Any, ...]:
    if place is None:
        return (None, None, None)
    return (_PLACE[type(place)], place.month, place.ready_at if isinstance(place, JoinWaitingList) else None)


def case_summary(row: asyncpg.Record) -> CaseSummary:
    """A row of `passage.case_head`."""
    return CaseSummary(
        case_id=row["case_id"],
        programme=row["programme"],
        rules_version=row["rules_version"],
        stage=row["stage"],
        waiting_on=row["waiting_on"],
        since=row["since"],
        filed_at=row["filed_at"],
        due_name=row["due_name"],
        due_at=row["due_at"],
        outcome=row["outcome"],
        reason=row["reason"],
        work_permit=row["work_permit"],
        authorized_last_day=row["authorized_last_day"],
        paroled_last_day=row["paroled_last_day"],
        flags=tuple(row["flags"]),
        closed=row["closed"],
        held=row["held"],
    )


def programme_summary(row: asyncpg.Record) -> ProgrammeSummary:
    """A row of `passage.programme_head`."""
    return ProgrammeSummary(
        programme=row["programme"],
        status=row["status"],
        places=row["places"],
        cap_period=row["cap_period"],
        rules_version=row["rules_version"],
    )


def appended_of(append: Append, result: Any) -> Appended:
    """The result of an append. Raises the conflict that it names, and CommandContentDiffers."""
    status: str = result["status"]
    if status in _REFUSED:
        raise _REFUSED[status]
    header: bytes | None = result["header"]  # of the command's first result, if that had an event
    if header is not None and command_digest_of(header) != append.command_digest:
        raise CommandContentDiffers(append.command_id)
    notified = zip(result["bell_cases"] or (), result["bell_numbers"] or (), result["bell_messages"] or (), strict=True)
    return Appended(
        version=result["version"],
        hash=result["hash"],
        first_result=status == "appended",
        notifications=tuple(Notification(*each) for each in notified),
    )
