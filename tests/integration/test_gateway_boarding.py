"""Boarding checks: answered from Postgres at once, and never `ok` over a message that nobody has read yet."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cases.inbound.wire import senders_of
from domain import registry
from domain.humanitarian_parole.case import may_travel
from domain.humanitarian_parole.world import World
from domain.kernel.decider import decide_or_reject
from domain.kernel.messages import TakeMessage
from gateway.http.examples import MESSAGES
from tests.support.gateway import PROGRAMME, Desk, gateway_desk
from tests.support.given import named

FAMILY = registry.programme(PROGRAMME).family
ENDING_KINDS = FAMILY.ending_kinds
ABOUT_ENTRY = {each.name for each in FAMILY.partners["entry_records"].answers}
"""Held until read, and rejected then: a case from outside Mexico is never asked about."""


@pytest.fixture
async def desk(database_url: str, tmp_path: Path) -> AsyncIterator[Desk]:
    async with gateway_desk(database_url, tmp_path / "keys") as opened:
        yield opened


async def test_who_is_authorized_may_board_until_the_last_moment(desk: Desk) -> None:
    case_id = await desk.authorized_case()
    assert await desk.board(case_id) == "ok"
    desk.moments.append(datetime(2023, 1, 19, 4, 59, 59, tzinfo=UTC))
    assert await desk.board(case_id) == "ok"
    desk.moments.append(datetime(2023, 1, 19, 5, tzinfo=UTC))
    assert await desk.board(case_id) == "expired"


async def test_who_is_not_authorized_may_not(desk: Desk) -> None:
    case_id = await desk.filed_case()
    assert await desk.board(case_id) == "none"
    await desk.take_all(case_id)
    assert await desk.board(case_id) == "none"
    nobody = await desk.http.post("/v1/boarding-checks", json={"case": "VEN-1111-1111"})
    assert nobody.status_code == 404


@pytest.mark.parametrize("name", sorted(ENDING_KINDS - {"programme.changed"}))
async def test_an_unread_message_that_could_end_it_holds(desk: Desk, name: str) -> None:
    case_id = await desk.authorized_case()
    sent = await desk.send(senders_of(name)[0], "m-1", {**MESSAGES[name], "case": case_id})
    assert sent.status_code == 202
    assert await desk.board(case_id) == "held"
    await desk.take_all(case_id)
    assert (await desk.board(case_id) == "ok") == (name in ABOUT_ENTRY)


async def test_an_unread_message_that_cannot_end_it_does_not_hold(desk: Desk) -> None:
    case_id = await desk.authorized_case()
    await desk.send("supporter", "m-1", {"case": case_id, "message": "authorization.extension_requested"})
    assert await desk.board(case_id) == "ok"


async def test_a_crossing_revokes(desk: Desk) -> None:
    case_id = await desk.authorized_case()
    await desk.send("border", "m-1", {**MESSAGES["border.irregular_crossing"], "case": case_id})
    await desk.take_all(case_id)
    assert await desk.board(case_id) == "revoked"


async def test_a_suspension_holds_everybody_at_once(desk: Desk) -> None:
    case_id = await desk.authorized_case()
    await desk.send("governments", "g-1", {"programme": PROGRAMME, "message": "programme.suspended"})
    assert await desk.board(case_id) == "held"
    await desk.take_all(case_id)
    await desk.send("governments", "g-2", {"programme": PROGRAMME, "message": "programme.resumed"})
    await desk.take_all(case_id)
    assert await desk.board(case_id) == "ok"


async def test_a_question_leaves_no_trace_in_the_case(desk: Desk) -> None:
    case_id = await desk.authorized_case()
    before = (await desk.store.load(case_id)).version, await desk.rows()
    await desk.board(case_id)
    assert ((await desk.store.load(case_id)).version, await desk.rows()) == before


async def test_no_other_message_can_end_what_was_ok(desk: Desk) -> None:
    """The list of kinds that hold is complete: no kind left out turns an `ok` into anything else."""
    case_id = await desk.authorized_case()
    case, programme = await desk.deps.cases.case(case_id), await desk.deps.cases.programme(PROGRAMME)
    rules, now = desk.deps.cases.rules_of(case, programme), desk.moments[-1]
    world = World(now=now, rules=rules, programme=programme, place="reserved")
    assert may_travel(case, programme, rules, now) == "ok"
    for name in sorted(set(MESSAGES) - ENDING_KINDS):
        if name.startswith("programme."):
            continue
        fields = {field: value for field, value in MESSAGES[name].items() if field != "case"}
        message = FAMILY.read(fields)
        command = TakeMessage(senders_of(name)[0], "m-1", message, now, named(message))
        after = decide_or_reject(FAMILY, case, command, world).case
        assert may_travel(after, programme, rules, now) == "ok", name
