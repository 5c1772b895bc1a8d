"""The simulated partners as a process: they answer when it is time, whatever happens to them or to the gateway."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest

from domain import registry
from tests.support.partner_calls import APPLICATION, CANARIES, CASE_ID, OTHER_CASE_ID, a_check, served
from tests.support.partner_process import DOMAIN_EPOCH, PARTNERS, Gateway, Simulators


@pytest.fixture
async def gateway() -> Gateway:
    return Gateway()


@asynccontextmanager
async def running(tmp_path: Path, gateway: Gateway) -> AsyncIterator[Simulators]:
    async with served(gateway.app()) as gateway_url:
        simulators = Simulators(tmp_path / "data", gateway_url)
        await simulators.start()
        try:
            yield simulators
        finally:
            await simulators.stop(signal.SIGKILL)


@pytest.fixture
async def simulators(tmp_path: Path, gateway: Gateway) -> AsyncIterator[Simulators]:
    async with running(tmp_path, gateway) as simulators:
        yield simulators


async def test_each_partner_answers_as_the_gateway_reads_it(simulators: Simulators, gateway: Gateway) -> None:
    quick = {
        "sponsor_registry": {"answer": "sponsor.not_confirmed", "after": "PT1H", "why": "insufficient-resources"},
        "entry_records": {"answer": "entry.matched", "after": "PT2H", "entered_at": "2022-09-01T10:00:00-05:00"},
        "vetting": {"answer": "vetting.hit", "after": "PT3H", "kind": "name-match"},
        "work_permit_office": {"answer": "work_permit.eligible", "after": "PT4H"},
    }
    assert await simulators.put("/scripts/default", quick) == 204

    for partner in PARTNERS:
        await simulators.call(a_check(partner))

    received = {partner: (message_id, body) for _, partner, message_id, body in await gateway.arrived(4)}
    for sender, (message_id, body) in received.items():
        assert message_id == f"{CASE_ID}:{sender}:answer"
        assert body.pop("case") == CASE_ID
        assert body["request_id"] == f"{CASE_ID}:{sender}"
        assert sender in registry.family_of(CASE_ID).read(body).SENDERS
    assert received["sponsor_registry"][1]["why"] == "insufficient-resources"
    assert received["entry_records"][1]["entered_at"] == "2022-09-01T10:00:00-05:00"
    assert received["vetting"][1]["kind"] == "name-match"


async def test_an_answer_comes_when_domain_time_has_passed_since_the_accepted_call(
    simulators: Simulators, gateway: Gateway
) -> None:
    await simulators.tell(after="P1D", fail=1)  # a day is a second

    called = asyncio.get_running_loop().time()
    with pytest.raises(Exception, match="vetting: http-503"):
        await simulators.call()
    await asyncio.sleep(0.3)
    accepted = await simulators.call()
    at = (await gateway.arrived(1))[0][0]

    assert 1.25 <= at - called < 4
    assert accepted.accepted_at >= DOMAIN_EPOCH + timedelta(days=0.3)


async def test_killed_before_it_answers_it_answers_after_the_restart(simulators: Simulators, gateway: Gateway) -> None:
    await simulators.tell(answer="vetting.hit", after="P1D", kind="name-match")
    first = await simulators.call()
    await simulators.stop(signal.SIGKILL)
    await asyncio.sleep(1.2)
    assert gateway.received == []

    await simulators.start()
    (_, _, message_id, body), *_ = await gateway.arrived(1)

    assert (message_id, body["message"]) == (f"{CASE_ID}:vetting:answer", "vetting.hit")
    assert await simulators.call() == first
    await asyncio.sleep(0.5)
    assert len(gateway.received) == 1


async def test_a_restart_forgets_no_script_and_no_count_of_failed_calls(
    simulators: Simulators, gateway: Gateway
) -> None:
    await simulators.tell(answer="vetting.referred", flags=["x"], fail=2)
    with pytest.raises(Exception, match="http-503"):
        await simulators.call()
    await simulators.stop(signal.SIGKILL)
    await simulators.start()

    with pytest.raises(Exception, match="http-503"):
        await simulators.call()
    await simulators.call()

    assert (await gateway.arrived(1))[0][3]["message"] == "vetting.referred"


async def test_a_gateway_that_is_unwell_gets_the_answer_once_it_is_well(
    simulators: Simulators, gateway: Gateway
) -> None:
    gateway.statuses = [503, 500, 429]
    await simulators.tell(after="PT1H")

    await simulators.call()

    await gateway.arrived(1)
    assert gateway.attempts == 4


async def test_an_answer_that_the_gateway_refuses_is_not_sent_again(simulators: Simulators, gateway: Gateway) -> None:
    gateway.statuses = [404]
    await simulators.tell(after="PT0S")
    await simulators.call()
    await simulators.call(a_check(case_id=OTHER_CASE_ID, request_id="r:2"))
    await asyncio.sleep(1)

    assert gateway.attempts == 1
    assert '"event": "answer_refused"' in simulators.log()


async def test_an_early_answer_is_there_before_the_receipt(simulators: Simulators, gateway: Gateway) -> None:
    await simulators.tell(after="P100D", faults={"early": True})

    await simulators.call()

    assert len(gateway.received) == 1


async def test_an_early_answer_does_not_fail_the_call_when_the_gateway_hangs(
    simulators: Simulators, gateway: Gateway
) -> None:
    gateway.statuses = [503]
    await simulators.tell(faults={"early": True})

    await simulators.call()

    await gateway.arrived(1)


async def test_an_answer_told_to_come_twice_comes_twice_under_one_id(simulators: Simulators, gateway: Gateway) -> None:
    await simulators.tell(after="PT1H", faults={"twice": True})

    await simulators.call()

    first, second = await gateway.arrived(2)
    assert first[1:] == second[1:]


@pytest.mark.parametrize("known", [True, False])
async def test_an_answer_about_another_case_comes_under_an_id_of_its_own_and_the_right_one_too(
    simulators: Simulators, gateway: Gateway, known: bool
) -> None:
    if known:
        await simulators.call(a_check(case_id=OTHER_CASE_ID, request_id="r:2"))
    await simulators.tell(faults={"wrong_case": True})

    await simulators.call()

    received = {message_id: body["case"] for _, _, message_id, body in await gateway.arrived(2)}
    assert received[f"{CASE_ID}:vetting:answer"] == CASE_ID
    assert received[f"{CASE_ID}:vetting:wrong-case"] != CASE_ID
    assert (received[f"{CASE_ID}:vetting:wrong-case"] == OTHER_CASE_ID) is known


async def test_a_silent_partner_takes_the_call_and_never_answers(simulators: Simulators, gateway: Gateway) -> None:
    await simulators.tell(answer="none")

    await simulators.call()
    await asyncio.sleep(0.5)

    assert gateway.attempts == 0


async def test_a_partner_too_slow_for_the_call_has_taken_it_all_the_same(
    simulators: Simulators, gateway: Gateway
) -> None:
    await simulators.tell(after="PT1H", faults={"slow_s": 3.0})

    with pytest.raises(Exception, match="vetting: timeout"):
        await simulators.call(timeout_s=0.3)
    await simulators.call(timeout_s=2)

    await gateway.arrived(1)
    await asyncio.sleep(0.5)
    assert gateway.attempts == 1


async def test_a_script_is_found_by_the_passport_of_the_first_call_and_stays_with_the_case(
    simulators: Simulators, gateway: Gateway
) -> None:
    script = {
        "sponsor_registry": {"answer": "sponsor.needs_review", "flags": ["x"]},
        "vetting": {"answer": "vetting.hit", "kind": "name-match"},
    }
    scripts = [{"passport_number": APPLICATION.beneficiary.passport.number, "partners": script}]
    assert await simulators.put("/scripts/passports", scripts) == 204
    passport = APPLICATION.beneficiary.passport.model_copy(update={"number": "NEW"})
    changed = APPLICATION.model_copy(
        update={"beneficiary": APPLICATION.beneficiary.model_copy(update={"passport": passport})}
    )

    await simulators.call(a_check("sponsor_registry"))
    await simulators.call(a_check("vetting", application=changed))
    await simulators.tell(case_id=OTHER_CASE_ID)
    await simulators.call(a_check("vetting", application=changed, case_id=OTHER_CASE_ID, request_id="r:2"))

    said = {(partner, body["case"]): body["message"] for _, partner, _, body in await gateway.arrived(3)}
    assert said == {
        ("sponsor_registry", CASE_ID): "sponsor.needs_review",
        ("vetting", CASE_ID): "vetting.hit",
        ("vetting", OTHER_CASE_ID): "vetting.cleared",
    }


async def test_the_same_key_for_another_case_is_refused(simulators: Simulators) -> None:
    await simulators.call()

    with pytest.raises(Exception, match="vetting: http-422"):
        await simulators.call(a_check(case_id=OTHER_CASE_ID, request_id=a_check().request_id))


async def test_a_behaviour_that_cannot_be_is_refused(simulators: Simulators) -> None:
    impossible: list[tuple[str, Any]] = [
        ("/scripts/default", {"vetting": {"answer": "vetting.hit", "kindd": "x"}}),
        ("/scripts/default", {"vetting": {"answer": "sponsor.confirmed"}}),
        ("/scripts/VEN-1111-1112", {}),
        ("/scripts/passports", [{"passport_number": "", "partners": {}}]),
    ]
    for path, body in impossible:
        assert await simulators.put(path, body) == 422, path


async def test_a_request_outside_the_agreement_is_refused_without_repeating_it(simulators: Simulators) -> None:
    body = {"beneficiary": APPLICATION.beneficiary.model_dump(mode="json"), "case_id": CANARIES[0]}
    async with httpx2.AsyncClient(trust_env=False) as http:
        response = await http.post(f"{simulators.url}/vetting/v1/requests", json=body, headers={"Idempotency-Key": "r"})

    assert response.status_code == 422
    assert [each for each in CANARIES if each in response.text] == []


async def test_no_log_and_no_file_holds_personal_data(simulators: Simulators, gateway: Gateway, tmp_path: Path) -> None:
    gateway.statuses = [503, 404]
    number = APPLICATION.beneficiary.passport.number
    await simulators.put("/scripts/passports", [{"passport_number": number, "partners": {}}])
    for partner in PARTNERS:
        await simulators.call(a_check(partner))
    await simulators.stop()

    kept = b"".join(file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())
    assert CASE_ID.encode() in kept
    assert [each for each in CANARIES if each.encode() in kept] == []


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
async def test_it_ends_in_order_when_asked(simulators: Simulators, how: signal.Signals) -> None:
    assert await simulators.stop(how) == 0
    assert "Traceback" not in simulators.log()
