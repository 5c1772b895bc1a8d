"""Forgeries whose every byte fits, sealed and signed by the operator's own sealer where that is needed."""

import json
import shutil
from collections.abc import Callable
from datetime import timedelta

import pytest

from audit.log.checkpoints import Checkpoint
from audit.log.log_key import FOLDER, FileLogKey, FormerVerifier, make_log_key
from audit.log.merkle import leaf_hash, root_over
from audit.log.sealing import MAX_LAG
from audit.verify.faults import Code
from eventstore.access import NotedCheck
from eventstore.format.envelope import machine_clock
from tests.support.attacked_log import Attacked
from tests.support.filed import day
from tests.support.filings import PROGRAMME
from tests.support.sealed_log import ORIGIN, Found

Told = Callable[[str, Found], set[Code]]
AUTHORIZED = "SELECT encode(public_body, 'escape') FROM passage.events WHERE stream = $1 AND type = 'TravelAuthorized'"
REBUILT = """
CREATE TEMP TABLE again AS SELECT row_number() OVER (ORDER BY leaf_index) - 1 AS leaf_index, stream, version, hash
FROM passage.leaf WHERE stream IS NOT NULL AND stream <> '{gone}';
DELETE FROM passage.map_seal; DELETE FROM passage.leaf; DELETE FROM passage.tile; DELETE FROM passage.checkpoint;
INSERT INTO passage.leaf SELECT * FROM again;
UPDATE passage.log_size SET size = (SELECT count(*) FROM passage.leaf);
INSERT INTO passage.tile SELECT 0, 0, string_agg(hash, ''::bytea ORDER BY leaf_index) FROM passage.leaf
"""
"""The log without one case, as if it had never been: by the database alone."""
REMOVED = (
    "DELETE FROM passage.events WHERE stream = '{gone}'",
    "DELETE FROM passage.case_head WHERE case_id = '{gone}'",
    "DELETE FROM passage.inbox WHERE stream = '{gone}'",
    "DELETE FROM passage.notification WHERE stream = '{gone}'",
)
LATER = MAX_LAG + timedelta(seconds=1)


@pytest.fixture
def told(record_property: Callable[[str, object], None]) -> Told:
    """The codes that were found, put down for the table."""

    def tell(name: str, found: Found) -> set[Code]:
        record_property("attack", name)
        record_property("found", ", ".join(sorted(found.codes)))
        return found.codes

    return tell


async def forged_authorization(target: Attacked, **columns: object) -> str:
    """Somebody whom nobody vetted may travel."""
    body = json.loads(await target.value(AUTHORIZED, target.cases["travels"]))
    digest = await target.value("SELECT rules_digest FROM passage.events WHERE type = 'TravelAuthorized' LIMIT 1")
    return await target.forge(target.cases["asked"], "TravelAuthorized", body, rules_digest=digest, **columns)


async def test_an_authorization_that_was_never_decided(target: Attacked, told: Told) -> None:
    await target.sealed(await forged_authorization(target))
    codes = told("an authorization forged and sealed", await target.found(keys=None))
    assert Code.STAGE_SKIPPED in codes
    assert Code.DECISION_DIFFERS in (await target.found()).codes


async def test_an_authorization_with_a_message_that_led_to_it(target: Attacked, told: Told) -> None:
    case_id = target.cases["asked"]
    command = {"command_id": "vetting:mine", "received_at": day(15), "proof": "key:vetting:1", "actor": "vetting"}
    await target.sealed(
        await forged_authorization(target, **command),
        "INSERT INTO passage.inbox (stream, number, case_id, programme, source, message_id, kind, body, key_id, "
        f"digest, received_at, proof, answer) SELECT '{case_id}', 999, '{case_id}', programme, source, 'mine', kind, "
        f"body, key_id, sha256('x'), '{day(15).isoformat()}', 'key:vetting:1', 'accepted' "
        "FROM passage.inbox WHERE source = 'vetting' LIMIT 1",
    )
    codes = told("an authorization forged with its message", await target.found())
    assert {Code.STAGE_SKIPPED, Code.DECISION_DIFFERS} <= codes
    assert not {Code.INBOX_MISSING, Code.INBOX_EDITED} & codes


async def test_a_decision_that_left_out_what_it_rested_on(target: Attacked, told: Told) -> None:
    body = json.loads(await target.value(AUTHORIZED, target.cases["travels"])) | {"basis": None}
    digest = await target.value("SELECT rules_digest FROM passage.events WHERE type = 'TravelAuthorized' LIMIT 1")
    await target.sealed(await target.forge(target.cases["first"], "TravelAuthorized", body, rules_digest=digest))
    assert Code.DECISION_DIFFERS in told("a decision without what it rested on", await target.found())


async def test_a_closing_that_nothing_led_to(target: Attacked, told: Told) -> None:
    body = {"basis": None, "outcome": "denied", "reason": "vetting"}
    await target.sealed(await target.forge(target.cases["kept"], "CaseClosed", body))
    assert Code.DECISION_DIFFERS in told("a denial forged", await target.found())


async def test_an_authorization_that_was_there_while_a_carrier_asked(target: Attacked, told: Told) -> None:
    """Removed before it was sealed; only the answer tells of it."""
    async with target.log() as log:
        check = NotedCheck(
            programme=PROGRAMME, carrier="key:carrier:1", case_id=target.cases["asked"], answer="ok",
            checked_at=day(15),
        )  # fmt: skip
        await log.store.access.note_check(check)
        await log.store.access.record_checks()
        await log.seal()
    assert told("an authorization shown to a carrier, then removed", await target.found()) == {Code.BOARDING_DIFFERS}


@pytest.mark.parametrize("answer", ["expired", "revoked"])
async def test_a_carrier_was_told_what_was_not_so(target: Attacked, told: Told, answer: str) -> None:
    async with target.log() as log:
        check = NotedCheck(
            programme=PROGRAMME, carrier="key:carrier:1", case_id=target.cases["travels"], answer=answer,
            checked_at=day(15),
        )  # fmt: skip
        await log.store.access.note_check(check)
        await log.store.access.record_checks()
        await log.seal()
    assert Code.BOARDING_DIFFERS in told(f"a carrier told {answer}", await target.found())


async def test_an_event_of_another_kind_of_stream(target: Attacked, told: Told) -> None:
    await target.sealed(await target.forge(target.cases["kept"], "ProgrammeResumed", {}))
    assert Code.EVENT_FOREIGN in told("a foreign event in a case", await target.found())


async def test_an_event_of_a_case_in_the_programme(target: Attacked, told: Told) -> None:
    await target.sealed(await target.forge(PROGRAMME, "MessageRejected", {"basis": None, "kind": "x.y", "code": "z"}))
    assert Code.EVENT_FOREIGN in told("a case's event in a programme", await target.found())


@pytest.mark.parametrize("stream", ["notes", "XXX-7Q4K-M2XD", "access:nowhere"])
async def test_a_stream_of_no_kind(target: Attacked, told: Told, stream: str) -> None:
    body = {"basis": None, "outcome": "denied", "reason": None}
    await target.sealed(await target.forge(stream, "CaseClosed", body))
    assert Code.STREAM_UNKNOWN in told(f"a stream {stream}", await target.found())


async def test_an_event_that_claims_to_be_three_weeks_old(target: Attacked, told: Told) -> None:
    body = {"basis": None, "kind": "work_permit.applied", "code": "not-paroled"}
    old = machine_clock() - timedelta(weeks=3)
    await target.sealed(await target.forge(target.cases["kept"], "MessageRejected", body, recorded_at=old))
    assert Code.SEAL_LATE in told("an event that claims to be old", await target.found())


async def test_an_event_that_claims_to_come_yet(target: Attacked, told: Told) -> None:
    body = {"basis": None, "kind": "work_permit.applied", "code": "not-paroled"}
    yet = machine_clock() + timedelta(hours=1)
    await target.sealed(await target.forge(target.cases["kept"], "MessageRejected", body, recorded_at=yet))
    assert Code.TIME_DIFFERS in told("an event from after its seal", await target.found())


async def test_the_log_rebuilt_without_a_case_by_the_database_alone(target: Attacked, told: Told) -> None:
    gone = target.cases["kept"]
    statements = [statement.format(gone=gone) for statement in (*REMOVED, REBUILT)]
    await target.sql(*statements, "DELETE FROM passage.case_person WHERE case_id = '%s'" % gone)  # noqa: UP031  braces
    found = await target.found(later=LATER)
    assert Code.CHECKPOINT_MISSING in told("the log rebuilt without its checkpoints", found)


async def test_the_log_rebuilt_and_signed_again_today(target: Attacked, told: Told) -> None:
    """With the log's key: the signed time is today's, and the events are not."""
    gone = target.cases["kept"]
    await target.sql(*(statement.format(gone=gone) for statement in (*REMOVED, REBUILT)))
    hashes = await target.value("SELECT string_agg(hash, ''::bytea ORDER BY leaf_index) FROM passage.leaf")
    today = Checkpoint(ORIGIN, len(hashes) // 32, root_over(hashes), machine_clock() + timedelta(days=1))
    note = await FileLogKey(target.keys).sign(today.text)
    await target.sql(f"INSERT INTO passage.checkpoint VALUES ({today.size}, '{note}')")
    assert Code.SEAL_LATE in told("the log rebuilt and signed anew", await target.found())


async def test_the_log_signed_by_a_key_that_was_put_away(target: Attacked, told: Told) -> None:
    old = FileLogKey(target.keys)
    new = make_log_key(target.keys.parent / "new", ORIGIN)
    shutil.copytree(target.keys.parent / "new" / FOLDER, target.keys / FOLDER, dirs_exist_ok=True)
    gone = target.cases["kept"]
    await target.sql(*(statement.format(gone=gone) for statement in (*REMOVED, REBUILT)))
    hashes = await target.value("SELECT string_agg(hash, ''::bytea ORDER BY leaf_index) FROM passage.leaf")
    size = len(hashes) // 32
    note = await old.sign(Checkpoint(ORIGIN, size, root_over(hashes), machine_clock()).text)
    await target.sql(f"INSERT INTO passage.checkpoint VALUES ({size}, '{note}')")
    assert FileLogKey(target.keys).verifier == new.verifier
    found = await target.found(former=(FormerVerifier(old.verifier, size - 1),))
    assert Code.CHECKPOINT_FORGED in told("the log signed by a former key", found)


async def test_the_key_of_the_log_exchanged(target: Attacked, told: Told) -> None:
    make_log_key(target.keys.parent / "new", ORIGIN)
    shutil.copytree(target.keys.parent / "new" / FOLDER, target.keys / FOLDER, dirs_exist_ok=True)
    assert Code.CHECKPOINT_FORGED in told("the log's key exchanged", await target.found())


async def test_the_keys_of_two_cases_exchanged(target: Attacked, told: Told) -> None:
    one, other = (target.keys / "cases" / target.cases[name] for name in ("first", "second"))
    kept = one.read_bytes()
    one.write_bytes(other.read_bytes())
    other.write_bytes(kept)
    assert Code.KEY_DIFFERS in told("the keys of two cases exchanged", await target.found())


async def test_a_map_that_leaves_a_case_out(target: Attacked, told: Told) -> None:
    """Signed with the log's key: the leaves before it give other heads."""
    async with target.log() as log:
        header = await log.sealer.build_map(await log.sealer.size())
        content = header.content.replace(header.root.hex().encode(), leaf_hash(b"x").hex().encode())
        await log.sealer.take_map(type(header).parse(content))
        await log.sealer.sign()
    assert Code.MAP_SEAL_DIFFERS in told("a map that leaves a case out", await target.found())


async def test_a_backup_of_before_the_kept_checkpoint(target: Attacked, told: Told) -> None:
    """The newest events, leaves and checkpoints are gone with all that tells of them."""
    size = await target.value("SELECT min(size) FROM passage.checkpoint")
    async with target.log() as log:
        kept = await log.checkpoint()
    await target.sql(
        f"DELETE FROM passage.checkpoint WHERE size > {size}",
        f"DELETE FROM passage.map_seal WHERE leaf_index >= {size}",
        f"DELETE FROM passage.events AS e USING passage.leaf AS l "
        f"WHERE l.stream = e.stream AND l.version = e.version AND l.leaf_index >= {size}",
        f"DELETE FROM passage.leaf WHERE leaf_index >= {size}",
        f"UPDATE passage.log_size SET size = {size}",
        f"UPDATE passage.tile SET hashes = substr(hashes, 1, {size} * 32)",
    )
    assert Code.LOG_RESTORED in told("an older backup, against a kept checkpoint", await target.found(kept=kept))
