"""The sealer: nothing skipped, nothing twice, whatever happens to it; and no second history signed."""

import asyncio
import os
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import asyncpg
import pytest

from audit.log.log_key import FileLogKey, LogKeyMissing, make_log_key
from audit.log.maps import MapEntry
from audit.log.sealer import Sealing, opened_sealer
from audit.log.sealing import APPENDS_AT_ONCE, MAX_LAG, EventGone, SealRefused
from audit.log.tables import map_entries
from audit.verify.faults import Code
from audit.verify.sealed.maps import MAPS_REBUILT
from cases.erasure import ErasureOrder, erase, hold
from cases.repository import CaseRepository
from domain.kernel.messages import ProgrammeResumption, ProgrammeSuspension
from domain.kernel.proof import claimed
from eventstore.format.envelope import machine_clock
from eventstore.format.lookups import Lookups
from eventstore.keys import DirectoryKeyStore
from eventstore.postgres.store import PostgresStore
from process.config import Settings, child_environment
from tests.support.filed import day
from tests.support.sealed_log import ORIGIN, SealedLog


async def leaves(log: SealedLog) -> int:
    found: int = await log.value("SELECT count(*) FROM passage.leaf")
    return found


async def test_every_event_gets_one_leaf_in_the_order_of_its_stream(log: SealedLog) -> None:
    cases = [await log.file() for _ in range(4)]
    await log.authorize(cases[0])
    checkpoint = await log.seal()
    events = await log.value("SELECT count(*) FROM passage.events")
    assert (checkpoint.size, await leaves(log)) == (events, events)
    assert await log.value("SELECT count(*) FROM passage.unsealed") == 0
    assert await log.codes() == set()


async def test_sealing_again_changes_nothing(log: SealedLog) -> None:
    await log.file()
    first = await log.seal()
    assert await log.sealer.seal() == 0
    again = await log.sealer.sign()
    assert (again.size, again.root) == (first.size, first.root)
    assert await log.value("SELECT count(*) FROM passage.checkpoint") == 1


async def test_a_commit_that_comes_late_gets_a_later_leaf(log: SealedLog) -> None:
    """Its place in the queue is an earlier one; it is not skipped, and nothing waits for it."""
    late = await asyncpg.connect(log.database_url)
    transaction = late.transaction()
    await transaction.start()
    # The number of a queue's row is drawn here, and shown to others only by the commit.
    await late.execute("INSERT INTO passage.unsealed (stream, first_version, last_version) VALUES ('slow', 1, 0)")
    case_id = await log.file()
    await log.seal()
    assert await log.value("SELECT max(leaf_index) FROM passage.leaf WHERE stream = $1", case_id) == 2
    await transaction.commit()
    await late.close()
    await log.seal()
    assert await log.value("SELECT count(*) FROM passage.unsealed") == 0
    assert await log.codes() == set()


async def test_two_sealers_at_once_make_one_log(log: SealedLog) -> None:
    async with opened_sealer(log.database_url, log.keys, ORIGIN) as other:
        stopped = asyncio.Event()
        both = [asyncio.create_task(Sealing(each, 0.05, 0.3).run(stopped)) for each in (log.sealer, other)]
        for _ in range(25):
            await log.file()
        await asyncio.sleep(1.5)  # the last look, and a map
        stopped.set()
        await asyncio.gather(*both)
    assert await leaves(log) == 51 + await log.value("SELECT count(*) FROM passage.map_seal")
    assert await log.value("SELECT count(*) FROM passage.map_seal") > 0
    assert await log.codes(maps=None) == set()


async def test_a_sealer_killed_again_and_again_skips_nothing_and_doubles_nothing(log: SealedLog) -> None:
    settings = Settings(database_url=log.database_url, keys_dir=log.keys, log_origin=ORIGIN)

    async def killed_in_the_middle(later_s: float) -> None:
        before = await leaves(log)
        command = [sys.executable, "-P", "-m", "audit.log.sealer"]
        with subprocess.Popen(command, env=child_environment(settings.environment()), stderr=subprocess.DEVNULL) as one:
            async with asyncio.timeout(30):
                while await leaves(log) == before:  # noqa: ASYNC110  another process does it
                    await asyncio.sleep(0.01)
            await asyncio.sleep(later_s)
            os.kill(one.pid, signal.SIGKILL)

    appending = asyncio.create_task(file_for(log, 30.0))
    for later_s in (0.0, 0.013, 0.7):
        await killed_in_the_middle(later_s)
    appending.cancel()
    await asyncio.gather(appending, return_exceptions=True)
    await log.seal()
    assert await log.value("SELECT count(*) FROM passage.leaf WHERE stream IS NOT NULL") == await log.value(
        "SELECT count(*) FROM passage.events"
    )
    assert await log.codes() == set()


async def file_for(log: SealedLog, seconds: float) -> None:
    end = asyncio.get_running_loop().time() + seconds
    while asyncio.get_running_loop().time() < end:
        await log.file()


async def test_nobody_is_accused_while_appends_and_seals_go_on(log: SealedLog) -> None:
    await log.seal()
    stopped = asyncio.Event()
    sealing = asyncio.create_task(Sealing(log.sealer, 0.05, 0.5).run(stopped))
    appending = asyncio.create_task(file_for(log, 6.0))
    seen: list[int] = []
    while not appending.done():
        found = await log.verify(await log.checkpoint(), maps=None)
        seen.append(found.result.events)
        assert found.faults == []
    stopped.set()
    await sealing
    assert len(set(seen)) > 2


async def test_an_erased_case_and_the_access_log_verify(log: SealedLog) -> None:
    erased, held = await log.file(), await log.file()
    for case_id in (erased, held):
        await log.authorize(case_id)
        await log.withdraw(case_id)
    kept = (await log.seal_map(), await log.checkpoint())[1]
    keys = DirectoryKeyStore(log.keys)
    store = await PostgresStore.connect(log.database_url, keys, connections=2, role="passage_eraser")
    cases = CaseRepository(store, store.inbox, Lookups(await keys.pepper()))
    order = ErasureOrder(
        case_id=erased, first=claimed("officer", "o-1"), second=claimed("officer", "o-2"), because="retention-ended"
    )
    await erase(cases, keys, order, day(900))
    await hold(cases, held, claimed("officer", "o-1"), "litigation", "hold:1", day(900))
    await store.close()
    assert await log.codes(kept) == set()
    await log.seal_map()
    assert await log.codes(kept, maps=None) == set()
    await log.attack("DELETE FROM passage.legal_hold")
    assert await log.codes(kept) == {Code.LEGAL_HOLD_DIFFERS}


async def test_pauses_and_waits_are_not_taken_for_edits(log: SealedLog) -> None:
    """Heads whose limits moved with the programme, and some that nobody has told yet."""
    travelling, asked = await log.file(), await log.file()
    await log.authorize(travelling)
    for number, message in enumerate((ProgrammeSuspension(), ProgrammeResumption(), ProgrammeSuspension())):
        await log.command_programme(message, day(3 + number))
        assert await log.codes() == set()
        await log.take_all(travelling, day(3.5 + number))
        assert await log.codes() == set()
    await log.withdraw(asked, day(7))
    assert await log.codes() == set()


async def test_what_waits_longer_than_the_published_lag_is_told(log: SealedLog) -> None:
    case_id = await log.file()
    later = await log.verify(clock=lambda: machine_clock() + MAX_LAG + timedelta(seconds=1))
    assert later.codes == {Code.SEAL_LATE}
    assert {fault.stream for fault in later.faults} == {case_id, "venezuela-air"}
    await log.seal()
    assert await log.codes(clock=lambda: machine_clock() + MAX_LAG * 2) == set()


async def test_a_sealer_measures_its_longest_lag(log: SealedLog) -> None:
    await log.file()
    await log.sealer.seal()
    await asyncio.sleep(0.3)
    await log.sealer.sign()
    assert timedelta(seconds=0.3) <= log.sealer.longest_lag < MAX_LAG


async def test_an_event_that_is_gone_stops_the_seal(log: SealedLog) -> None:
    case_id = await log.file()
    await log.attack(f"DELETE FROM passage.events WHERE stream = '{case_id}' AND version = 2")
    for _ in range(2):
        with pytest.raises(EventGone):
            await log.sealer.seal()
    assert await leaves(log) == 0


async def test_a_restored_log_is_not_signed_again(log: SealedLog) -> None:
    await log.file()
    await log.seal()
    await log.attack(
        "DELETE FROM passage.leaf", "DELETE FROM passage.tile", "DELETE FROM passage.checkpoint",
        "UPDATE passage.log_size SET size = 0",
        "INSERT INTO passage.unsealed (stream, first_version, last_version) "
        "SELECT stream, 1, max(version) FROM passage.events GROUP BY stream",
    )  # fmt: skip
    async with opened_sealer(log.database_url, log.keys, ORIGIN) as fresh:
        with pytest.raises(SealRefused, match="log-restored"):
            await fresh.seal()


async def test_a_changed_tree_is_not_signed_again(log: SealedLog) -> None:
    await log.file()
    await log.seal()
    await log.attack("UPDATE passage.tile SET hashes = set_byte(hashes, 0, get_byte(hashes, 0) # 1)")
    async with opened_sealer(log.database_url, log.keys, ORIGIN) as fresh:
        with pytest.raises(SealRefused, match="log-forked"):
            await fresh.seal()


async def test_another_key_does_not_sign_this_log(log: SealedLog, tmp_path: Path) -> None:
    await log.file()
    await log.seal()
    with pytest.raises(LogKeyMissing):
        async with opened_sealer(log.database_url, tmp_path / "another", ORIGIN):
            pass
    assert not (tmp_path / "another").exists()
    make_log_key(tmp_path / "another", ORIGIN)
    async with opened_sealer(log.database_url, tmp_path / "another", ORIGIN) as stranger:
        with pytest.raises(SealRefused, match="log-of-another-key"):
            await stranger.seal()


async def test_many_appends_are_taken_in_bounded_pieces(log: SealedLog) -> None:
    for _ in range(3):
        await log.file()
    size = 0
    for _ in range(4):
        taken = await log.value("SELECT count(*) FROM passage.take_leaves($1, 1)", size)
        assert 0 < taken <= 2
        size += taken
    assert await log.value("SELECT count(*) FROM passage.take_leaves($1, 1)", size) == 0
    assert await log.value("SELECT count(*) FROM passage.take_leaves($1, 1)", size - 1) == 0
    assert APPENDS_AT_ONCE > 1


async def test_a_map_holds_the_head_of_every_stream_as_of_its_leaf(log: SealedLog) -> None:
    case_id = await log.file()
    await log.seal_map()
    connection = await asyncpg.connect(log.database_url)

    async def heads(size: int) -> list[tuple[str, int]]:
        async with connection.transaction():
            return [(entry.stream, entry.version) async for entry in map_entries(connection, size)]

    before = await heads(3)
    assert before == [(case_id, 2), ("venezuela-air", 1)]
    await log.withdraw(case_id)
    await log.seal()
    assert await heads(3) == before
    assert [version for _, version in await heads(99)] == [4, 1]
    await connection.close()
    assert MAPS_REBUILT > 0
    assert MapEntry("a", 1, bytes(32)).leaf != MapEntry("a", 2, bytes(32)).leaf


async def test_an_auditor_and_the_program_can_be_run_from_a_terminal(log: SealedLog, tmp_path: Path) -> None:
    case_id = await log.file()
    await log.seal_map()

    def passage(*arguments: str) -> subprocess.CompletedProcess[str]:
        environment = child_environment(
            {"PASSAGE_DATABASE_URL": log.database_url, "PASSAGE_DATA_DIR": str(tmp_path / "none")}, without="PASSAGE_"
        )
        command = [sys.executable, "-c", "from cli.main import run; run()", *arguments]
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)

    key = str(FileLogKey(log.keys).verifier)
    kept = passage("audit", "checkpoint")
    assert kept.stdout.startswith(f"{ORIGIN}\n4\n")
    file = tmp_path / "kept"
    file.write_text(kept.stdout)
    whole = passage("audit", "verify", "--key", key, "--checkpoint", str(file))
    assert (whole.returncode, whole.stderr) == (0, "")
    assert whole.stdout.splitlines()[0] == "3 events of 2 streams, 4 leaves"
    assert whole.stdout.splitlines()[-1] == "The log is whole."
    without_key = passage("audit", "verify")
    assert (without_key.returncode, without_key.stdout) == (2, "")
    assert without_key.stderr.startswith("passage: no verifier key")
    file.write_text(kept.stdout.replace("\n4\n", "\n5\n"))
    forged = passage("audit", "verify", "--key", key, "--checkpoint", str(file))
    assert forged.returncode == 2
    assert "is no checkpoint of this log" in forged.stderr
    await log.attack(f"UPDATE passage.events SET actor = 'x' WHERE stream = '{case_id}' AND version = 1")
    found = passage("audit", "verify", "--key", key)
    assert found.returncode == 1
    assert f"column-edited  {case_id}:1  actor" in found.stdout.splitlines()
    assert found.stderr == "passage: the log does not verify: 1 faults\n"
    assert (
        f'{{"fault":{{"code":"column-edited","stream":"{case_id}","version":1,"detail":"actor"}}}}'
        in passage("audit", "verify", "--key", key, "--json").stdout
    )
