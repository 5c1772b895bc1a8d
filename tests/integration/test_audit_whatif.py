"""`passage audit what-if` over a real log: it counts who would be decided differently, and writes nothing."""

import asyncpg
import pytest

from audit.replay.read import opened_log as reading
from audit.whatif.report import Report, as_json, report
from audit.whatif.verdict import Question
from cases.erasure import ErasureOrder, erase
from cases.repository import CaseRepository
from cli.audit.whatif import lines
from domain import registry
from domain.kernel.proof import claimed
from eventstore.format.lookups import Lookups
from eventstore.keys import DirectoryKeyStore
from eventstore.postgres.store import PostgresStore
from tests.support.filed import day
from tests.support.filings import PROGRAMME
from tests.support.other_rules import changed
from tests.support.sealed_log import RULES, SealedLog

SETS = registry.programme(PROGRAMME).sets


async def asked(log: SealedLog, **numbers: int) -> Report:
    async with reading(log.database_url) as connection:
        return await report(connection, DirectoryKeyStore(log.keys), Question(rules=changed(SETS[RULES], **numbers)))


async def test_the_same_rules_change_nobody_and_others_are_counted_by_rule(log: SealedLog) -> None:
    authorized = [await log.file() for _ in range(3)]
    for case_id in authorized:
        await log.authorize(case_id)
    await log.file()
    same = await asked(log)
    assert (same.cases, same.diverged, same.not_reproduced) == (4, 0, 0)
    assert same.decided_again == 4 + 2 * 3
    other = await asked(log, review_from_case=1)
    assert (other.diverged, dict(other.by_rule)) == (3, {"supporter": 3})
    assert {each.case_id for each in other.sample} == set(authorized)
    assert other.sample[0].would_be == "ReferredToOfficer"
    assert dict(other.decided_under) == {SETS[RULES].digest: 4}
    assert other.rules_digest != SETS[RULES].digest
    assert as_json(other)["by_rule"] == {"supporter": 3}
    assert any("supporter: " in line for line in lines(other))


async def test_an_erased_case_is_counted_and_not_guessed_at(log: SealedLog) -> None:
    case_id = await log.file()
    await log.withdraw(case_id)
    keys = DirectoryKeyStore(log.keys)
    store = await PostgresStore.connect(log.database_url, keys, connections=1, role="passage_eraser")
    cases = CaseRepository(store, store.inbox, Lookups(await keys.pepper()))
    order = ErasureOrder(
        case_id=case_id, first=claimed("officer", "o-1"), second=claimed("officer", "o-2"), because="retention-ended"
    )
    await erase(cases, keys, order, day(900))
    await store.close()
    found = await asked(log, adult_age_years=60)
    assert (found.cases, found.erased, found.diverged) == (1, 1, 0)


async def test_it_writes_nothing(log: SealedLog) -> None:
    await log.authorize(await log.file())
    count = "SELECT count(*) || '-' || max(recorded_at) FROM passage.events"
    before = await log.value(count)
    await asked(log, authorization=30)
    assert await log.value(count) == before
    async with reading(log.database_url) as connection:
        with pytest.raises(asyncpg.PostgresError):
            await connection.execute("DELETE FROM passage.unsealed")
