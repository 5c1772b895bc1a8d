"""Who asked about a case: the events of the access stream that name it, read beside its replay.

They are no part of the case: its state and its decisions never follow from them.
"""

import json
from datetime import datetime
from typing import Any, Final, NamedTuple

from audit.log.tables import Connection
from domain.access import access_stream

ASKED_MAX: Final = 1000
"""The newest; a case that is boarded, viewed and exported for years has some dozens."""

_ASKED: Final = """
SELECT event_id, type, happened_at, recorded_at, actor, public_body FROM passage.events
WHERE stream = $1 AND stream LIKE 'access:%' AND (encode(public_body, 'escape')::jsonb ->> 'case') = $2
  AND ($3::timestamptz IS NULL OR happened_at <= $3)
ORDER BY version DESC LIMIT $4
"""
"""As the index `access_case` has it: every body of these streams is ASCII."""


class Asked(NamedTuple):
    """Somebody saw, exported or asked about the case, or kept it from erasure."""

    event_id: str
    type: str
    happened_at: datetime
    recorded_at: datetime
    actor: str
    says: dict[str, Any]


async def read_asked(connection: Connection, programme: str, case_id: str, until: datetime | None) -> tuple[Asked, ...]:
    """Oldest first, at most `ASKED_MAX`, up to `until`."""
    rows = await connection.fetch(_ASKED, access_stream(programme), case_id, until, ASKED_MAX)
    return tuple(_asked(row) for row in reversed(rows))


def _asked(row: Any) -> Asked:
    says = {name: value for name, value in json.loads(row["public_body"]).items() if name != "case"}
    return Asked(row["event_id"], row["type"], row["happened_at"], row["recorded_at"], row["actor"], says)
