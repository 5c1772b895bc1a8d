"""What holds of a call whoever carries it: a fake transport, and a real server on a real socket."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI, Request, Response

from activities.failures import FAILURES, code_of
from activities.partners.client import RESPONSE_MAX_BYTES, RETRY_AFTER_MAX_S
from activities.partners.clients import PartnerClients, open_partner_clients
from activities.partners.errors import PartnerBusy, PartnerError, PartnerMalformed, PartnerMisdirected
from domain.kernel.ids import Code
from simulators.scripts import PARTNERS
from tests.support.partner_calls import CASE_ID, OTHER_CASE_ID, a_check, served

REQUEST_ID = a_check().request_id
RECEIPT: dict[str, Any] = {"request_id": REQUEST_ID, "accepted_at": "2022-10-20T14:00:01Z"}
ANSWER = {"case": CASE_ID, "message": "vetting.cleared", "request_id": REQUEST_ID}


class Script:
    """How the partner answers whatever it is asked, and what it was asked."""

    def __init__(self) -> None:
        self.status, self.body, self.headers = 202, b"", dict[str, str]()
        self.keys: list[str | None] = []

    def says(self, status: int, body: Any = None, **headers: str) -> None:
        self.status, self.body = status, json.dumps(body).encode()
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}

    def fake(self, request: httpx2.Request) -> httpx2.Response:
        self.keys.append(request.headers.get("Idempotency-Key"))
        return httpx2.Response(self.status, content=self.body, headers=self.headers)

    def app(self) -> FastAPI:
        app = FastAPI()

        @app.api_route("/{_:path}", methods=["GET", "POST"])
        async def answer(request: Request) -> Response:
            self.keys.append(request.headers.get("Idempotency-Key"))
            return Response(self.body, self.status, self.headers)

        return app


@asynccontextmanager
async def faked(script: Script) -> AsyncIterator[PartnerClients]:
    urls: dict[Code, str] = dict.fromkeys(PARTNERS, "https://partner.example")
    transport = httpx2.MockTransport(script.fake)
    async with open_partner_clients(urls, "http://gateway.example", transport=transport) as clients:
        yield clients


@asynccontextmanager
async def over_http(script: Script) -> AsyncIterator[PartnerClients]:
    async with served(script.app()) as url:
        urls: dict[Code, str] = dict.fromkeys(PARTNERS, url)
        async with open_partner_clients(urls, "http://gateway.example") as clients:
            yield clients


@pytest.fixture
def script() -> Script:
    return Script()


@pytest.fixture(params=[faked, over_http], ids=["fake", "http"])
async def clients(request: pytest.FixtureRequest, script: Script) -> AsyncIterator[PartnerClients]:
    opened: Callable[[Script], AbstractAsyncContextManager[PartnerClients]] = request.param
    async with opened(script) as clients:
        yield clients


async def call(clients: PartnerClients) -> PartnerError:
    with pytest.raises(PartnerError) as raised:
        await clients.call("vetting", a_check())
    return raised.value


async def ask(clients: PartnerClients) -> PartnerError:
    with pytest.raises(PartnerError) as raised:
        await clients.status("vetting", REQUEST_ID, CASE_ID)
    return raised.value


async def test_every_attempt_of_a_request_has_the_same_key(clients: PartnerClients, script: Script) -> None:
    for status in (500, 429):
        script.says(status)
        await call(clients)
    script.says(202, RECEIPT)
    await clients.call("vetting", a_check())
    assert script.keys == [REQUEST_ID] * 3


@pytest.mark.parametrize(("asked", "pause_s"), [("90", 90.0), ("86400", RETRY_AFTER_MAX_S)])
async def test_a_pause_in_seconds_is_kept_and_bounded(
    clients: PartnerClients, script: Script, asked: str, pause_s: float
) -> None:
    for status in (429, 503):
        script.says(status, Retry_After=asked)
        for error in (await call(clients), await ask(clients)):
            assert (type(error), error.retry_after_s) == (PartnerBusy, pause_s)


@pytest.mark.parametrize(
    ("asked", "pause_s"), [(timedelta(seconds=90), 90.0), (timedelta(days=1), RETRY_AFTER_MAX_S), (-timedelta(1), 0.0)]
)
async def test_a_pause_until_a_date_is_kept_and_bounded(
    clients: PartnerClients, script: Script, asked: timedelta, pause_s: float
) -> None:
    until = datetime.now(UTC) + asked
    for status in (429, 503):
        script.says(status, Retry_After=format_datetime(until, usegmt=True))
        error = await call(clients)
        assert isinstance(error, PartnerBusy)
        assert error.retry_after_s == pytest.approx(pause_s, abs=5)


async def test_what_is_longer_than_any_receipt_is_not_read_to_its_end(clients: PartnerClients, script: Script) -> None:
    script.says(202, {**RECEIPT, "remarks": "x" * (RESPONSE_MAX_BYTES * 40)})
    error = await call(clients)
    assert (type(error), error.code) == (PartnerMalformed, "too-long")


async def test_what_is_longer_than_any_answer_is_not_read_to_its_end(clients: PartnerClients, script: Script) -> None:
    answer = {**ANSWER, "remarks": "x" * (RESPONSE_MAX_BYTES * 40)}
    script.says(200, {"request_id": REQUEST_ID, "state": "answered", "message_id": "m-1", "answer": answer})
    error = await ask(clients)
    assert (type(error), error.code) == (PartnerMalformed, "too-long")


@pytest.mark.parametrize(
    ("receipt", "code"),
    [({"request_id": "r:2"}, "another-request"), ({"case_id": OTHER_CASE_ID}, "another-case")],
)
async def test_a_receipt_about_something_else_is_refused_and_an_alarm(
    clients: PartnerClients, script: Script, receipt: dict[str, str], code: str
) -> None:
    script.says(202, RECEIPT | receipt)
    _assert_alarm(await call(clients), code)


@pytest.mark.parametrize(
    ("answer", "code"), [({"request_id": "r:2"}, "another-request"), ({"case": OTHER_CASE_ID}, "another-case")]
)
async def test_an_answer_about_something_else_is_refused_and_an_alarm(
    clients: PartnerClients, script: Script, answer: dict[str, str], code: str
) -> None:
    said = {"request_id": REQUEST_ID, "state": "answered", "message_id": "m-1", "answer": ANSWER | answer}
    script.says(200, said)
    _assert_alarm(await ask(clients), code)


def _assert_alarm(error: PartnerError, code: str) -> None:
    assert (type(error), error.code) == (PartnerMisdirected, code)
    assert FAILURES[code_of(error)].alarm
