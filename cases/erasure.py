"""Erasure and legal holds: what officers, not cases, decide about what is kept.

It stands here because it writes: `audit` reads the event store and never changes it. The order of an erasure is its
safety: first the event and the lookups in one transaction, then the key. A crash between the two is ended by the same
order given again; meanwhile the case is erased on record and takes nothing more.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime

from cases.repository import CaseRepository
from domain.access import AccessEvent, LegalHoldPlaced, LegalHoldReleased
from domain.kernel.events import PersonalDataErased
from domain.kernel.ids import CaseId, CommandId, OfficerRef
from domain.kernel.proof import Proof
from eventstore.access import AccessRecord
from eventstore.conflicts import ErasureRefused
from eventstore.keys import KeyStore
from eventstore.port import Append


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasureOrder:
    """Two officers order that a closed case's personal data be erased."""

    case_id: CaseId
    first: Proof
    second: Proof
    because: str
    """A code, such as `retention-ended`."""


@dataclass(frozen=True, slots=True)
class Erased:
    """`first` is false where the case had been erased before: then what was left to do was done now."""

    version: int
    first: bool


async def erase(cases: CaseRepository, keys: KeyStore, order: ErasureOrder, now: datetime) -> Erased:
    """Erase what is personal in a case, for good. `cases` stands on a store that acts as `passage_eraser`.

    Raises:
        ErasureRefused: not two proved officers, or what the store refuses: an open case, a legal hold, an undecided
            message.
        pydantic.ValidationError: a reason that is not a code.
        Conflict: the case moved; to be tried again.
    """
    first, second = _officer(order.first), _officer(order.second)
    if first == second:
        raise ErasureRefused("one-officer-twice")
    at = await cases.case_at(order.case_id)
    summary = await cases.store.summary(order.case_id)
    if not at.case.filed or summary is None:
        raise ErasureRefused("unknown-case")
    happened_at = max(now, at.case.last_at or now)
    event = PersonalDataErased(at=happened_at, first_officer=first, second_officer=second, because=order.because)
    command_id = CommandId(f"erase:{order.case_id}")
    appended = await cases.store.erase(
        Append(
            stream=order.case_id,
            programme=at.case.programme,
            command_id=command_id,
            message_digest=hashlib.sha256(command_id.encode()).digest(),
            expected_version=at.case.version,
            previous_hash=at.hash,
            events=(event,),
            proof=order.first,
            now=happened_at,
            summary=summary,
        )
    )
    await keys.destroy(order.case_id)
    return Erased(appended.version, appended.first_result)


async def hold(
    cases: CaseRepository, case_id: CaseId, officer: Proof, because: str, command_id: str, now: datetime
) -> None:
    """Keep the case from erasure until the hold is released; placed twice it is one hold.

    Raises:
        ErasureRefused: `unknown-case`, or `erased` where there is nothing left to keep.
    """
    await _record(cases, LegalHoldPlaced(at=now, case=case_id, because=because), officer, command_id)


async def release(
    cases: CaseRepository, case_id: CaseId, officer: Proof, because: str, command_id: str, now: datetime
) -> None:
    """Release the hold.

    Raises:
        ErasureRefused: `unknown-case`, or `not-held`.
    """
    if not await cases.store.access.is_held(case_id):
        raise ErasureRefused("not-held")
    await _record(cases, LegalHoldReleased(at=now, case=case_id, because=because), officer, command_id)


def _officer(proof: Proof) -> OfficerRef:
    if proof.officer is None:
        raise ErasureRefused("officer-not-proven")
    return proof.officer


async def _record(cases: CaseRepository, event: AccessEvent, officer: Proof, command_id: str) -> None:
    _officer(officer)
    case = await cases.case(event.case)
    if not case.filed:
        raise ErasureRefused("unknown-case")
    if case.erased:
        raise ErasureRefused("erased")
    await cases.store.access.record(
        AccessRecord(
            programme=case.programme,
            command_id=CommandId(command_id),
            proof=officer,
            events=(event,),
        )
    )
