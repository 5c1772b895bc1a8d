"""Between the port's classes and the parameters and columns of `sql/`."""

import json
from collections.abc import Sequence
from typing import Any, Final

from eventstore.conflicts import (
    CommandContentDiffers,
    Conflict,
    ErasureRefused,
    IllegalAppend,
    MessageFirst,
    PersonConflict,
    ProgrammeConflict,
    VersionConflict,
)
from eventstore.format.envelope import Envelope
from eventstore.keys import CaseKey
from eventstore.places import (
    AllotPlaces,
    FreePlace,
    JoinWaitingList,
    LeaveWaitingList,
    PassOver,
    PlaceChange,
    Pool,
    ResumeTurn,
    TakePlace,
)
from eventstore.port import Append, Appended, Notification
from eventstore.postgres.session import Statement, call
from eventstore.summary import CaseSummary, ProgrammeSummary

_OF_BOTH: Final = (
    "programme", "command_id", "expected", "previous", "recorded_at", "now", "actor", "proof",
    "message_digest", "received_at", "rules_digest", "types",
    "schema_versions", "happened", "public", "encrypted", "headers", "hashes", "number", "answer", "code",
)  # fmt: skip
OF_CASE: Final = (
    "case", *_OF_BOTH, "key_id", "summary", "programme_version", "read_keys", "read_versions", "deadline", "persons",
    "supporter", "opened", "partners", "dropped", "place",
)  # fmt: skip
_OF_PROGRAMME: Final = (
    *_OF_BOTH, "status", "rules_version", "allotments", "pools", "places", "periods", "named", "sets", "month",
    "notifies",
)  # fmt: skip

_OF_ERASURE: Final = (
    "case", "programme", "command_id", "expected", "previous", "recorded_at", "actor", "proof", "message_digest",
    "schema_version", "happened_at", "public", "header", "hash",
)  # fmt: skip

APPEND_PROGRAMME: Final = Statement(f"SELECT * FROM {call('passage.append_programme', _OF_PROGRAMME)}")  # noqa: S608  constants

ERASE_CASE: Final = Statement(f"SELECT * FROM {call('passage.erase_case', _OF_ERASURE)}")  # noqa: S608  constants

_REFUSED: dict[str, type[Conflict]] = {
    each.code: each for each in (VersionConflict, ProgrammeConflict, PersonConflict, MessageFirst)
}
_PLACE: dict[type[PlaceChange], str] = {
    TakePlace: "take",
    JoinWaitingList: "join",
    LeaveWaitingList: "leave",
    PassOver: "pass-over",
    ResumeTurn: "resume",
    FreePlace: "free",
    AllotPlaces: "allot",
}


def case_values(append: Append, rows: Sequence[Envelope], key: CaseKey | None) -> dict[str, Any]:
    """The parameters of `passage.append_case`; null and no array where there is nothing."""
    read, supporter = append.read_at, append.supporter
    return {
        "case": append.stream,
        **_values(append, rows),
        "key_id": key.key_id if key is not None else None,
        "summary": _summary(append.summary) if isinstance(append.summary, CaseSummary) else None,
        "programme_version": read.programme_version,
        "read_keys": list(read.person_versions) or None,
        "read_versions": list(read.person_versions.values()) or None,
        "deadline": append.deadline,
        "persons": list(append.persons) or None,
        "supporter": supporter and [supporter.person, supporter.tax_id, supporter.phone, supporter.address],
        "opened": [call.request_id for call in append.calls] or None,
        "partners": [call.partner for call in append.calls] or None,
        "dropped": list(append.drops_calls) or None,
        "place": _place(append.place),
    }


def programme_values(append: Append, rows: Sequence[Envelope]) -> dict[str, Any]:
    """The parameters of `passage.append_programme`.

    Raises:
        IllegalAppend: it carries what only a case has.
    """
    place, head = append.place, append.summary
    if append.persons or append.supporter or append.calls or append.drops_calls or append.deadline:
        raise IllegalAppend("a programme has no persons, calls or deadlines")
    if place is not None and not (isinstance(place, AllotPlaces) and place.allotment is None):
        raise IllegalAppend("a programme can only allot places, and those of all its pools")
    of_programme = head if isinstance(head, ProgrammeSummary) else None
    return {
        **_values(append, rows),
        "status": of_programme and of_programme.status,
        "rules_version": of_programme and of_programme.rules_version,
        **_pools(of_programme, append.caps),
        "month": place.month if place is not None else None,
        "notifies": append.notifies,
    }


def erasure_values(append: Append, row: Envelope) -> dict[str, Any]:
    """The parameters of `passage.erase_case`."""
    return {
        "case": append.stream,
        "programme": append.programme,
        "expected": append.expected_version,
        "previous": append.previous_hash,
        "public": row.public_body,
        **{
            name: getattr(row, name)
            for name in _OF_ERASURE
            if name not in ("case", "programme", "expected", "previous", "public")
        },
    }


def _values(append: Append, rows: Sequence[Envelope]) -> dict[str, Any]:
    decides = append.decides
    return {
        "programme": append.programme,
        "command_id": append.command_id,
        "expected": append.expected_version,
        "previous": append.previous_hash,
        "recorded_at": rows[0].recorded_at if rows else None,
        "now": append.now,
        "actor": append.proof.actor,
        "proof": str(append.proof),
        "message_digest": append.message_digest,
        "received_at": append.received_at,
        "rules_digest": append.rules_digest,
        "types": [row.type for row in rows],
        "schema_versions": [row.schema_version for row in rows],
        "happened": [row.happened_at for row in rows],
        "public": [row.public_body for row in rows],
        "encrypted": [row.encrypted_body for row in rows],
        "headers": [row.header for row in rows],
        "hashes": [row.hash for row in rows],
        "number": decides and decides.number,
        "answer": decides and decides.answer,
        "code": decides and decides.code,
    }


def _pools(summary: ProgrammeSummary | None, caps: Sequence[str]) -> dict[str, Any]:
    drawn: list[tuple[str, Pool]] = list(summary.pools.items()) if summary is not None else []
    if summary is None:
        return dict.fromkeys(("allotments", "pools", "places", "periods", "named", "sets"))
    return {
        "allotments": [allotment for allotment, _ in drawn],
        "pools": [pool.pool for _, pool in drawn],
        "places": [pool.places for _, pool in drawn],
        "periods": [pool.period for _, pool in drawn],
        "named": [pool.named for _, pool in drawn],
        "sets": [pool.pool in caps for _, pool in drawn],
    }


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
        json.dumps(dict(summary.facts)),
        summary.flags,
        summary.filed_at,
        summary.closed,
        summary.held,
        summary.overdue_since,
    )


def _place(place: PlaceChange | None) -> tuple[Any, ...] | None:
    if place is None:
        return None
    quantity = place.quantity if isinstance(place, TakePlace | JoinWaitingList | FreePlace) else None
    turn = (place.turn_at, place.whole) if isinstance(place, JoinWaitingList) else (None, None)
    return (_PLACE[type(place)], place.allotment, quantity, place.month, *turn)


def appended_of(append: Append, result: Any) -> Appended:
    """The result of an append. Raises the conflict that it names, and CommandContentDiffers."""
    status: str = result["status"]
    if status in _REFUSED:
        raise _REFUSED[status]
    digest: bytes | None = result["digest"]  # of the command's first result, if that had an event
    if digest is not None and digest != append.message_digest:
        raise CommandContentDiffers(append.command_id)
    return Appended(
        version=result["version"],
        hash=result["hash"],
        first_result=status == "appended",
        notifications=notifications_of(result),
    )


def erased_of(result: Any) -> Appended:
    """The result of an erasure. Raises ErasureRefused."""
    status: str = result["status"]
    if status not in ("appended", "erased"):
        raise ErasureRefused(status)
    return Appended(result["version"], result["hash"], first_result=status == "appended")


def notifications_of(result: Any) -> tuple[Notification, ...]:
    """The notifications that a function wrote."""
    notified = (result[column] or () for column in ("notified_cases", "notified_numbers", "notified_messages"))
    return tuple(Notification(*each) for each in zip(*notified, strict=True))
