"""What somebody with the server changes by one or two statements, and what `verify` calls it.

Triggers are off meanwhile and as they were afterwards. The auditor kept no checkpoint.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import NamedTuple

import pytest

from audit.log.sealing import MAX_LAG
from audit.verify.faults import Code
from tests.support.attacked_log import Attacked


class Attack(NamedTuple):
    """`{name}` in a statement is the id of that case."""

    name: str
    code: Code
    statements: tuple[str, ...]


def attack(name: str, code: Code, *statements: str) -> Attack:
    return Attack(name, code, statements)


_GRANT = "GRANT UPDATE ON passage.events TO passage_writer"
_DECIDE = "CREATE OR REPLACE FUNCTION passage.decide(p_stream text, p_number bigint, p_answer text, p_code text)"
_HEAD = "UPDATE passage.case_head SET"
_OF_VETTING = "source = 'vetting' AND stream = '{travels}'"

SCHEMA = (
    attack("a trigger dropped", Code.SCHEMA_DIFFERS, "DROP TRIGGER append_only ON passage.run_history"),
    attack("a trigger disabled", Code.SCHEMA_DIFFERS, "ALTER TABLE passage.programme_pool DISABLE TRIGGER ALL",
           "ALTER TABLE passage.outbound_call ENABLE ROW LEVEL SECURITY"),
    attack("UPDATE granted", Code.SCHEMA_DIFFERS, _GRANT),
    attack("UPDATE of one column granted", Code.SCHEMA_DIFFERS,
           "GRANT UPDATE (actor) ON passage.events TO passage_writer"),
    attack("a function granted to everybody", Code.SCHEMA_DIFFERS,
           "GRANT EXECUTE ON FUNCTION passage.put_tiles TO PUBLIC"),
    attack("a function altered", Code.SCHEMA_DIFFERS,
           f"{_DECIDE} RETURNS boolean LANGUAGE plpgsql AS 'BEGIN RETURN true; END'"),
    attack("a function with another search_path", Code.SCHEMA_DIFFERS,
           "ALTER FUNCTION passage.put_checkpoint SET search_path = public"),
    attack("a function added", Code.SCHEMA_DIFFERS,
           "CREATE FUNCTION passage.help() RETURNS int LANGUAGE sql AS 'SELECT 1'"),
    attack("a migration row altered", Code.SCHEMA_DIFFERS, "UPDATE passage.schema_migration SET checksum = 'x'"),
    attack("a migration row added", Code.SCHEMA_DIFFERS,
           "INSERT INTO passage.schema_migration VALUES (2, 'mine', 'x')"),
    attack("a check dropped", Code.SCHEMA_DIFFERS,
           "ALTER TABLE passage.waiting_list DROP CONSTRAINT waiting_list_quantity_check"),
    attack("a column added", Code.SCHEMA_DIFFERS, "ALTER TABLE passage.inbox ADD COLUMN note text"),
    attack("an index dropped", Code.SCHEMA_DIFFERS, "DROP INDEX passage.case_head_open"),
    attack("a table owned by the writer", Code.SCHEMA_DIFFERS, "ALTER TABLE passage.inbox OWNER TO passage_writer"),
    attack("a child table whose rows are read with the parent's", Code.SCHEMA_DIFFERS,
           "CREATE TABLE public.more () INHERITS (passage.case_person)"),
    attack("a rule that swallows a delete", Code.SCHEMA_DIFFERS,
           "CREATE RULE kept AS ON DELETE TO passage.notification DO INSTEAD NOTHING"),
    attack("a policy that hides a case from auditors", Code.ROWS_HIDDEN,
           "ALTER TABLE passage.events ENABLE ROW LEVEL SECURITY",
           "CREATE POLICY shown ON passage.events USING (stream <> '{kept}')"),
    attack("a view in place of a table", Code.SCHEMA_DIFFERS,
           "ALTER TABLE passage.events RENAME TO hidden_events",
           "CREATE VIEW passage.events AS SELECT * FROM passage.hidden_events WHERE stream <> '{kept}'",
           "GRANT SELECT ON passage.events TO passage_auditor"),
)  # fmt: skip

HEADS = (
    attack("the order of filing", Code.FILING_ORDER_EDITED, f"{_HEAD} filed_number = 0 WHERE case_id = '{{second}}'"),
    attack("the limit that was applied", Code.DEADLINE_EDITED,
           f"{_HEAD} deadline_applied = NULL WHERE case_id = '{{late}}'"),
    attack("an earlier limit that was applied", Code.DEADLINE_EDITED,
           f"{_HEAD} deadline_applied = deadline_applied - interval '1 day' WHERE case_id = '{{late}}'"),
    attack("a reservation given to the second in line", Code.RESERVATION_DIFFERS,
           "UPDATE passage.waiting_list SET reserved = 1, reserved_period = (SELECT reserved_period "
           "FROM passage.waiting_list WHERE case_id = '{first}') WHERE case_id = '{second}'",
           "UPDATE passage.waiting_list SET reserved = 0, reserved_period = NULL WHERE case_id = '{first}'"),
    attack("and its offer too", Code.RESERVATION_DIFFERS,
           "UPDATE passage.waiting_list SET reserved = 1, reserved_period = (SELECT reserved_period "
           "FROM passage.waiting_list WHERE case_id = '{first}') WHERE case_id = '{second}'",
           "UPDATE passage.waiting_list SET reserved = 0, reserved_period = NULL WHERE case_id = '{first}'",
           "UPDATE passage.notification SET stream = '{second}' WHERE stream = '{first}'",
           "UPDATE passage.inbox SET stream = '{second}', case_id = '{second}' WHERE kind = 'place.offered'"),
    attack("a turn moved up", Code.WAITING_LIST_DIFFERS,
           "UPDATE passage.waiting_list SET turn_at = turn_at - interval '3 days' WHERE case_id = '{second}'"),
    attack("a legal hold removed", Code.LEGAL_HOLD_DIFFERS, "DELETE FROM passage.legal_hold"),
    attack("a legal hold placed later", Code.LEGAL_HOLD_DIFFERS,
           "UPDATE passage.legal_hold SET placed_at = placed_at + interval '1 day'"),
    attack("a legal hold of another programme", Code.LEGAL_HOLD_DIFFERS,
           "UPDATE passage.legal_hold SET programme = 'cuba-air'"),
    attack("an erasure taken back", Code.SUMMARY_EDITED, f"{_HEAD} erased = false WHERE case_id = '{{erased}}'"),
    attack("a place taken from a case", Code.SUMMARY_EDITED,
           f"{_HEAD} place_quantity = 0 WHERE case_id = '{{travels}}'"),
    attack("a place too few counted", Code.PLACES_MISCOUNTED, "UPDATE passage.place_counter SET taken = taken - 1"),
)  # fmt: skip

BESIDE = (
    attack("when a message was received", Code.INBOX_EDITED,
           f"UPDATE passage.inbox SET received_at = received_at - interval '3 days' WHERE {_OF_VETTING}"),
    attack("who sent a message", Code.INBOX_EDITED,
           f"UPDATE passage.inbox SET proof = 'key:vetting:2' WHERE {_OF_VETTING}"),
    attack("who sent one, unproven", Code.INBOX_EDITED,
           f"UPDATE passage.inbox SET proof = 'clock' WHERE {_OF_VETTING}"),
    attack("a message with its digest", Code.INBOX_EDITED,
           f"UPDATE passage.inbox SET body = 'x', digest = sha256('x') WHERE {_OF_VETTING}"),
    attack("a message of the governments", Code.INBOX_EDITED,
           "UPDATE passage.inbox SET body = replace(convert_from(body, 'UTF8'), '2', '9')::bytea "
           "WHERE source = 'governments'"),
    attack("the answer to a message", Code.INBOX_EDITED,
           "UPDATE passage.inbox SET answer = 'accepted', code = NULL WHERE answer = 'rejected'"),
    attack("an answer withdrawn", Code.INBOX_EDITED,
           f"UPDATE passage.inbox SET answer = NULL, code = NULL WHERE {_OF_VETTING}"),
    attack("an answered message removed", Code.INBOX_MISSING, f"DELETE FROM passage.inbox WHERE {_OF_VETTING}"),
    attack("a message of another case", Code.INBOX_MISSING,
           f"UPDATE passage.inbox SET stream = '{{second}}', case_id = '{{second}}' WHERE {_OF_VETTING}"),
    attack("an acceptance slipped in", Code.ANSWER_WITHOUT_EVENT,
           "INSERT INTO passage.inbox (stream, number, case_id, programme, source, message_id, kind, body, digest, "
           "received_at, proof, answer) SELECT stream, 9999, case_id, programme, source, 'mine', kind, body, digest, "
           f"received_at, proof, answer FROM passage.inbox WHERE {_OF_VETTING}"),
    attack("an undecided message that nobody is notified of", Code.NOTIFICATION_MISSING,
           "DELETE FROM passage.notification WHERE stream = '{asked}'"),
    attack("an offer that nobody is notified of", Code.NOTIFICATION_MISSING,
           "DELETE FROM passage.notification WHERE stream = '{first}'"),
    attack("a person who cannot be found again", Code.LOOKUP_MISSING,
           "DELETE FROM passage.case_person WHERE case_id = '{travels}'"),
    attack("an erased person who can", Code.LOOKUP_NOT_ERASED,
           "INSERT INTO passage.case_person VALUES ('{erased}', sha256('x'))"),
    attack("an erased supporter who can", Code.LOOKUP_NOT_ERASED,
           "INSERT INTO passage.supporter_key (case_id, person) VALUES ('{erased}', sha256('x'))"),
    attack("a call dropped", Code.CALL_DIFFERS,
           "UPDATE passage.outbound_call SET dropped_at = now() WHERE case_id = '{asked}'"),
    attack("a call removed", Code.CALL_DIFFERS, "DELETE FROM passage.outbound_call WHERE case_id = '{asked}'"),
    attack("a call to another partner", Code.CALL_DIFFERS,
           "UPDATE passage.outbound_call SET partner = 'vetting' WHERE case_id = '{asked}'"),
    attack("a call that nothing asked for", Code.CALL_DIFFERS,
           "INSERT INTO passage.outbound_call (request_id, case_id, partner, opened_at) "
           "VALUES ('mine', '{travels}', 'vetting', now())"),
)  # fmt: skip

SEALS = (
    attack("the newest checkpoint deleted", Code.CHECKPOINT_MISSING,
           "DELETE FROM passage.checkpoint WHERE size = (SELECT max(size) FROM passage.checkpoint)"),
    attack("every checkpoint deleted", Code.CHECKPOINT_MISSING, "DELETE FROM passage.checkpoint"),
    attack("a map seal deleted with its leaf", Code.LEAF_MISSING,
           "DELETE FROM passage.map_seal", "DELETE FROM passage.leaf WHERE stream IS NULL"),
    attack("a leaf given to another event", Code.EVENT_INSERTED,
           "UPDATE passage.leaf SET version = 77 WHERE stream = '{travels}' AND version = 1"),
    attack("leaves exchanged between cases", Code.EVENT_REWRITTEN,
           "UPDATE passage.leaf SET stream = 'x' WHERE stream = '{first}' AND version = 1",
           "UPDATE passage.leaf SET stream = '{first}' WHERE stream = '{second}' AND version = 1",
           "UPDATE passage.leaf SET stream = '{second}' WHERE stream = 'x'"),
)  # fmt: skip

ATTACKS = (*SCHEMA, *HEADS, *BESIDE, *SEALS)


async def test_the_log_that_is_attacked_is_whole(target: Attacked) -> None:
    found = await target.found()
    assert found.faults == []
    assert (found.result.decided, found.result.undecided) == (len(target.cases) - 1, 1)


@pytest.mark.parametrize("each", ATTACKS, ids=[each.name for each in ATTACKS])
async def test_it_is_named(target: Attacked, each: Attack, record_property: Callable[[str, object], None]) -> None:
    later = MAX_LAG + timedelta(seconds=1) if each.code is Code.CHECKPOINT_MISSING else timedelta(0)
    change = target.plain if each in SCHEMA else target.sql
    await change(*(statement.format(**target.cases) for statement in each.statements))
    found = await target.found(later=later)
    record_property("attack", each.name)
    record_property("found", ", ".join(sorted(found.codes)))
    assert each.code in found.codes
