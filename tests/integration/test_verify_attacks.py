"""Attacks on a sealed log as database superuser with triggers off: each is found, by a code of its own.

Every attacker here is careful: where the attack leaves a column, a hash or a head that can be made to fit, it fits.
"""

import hashlib
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from audit.verify.faults import Code
from cases.programme_commands import open_if_new
from domain import registry
from domain.access import access_stream
from domain.kernel.messages import CapChange
from eventstore.access import NotedCheck
from eventstore.format.envelope import canonical
from tests.support.filed import FILED_AT
from tests.support.filings import PROGRAMME
from tests.support.sealed_log import SealedLog, case, opened_log, three_cases


@pytest.fixture
async def log(database_url: str, tmp_path: Path) -> AsyncIterator[SealedLog]:
    async with three_cases(database_url, tmp_path / "keys") as opened:
        yield opened


async def rewrite(log: SealedLog, stream: str, version: int, **columns: str) -> None:
    """Change columns of an event, its header and its hash, as one who knows the format would."""
    header = json.loads(await log.value(f"SELECT header FROM passage.events WHERE {at(stream, version)}")) | columns
    content = canonical(header)
    digest = hashlib.sha256(b"\x00" + content).hexdigest()
    changed = "".join(f"{name} = '{value}', " for name, value in columns.items() if not name.endswith("_hash"))
    await log.attack(
        f"UPDATE passage.events SET {changed} header = '\\x{content.hex()}', hash = '\\x{digest}' "
        f"WHERE {at(stream, version)}"
    )


def at(stream: str, version: int) -> str:
    return f"stream = '{stream}' AND version = {version}"


async def test_an_untouched_log_is_not_accused(log: SealedLog) -> None:
    found = await log.verify(await log.checkpoint())
    assert found.faults == []
    assert (found.result.events, found.result.leaves, found.result.map_seals) == (14, 15, 1)


async def test_an_edited_body(log: SealedLog) -> None:
    await log.attack(
        "UPDATE passage.events SET public_body = convert_to(replace(convert_from(public_body, 'UTF8'), "
        "'24000', '24001'), 'UTF8') "
        "WHERE type = 'ProgrammeOpened'"
    )
    assert Code.BODY_EDITED in await log.codes()


async def test_an_edited_ciphertext(log: SealedLog) -> None:
    await log.attack(
        "UPDATE passage.events SET encrypted_body = set_byte(encrypted_body, 20, 0) "
        f"WHERE {at(await case(log, 0), 1)} AND get_byte(encrypted_body, 20) <> 0",
        "UPDATE passage.events SET encrypted_body = set_byte(encrypted_body, 21, get_byte(encrypted_body, 21) # 1) "
        f"WHERE {at(await case(log, 0), 1)}",
    )
    assert await log.codes() == {Code.BODY_EDITED}


@pytest.mark.parametrize(
    "change",
    [
        "actor = 'officer:somebody'",
        "recorded_at = recorded_at + interval '1 microsecond'",
        "happened_at = happened_at - interval '1 day'",
        "command_id = 'supporter:another'",
        "key_id = 'another'",
        "rules_digest = NULL",
        "schema_version = 2",
        "event_id = 'another'",
        "type = 'SponsorReplaced'",
    ],
)
async def test_an_edited_column_but_not_its_header(log: SealedLog, change: str) -> None:
    await log.attack(f"UPDATE passage.events SET {change} WHERE {at(await case(log, 0), 1)}")
    assert Code.COLUMN_EDITED in await log.codes()


async def test_an_edited_header(log: SealedLog) -> None:
    stream = await case(log, 0)
    header: bytes = await log.value(f"SELECT header FROM passage.events WHERE {at(stream, 1)}")
    await log.attack(f"UPDATE passage.events SET header = '\\x{(header + b' ').hex()}' WHERE {at(stream, 1)}")
    assert {Code.HEADER_MALFORMED, Code.HEADER_EDITED} <= await log.codes()


async def test_an_event_rewritten_with_header_and_hash(log: SealedLog) -> None:
    stream = await case(log, 1)
    await rewrite(log, stream, 7, actor="officer:somebody")
    digest = await log.value(f"SELECT encode(hash, 'hex') FROM passage.events WHERE {at(stream, 7)}")
    await log.attack(f"UPDATE passage.case_head SET hash = '\\x{digest}' WHERE case_id = '{stream}'")
    assert await log.codes() == {Code.EVENT_REWRITTEN}


async def test_an_event_of_a_kind_that_nobody_knows(log: SealedLog) -> None:
    await rewrite(log, await case(log, 1), 7, type="PlaceSold")
    assert {Code.EVENT_REWRITTEN, Code.EVENT_UNREADABLE} <= await log.codes()


async def test_a_broken_chain(log: SealedLog) -> None:
    await rewrite(log, await case(log, 1), 3, previous_hash="00" * 32)
    assert Code.CHAIN_BROKEN in await log.codes()


async def test_a_deleted_event(log: SealedLog) -> None:
    await log.attack(f"DELETE FROM passage.events WHERE {at(await case(log, 1), 3)}")
    assert await log.codes() == {Code.EVENT_DELETED}


async def test_an_inserted_event(log: SealedLog) -> None:
    """At the end of a case, well chained, with the head moved along: only its seal is missing."""
    stream = await case(log, 0)
    await log.withdraw(stream)
    await log.attack("DELETE FROM passage.unsealed")
    assert await log.codes() == {Code.EVENT_INSERTED}


async def test_reordered_events(log: SealedLog) -> None:
    stream = await case(log, 1)
    await log.attack(
        f"UPDATE passage.events SET version = 99, event_id = '{stream}:4' WHERE {at(stream, 3)}",
        f"UPDATE passage.events SET version = 3, event_id = '{stream}:3' WHERE {at(stream, 4)}",
        f"UPDATE passage.events SET version = 4 WHERE {at(stream, 99)}",
    )
    assert Code.EVENT_REORDERED in await log.codes()


async def test_events_swapped_between_cases(log: SealedLog) -> None:
    one, other = await case(log, 0), await case(log, 1)
    await log.attack(
        f"UPDATE passage.events SET stream = 'x' WHERE {at(one, 2)}",
        f"UPDATE passage.events SET stream = '{one}', event_id = '{one}:2' WHERE {at(other, 2)}",
        f"UPDATE passage.events SET stream = '{other}', event_id = '{other}:2' WHERE {at('x', 2)}",
    )
    assert Code.EVENT_MOVED in await log.codes()


async def test_a_truncated_tail(log: SealedLog) -> None:
    """With the head put back to the event before."""
    stream = await case(log, 2)
    digest = await log.value(f"SELECT encode(hash, 'hex') FROM passage.events WHERE {at(stream, 2)}")
    await log.attack(
        f"DELETE FROM passage.events WHERE stream = '{stream}' AND version > 2",
        f"UPDATE passage.case_head SET version = 2, hash = '\\x{digest}', stage = 'sponsor_confirmation', "
        "waiting_on = 'sponsor', since = filed_at, outcome = NULL, reason = NULL, closed = false "
        f"WHERE case_id = '{stream}'",
        f"UPDATE passage.outbound_call SET dropped_at = NULL WHERE case_id = '{stream}'",
    )
    assert await log.codes() == {Code.TAIL_TRUNCATED}


async def test_a_case_removed_whole(log: SealedLog) -> None:
    stream = await case(log, 0)
    await log.attack(
        f"DELETE FROM passage.events WHERE stream = '{stream}'",
        f"DELETE FROM passage.case_head WHERE case_id = '{stream}'",
    )
    assert await log.codes() == {Code.CASE_REMOVED}


async def test_a_case_removed_whole_with_its_leaves(log: SealedLog) -> None:
    stream = await case(log, 0)
    await log.attack(
        f"DELETE FROM passage.events WHERE stream = '{stream}'",
        f"DELETE FROM passage.case_head WHERE case_id = '{stream}'",
        f"DELETE FROM passage.leaf WHERE stream = '{stream}'",
    )
    assert Code.LEAF_MISSING in await log.codes()


async def test_an_event_deleted_before_its_seal(log: SealedLog) -> None:
    stream = await log.file()
    await log.attack(f"DELETE FROM passage.events WHERE {at(stream, 2)}")
    assert Code.TAIL_TRUNCATED in await log.codes()


@pytest.mark.parametrize(
    "change",
    [
        "stage = 'travel_authorization'",
        "waiting_on = 'officer'",
        "since = since - interval '1 day'",
        "due_name = 'evidence', due_at = filed_at",
        "outcome = 'denied'",
        "flags = '{}'::text[] || 'watch'::text",
        "held = true",
        "rules_version = '2023-01-06'",
        "place_period = '2022-10'",
        'facts = facts || \'{"authorized_last_day": "2022-12-01"}\'',
    ],
)
async def test_an_edited_summary(log: SealedLog, change: str) -> None:
    await log.attack(f"UPDATE passage.case_head SET {change} WHERE case_id = '{await case(log, 0)}'")
    assert Code.SUMMARY_EDITED in await log.codes()


async def test_a_head_that_names_another_event(log: SealedLog) -> None:
    await log.attack(f"UPDATE passage.case_head SET version = 1 WHERE case_id = '{await case(log, 0)}'")
    assert await log.codes() == {Code.HEAD_DIFFERS}


async def test_a_head_removed(log: SealedLog) -> None:
    await log.attack(f"DELETE FROM passage.case_head WHERE case_id = '{await case(log, 0)}'")
    assert await log.codes() == {Code.HEAD_MISSING}


async def test_an_edited_programme(log: SealedLog) -> None:
    await log.attack("UPDATE passage.pool SET places = 24001")
    assert await log.codes() == {Code.PROGRAMME_SUMMARY_EDITED}


async def test_a_counter_that_gives_a_place_away(log: SealedLog) -> None:
    await log.attack("UPDATE passage.place_counter SET taken = taken - 1")
    assert await log.codes() == {Code.PLACES_MISCOUNTED}


async def test_more_places_than_the_cap(database_url: str, tmp_path: Path) -> None:
    """The counter is put back between two authorizations, and forward again after them: the events tell."""
    async with opened_log(database_url, tmp_path / "keys") as log:
        await log.open(places=1)
        await log.authorize(await log.file())
        await log.attack("UPDATE passage.place_counter SET taken = 0")
        await log.authorize(await log.file())
        await log.attack("UPDATE passage.place_counter SET taken = 2")
        await log.seal()
        assert await log.codes() == {Code.CAP_EXCEEDED}


async def test_a_case_taken_off_the_waiting_list(database_url: str, tmp_path: Path) -> None:
    async with opened_log(database_url, tmp_path / "keys") as log:
        await log.open(places=1)
        for _ in range(2):
            await log.authorize(await log.file())
        assert await log.codes() == set()
        await log.attack("DELETE FROM passage.waiting_list")
        assert await log.codes() == {Code.WAITING_LIST_DIFFERS}


CHECKS = access_stream(PROGRAMME)


async def checked(log: SealedLog, *answers: str) -> None:
    """A carrier asked about the first case, and was given these answers."""
    for answer in answers:
        noted = NotedCheck(
            programme=PROGRAMME,
            carrier="key:carrier:1",
            case_id=await case(log, 0),
            answer=answer,
            checked_at=FILED_AT,
        )
        await log.store.access.note_check(noted)


async def sealed_checks(log: SealedLog) -> None:
    """Three answers to a carrier, sealed."""
    await checked(log, "none", "held", "none")
    await log.store.access.record_checks()
    await log.seal_map()


async def test_boarding_checks_are_no_fault_before_and_after_they_are_events(log: SealedLog) -> None:
    await checked(log, "none")
    assert await log.codes() == set()
    await log.store.access.record_checks()
    await log.seal()
    assert await log.codes(await log.checkpoint()) == set()


async def test_an_edited_boarding_check(log: SealedLog) -> None:
    await sealed_checks(log)
    await log.attack(
        "UPDATE passage.events SET public_body = replace(encode(public_body, 'escape'), '\"held\"', '\"ok\"')::bytea "
        f"WHERE {at(CHECKS, 2)}"
    )
    assert Code.BODY_EDITED in await log.codes()


async def test_a_boarding_check_rewritten_with_header_hash_and_head(log: SealedLog) -> None:
    await sealed_checks(log)
    await rewrite(log, CHECKS, 3, actor="key:carrier:2")
    digest = await log.value(f"SELECT encode(hash, 'hex') FROM passage.events WHERE {at(CHECKS, 3)}")
    await log.attack(f"UPDATE passage.access_head SET hash = '\\x{digest}'")
    assert await log.codes() == {Code.EVENT_REWRITTEN}


async def test_a_deleted_boarding_check(log: SealedLog) -> None:
    await sealed_checks(log)
    await log.attack(f"DELETE FROM passage.events WHERE {at(CHECKS, 2)}")
    assert await log.codes() == {Code.EVENT_DELETED}


async def test_an_access_stream_removed_whole(log: SealedLog) -> None:
    await sealed_checks(log)
    await log.attack(f"DELETE FROM passage.events WHERE stream = '{CHECKS}'", "DELETE FROM passage.access_head")
    assert await log.codes() == {Code.CASE_REMOVED}


async def test_a_boarding_check_that_never_becomes_an_event(log: SealedLog) -> None:
    await checked(log, "ok")
    await log.attack("UPDATE passage.boarding_check SET noted_at = noted_at - interval '61 seconds'")
    assert await log.codes() == {Code.CHECK_LATE}


async def test_a_cap_that_another_programme_of_the_pool_named_is_no_fault(log: SealedLog) -> None:
    for programme in ("cuba-air", "haiti-air"):
        [rules] = registry.programme(programme).sets.values()
        await open_if_new(log.cases, rules, None, FILED_AT)
    await log.command_programme(CapChange(places=29_000), FILED_AT + timedelta(days=1), "cuba-air")
    await log.seal()
    assert await log.value("SELECT places FROM passage.pool WHERE pool = 'chnv'") == 29_000
    assert await log.codes() == set()
    await log.attack("UPDATE passage.pool SET places = 31000 WHERE pool = 'chnv'")
    assert await log.codes() == {Code.PROGRAMME_SUMMARY_EDITED}
