"""The inbox against what is sealed: each event says by which message it came, its digest, its moment and its proof."""

from typing import Any, Final

from audit.log.tables import Connection
from audit.verify.faults import Code, Faults

_ROWS: Final = 1000

_BY_MESSAGE: Final = "i.stream = e.stream AND i.source || ':' || i.message_id = e.command_id"

_DIFFERING: Final = f"""
SELECT e.stream, e.version, e.command_id, i.number IS NULL AS gone, i.digest <> e.message_digest AS digest,
       i.received_at IS DISTINCT FROM e.received_at AS moment, i.answer,
       (e.type = 'MessageRejected') <> (coalesce(i.answer, '') = 'rejected') AS answered_otherwise
FROM passage.events AS e LEFT JOIN passage.inbox AS i ON {_BY_MESSAGE}
WHERE e.stream NOT LIKE 'access:%'
  AND CASE WHEN i.number IS NULL THEN e.type NOT IN ('ProgrammeOpened', 'PersonalDataErased') AND (
                    e.received_at IS NOT NULL OR split_part(e.proof, ':', 1) IN ('key', 'token', 'asked', 'none'))
           ELSE i.digest <> e.message_digest OR i.received_at IS DISTINCT FROM e.received_at OR i.answer IS NULL
                OR (e.type = 'MessageRejected') <> (i.answer = 'rejected') END
ORDER BY e.stream, e.version
"""  # noqa: S608  constants

_PROOFS: Final = f"""
SELECT i.proof AS told, e.proof, min(e.stream || ':' || e.version) AS first
FROM passage.events AS e JOIN passage.inbox AS i ON {_BY_MESSAGE}
GROUP BY i.proof, e.proof
"""  # noqa: S608  constants

_UNTOLD: Final = """
SELECT i.stream, i.number, i.source, i.message_id FROM passage.inbox AS i
WHERE i.answer = 'accepted' AND i.source <> 'passage' AND NOT EXISTS (
    SELECT FROM passage.events AS e WHERE e.stream = i.stream AND e.command_id = i.source || ':' || i.message_id)
ORDER BY i.stream, i.number
"""
"""Messages that were accepted and left no event; one that changes nothing is rejected."""

_UNNOTIFIED: Final = """
SELECT i.stream, i.number FROM passage.inbox AS i
WHERE i.answer IS NULL AND NOT EXISTS (SELECT FROM passage.notification AS n WHERE n.number = i.number)
ORDER BY i.stream, i.number
"""

_CLEAR: Final = """
SELECT stream, number FROM passage.inbox WHERE key_id IS NULL AND digest <> sha256(body) ORDER BY stream, number
"""
"""What is stored in clear and is not what its digest says."""

_FILING: Final = """
SELECT e.stream, i.number, h.filed_number
FROM passage.events AS e JOIN passage.case_head AS h ON h.case_id = e.stream
JOIN passage.inbox AS i ON i.stream = e.stream AND i.source || ':' || i.message_id = e.command_id
WHERE e.version = 1 AND h.filed_number <> i.number ORDER BY e.stream
"""

_DEADLINES: Final = r"""
SELECT met.stream, met.due_at, h.deadline_applied
FROM (
    SELECT e.stream, max(regexp_replace(e.command_id, '^deadline:[^:]+:', '')::timestamptz) AS due_at
    FROM passage.events AS e
    WHERE e.command_id LIKE 'deadline:%' AND e.command_id ~ '^deadline:[^:]+:\d{4}-\d\d-\d\dT[0-9:.]+(Z|[+-][0-9:]+)$'
    GROUP BY e.stream
) AS met JOIN passage.case_head AS h ON h.case_id = met.stream
WHERE h.deadline_applied IS NULL OR h.deadline_applied < met.due_at ORDER BY met.stream
"""


async def check_inbox(connection: Connection, faults: Faults) -> None:
    """Hold the inbox, and what heads keep of it, to the events."""
    async for row in connection.cursor(_DIFFERING, prefetch=_ROWS):
        _tell_differing(row, faults)
    for row in await connection.fetch(_PROOFS):
        if row["told"] != row["proof"]:
            stream, _, version = row["first"].rpartition(":")
            faults.add(Code.INBOX_EDITED, stream, int(version), "the sender's proof is not the one that was sealed")
    async for row in connection.cursor(_UNTOLD, prefetch=_ROWS):
        detail = f"{row['source']}:{row['message_id']} was accepted, and no event followed from it"
        faults.add(Code.ANSWER_WITHOUT_EVENT, row["stream"], None, detail)
    async for row in connection.cursor(_UNNOTIFIED, prefetch=_ROWS):
        detail = f"message {row['number']} is undecided, and nobody is notified of it"
        faults.add(Code.NOTIFICATION_MISSING, row["stream"], None, detail)
    async for row in connection.cursor(_CLEAR, prefetch=_ROWS):
        faults.add(Code.INBOX_EDITED, row["stream"], None, f"message {row['number']} does not have its digest")
    async for row in connection.cursor(_FILING, prefetch=_ROWS):
        detail = f"filed as message {row['number']}, and the list says {row['filed_number']}"
        faults.add(Code.FILING_ORDER_EDITED, row["stream"], None, detail)
    async for row in connection.cursor(_DEADLINES, prefetch=_ROWS):
        detail = "a limit was applied that its head does not know"
        faults.add(Code.DEADLINE_EDITED, row["stream"], None, detail)


def _tell_differing(row: Any, faults: Faults) -> None:
    stream, version, command = row["stream"], row["version"], row["command_id"]
    if row["gone"]:
        faults.add(Code.INBOX_MISSING, stream, version, f"its message {command} is not in the inbox")
        return
    if row["digest"]:
        faults.add(Code.INBOX_EDITED, stream, version, f"{command} has another digest than was sealed")
    if row["moment"]:
        faults.add(Code.INBOX_EDITED, stream, version, f"{command} was received at another moment than was sealed")
    if row["answer"] is None or row["answered_otherwise"]:
        faults.add(Code.INBOX_EDITED, stream, version, f"{command} has another answer than was sealed")
