"""Reservations of places, and the keyed hashes by which people are found again."""

from typing import Final

from audit.log.tables import Connection
from audit.verify.faults import Code, Faults
from domain import registry

_ROWS: Final = 1000

_UNOFFERED: Final = """
SELECT w.case_id FROM passage.waiting_list AS w
WHERE w.reserved > 0 AND NOT EXISTS (
    SELECT FROM passage.inbox AS i WHERE i.stream = w.case_id AND i.source = 'passage' AND i.kind = 'place.offered')
ORDER BY w.case_id
"""
"""What is reserved is offered in the same transaction."""

_OVERTAKEN: Final = """
SELECT later.case_id, ahead.case_id AS ahead
FROM passage.waiting_list AS later CROSS JOIN LATERAL (
    SELECT w.case_id FROM passage.waiting_list AS w
    WHERE w.pool = later.pool AND w.programme = later.programme AND w.allotment = later.allotment
      AND (w.turn_at, w.sequence) < (later.turn_at, later.sequence) AND w.sequence < later.sequence
      AND w.quantity = 1 AND w.reserved = 0 AND NOT w.passed_over
      AND NOT EXISTS (
          SELECT FROM passage.events AS e
          WHERE e.stream = w.case_id AND e.happened_at > w.turn_at AND e.type <> 'MessageRejected')
    ORDER BY w.turn_at, w.sequence LIMIT 1
) AS ahead
WHERE later.reserved > 0 ORDER BY later.case_id
"""
"""Reserved for a case though one of the same programme was ahead of it all the time: in turn, in the list first, and
untouched since, so that it was never passed over."""

_UNKNOWN: Final = """
SELECT h.case_id FROM passage.case_head AS h
WHERE NOT h.erased AND h.programme = ANY ($1::text[])
  AND NOT EXISTS (SELECT FROM passage.case_person AS p WHERE p.case_id = h.case_id)
ORDER BY h.case_id
"""

_KEPT: Final = """
SELECT h.case_id FROM passage.case_head AS h
WHERE h.erased AND (EXISTS (SELECT FROM passage.case_person AS p WHERE p.case_id = h.case_id)
                    OR EXISTS (SELECT FROM passage.supporter_key AS s WHERE s.case_id = h.case_id))
ORDER BY h.case_id
"""


async def check_standing(connection: Connection, faults: Faults) -> None:
    """Tell reservations that no offer goes with or that passed somebody by, and people who cannot be found again."""
    async for row in connection.cursor(_UNOFFERED, prefetch=_ROWS):
        faults.add(Code.RESERVATION_DIFFERS, row["case_id"], None, "a place is reserved that was never offered to it")
    async for row in connection.cursor(_OVERTAKEN, prefetch=_ROWS):
        detail = f"a place is reserved for it, and {row['ahead']} was ahead of it"
        faults.add(Code.RESERVATION_DIFFERS, row["case_id"], None, detail)
    registering = [each.id for each in registry.programmes().values() if each.family.registers_persons]
    async for row in connection.cursor(_UNKNOWN, registering, prefetch=_ROWS):
        faults.add(Code.LOOKUP_MISSING, row["case_id"], None, "nobody is registered as its person")
    async for row in connection.cursor(_KEPT, prefetch=_ROWS):
        faults.add(Code.LOOKUP_NOT_ERASED, row["case_id"], None, "it is erased, and its people can still be found")
