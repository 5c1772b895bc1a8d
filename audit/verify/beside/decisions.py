"""Decides every case again from what its decisions kept, and tells what does not follow.

It needs the keys of what is personal: names, days of birth and passports decide. A case whose key is not at hand, or is
destroyed, is counted and not judged.
"""

from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidTag
from pydantic import ValidationError

from audit.log.tables import Connection
from audit.programmes import ProgrammeHistory
from audit.replay.read import keys_of, read_stream
from audit.verify.faults import Code, Faults
from audit.whatif.record import recorded
from audit.whatif.verdict import not_as_decided
from domain import registry
from eventstore.format.codec import UnknownEvent
from eventstore.format.wrapping import unwrap
from eventstore.keys import KeyStore, KeyUnknown

_IDS_AT_ONCE: Final = 1000

_CASES: Final = "SELECT case_id, programme FROM passage.case_head WHERE case_id > $1 ORDER BY case_id LIMIT $2"


@dataclass(slots=True)
class Decided:
    """How many cases were decided again, and how many could not be."""

    cases: int = 0
    unjudged: int = 0


async def check_decisions(
    connection: Connection, faults: Faults, histories: dict[str, ProgrammeHistory], keys: KeyStore
) -> Decided:
    """Go through every case that has a head; keeps one case at a time."""
    found, after = Decided(), ""
    while rows := await connection.fetch(_CASES, after, _IDS_AT_ONCE):
        after = rows[-1]["case_id"]
        for case_id, programme in rows:
            history = histories.get(programme)
            if history is not None and await _judge(connection, faults, history, keys, case_id):
                found.cases += 1
            else:
                found.unjudged += 1
    return found


async def _judge(
    connection: Connection, faults: Faults, history: ProgrammeHistory, keys: KeyStore, case_id: str
) -> bool:
    rows = await read_stream(connection, case_id)
    try:
        events = unwrap(rows, await keys_of(rows, keys)).events
    except KeyUnknown:
        return False
    except InvalidTag:
        faults.add(Code.KEY_DIFFERS, case_id, None, "what is encrypted does not open with the key that is kept for it")
        return False
    except (UnknownEvent, ValidationError, ValueError, TypeError, LookupError):
        return False  # told as unreadable, or edited, where its bytes are checked
    if any(stored.erased for stored in events):
        return False
    try:
        for version in not_as_decided(registry.family_of(case_id), case_id, recorded(rows, events), history):
            detail = "it does not follow from the case, the message and what the decision says that it knew"
            faults.add(Code.DECISION_DIFFERS, case_id, version, detail)
    except (TypeError, LookupError):
        return False  # an event that is none of the family's, which was told
    return True
