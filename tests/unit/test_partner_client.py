"""What a partner's reply means, and that nothing of the request or the reply gets into an error."""

import asyncio
import json
import traceback
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

import httpx2
import pytest

from activities.partners.clients import PartnerClients, open_partner_clients
from activities.partners.errors import (
    PartnerBusy,
    PartnerError,
    PartnerMalformed,
    PartnerMisdirected,
    PartnerRefused,
    PartnerUnavailable,
)
from domain.kernel.ids import Code
from tests.support.partner_calls import CANARIES, CASE_ID, OTHER_CASE_ID, a_check

URLS: dict[Code, str] = {
    "sponsor_registry": "https://sponsors.example/base/",
    "entry_records": "https://entries.example",
    "vetting": "https://vetting.example",
    "work_permit_office": "https://permits.example",
}
GATEWAY = "https://gateway.example/"
ECHO = " ".join(CANARIES)
"""What a partner that repeats the personal data it was sent would write."""

Handler = Callable[[httpx2.Request], Any]


def receipt(**changed: Any) -> bytes:
    said = {"request_id": f"{CASE_ID}:vetting", "accepted_at": "2022-10-20T14:00:01Z", **changed}
    return json.dumps(said).encode()


def replies(status: int, content: bytes = b"", **headers: str) -> Handler:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda _request: httpx2.Response(status, stream=httpx2.ByteStream(content), headers=named)


async def call(handler: Handler, partner: Code = "vetting", timeout_s: float = 5.0) -> Any:
    async with open_partner_clients(
        URLS, GATEWAY, transport=httpx2.MockTransport(handler), timeout_s=timeout_s
    ) as clients:
        return await clients.call(partner, a_check(partner))


async def failure(handler: Handler, timeout_s: float = 5.0) -> PartnerError:
    with pytest.raises(PartnerError) as raised:
        await call(handler, timeout_s=timeout_s)
    return raised.value


async def sent(partner: Code) -> httpx2.Request:
    requests: list[httpx2.Request] = []

    def handler(request: httpx2.Request) -> httpx2.Response:
        requests.append(request)
        return httpx2.Response(202, content=receipt(request_id=f"{CASE_ID}:{partner}"))

    await call(handler, partner)
    assert len(requests) == 1
    return requests[0]


async def test_a_receipt_says_when_the_partner_took_the_request() -> None:
    accepted = await call(replies(202, receipt(case_id=CASE_ID, added_later="ignored")))

    assert accepted.accepted_at == datetime(2022, 10, 20, 14, 0, 1, tzinfo=UTC)


@pytest.mark.parametrize("partner", URLS)
async def test_each_partner_is_asked_at_its_own_address_under_the_request_id(partner: Code) -> None:
    request = await sent(partner)

    assert str(request.url) == f"{URLS[partner].rstrip('/')}/v1/requests"
    assert request.headers["Idempotency-Key"] == f"{CASE_ID}:{partner}"
    body = json.loads(request.content)
    assert (body["request_id"], body["case_id"]) == (f"{CASE_ID}:{partner}", CASE_ID)
    assert body["requested_at"] == "2022-10-20T14:00:00Z"
    assert body["reply_to"] == f"https://gateway.example/v1/partners/{partner}/messages"


@pytest.mark.parametrize(
    ("partner", "told", "not_told"),
    [
        ("sponsor_registry", ("900-00-CANARY", "CANARY151234567"), ("canary-fmm-77", "Tapachula")),
        ("entry_records", ("CANARY151234567", "canary-fmm-77", "Tapachula"), ("900-00-CANARY", "Luiscanary")),
        ("vetting", ("CANARY151234567", "1990-05-14"), ("900-00-CANARY", "Luiscanary", "canary-fmm-77")),
        ("work_permit_office", ("CANARY151234567",), ("900-00-CANARY", "Luiscanary", "canary-fmm-77", "Tapachula")),
    ],
)
async def test_each_partner_is_told_what_it_needs_and_no_more(
    partner: Code, told: tuple[str, ...], not_told: tuple[str, ...]
) -> None:
    body = (await sent(partner)).content.decode()

    assert [each for each in told if each not in body] == []
    assert [each for each in not_told if each in body] == []


@pytest.mark.parametrize(
    ("handler", "error", "code"),
    [
        (replies(500), PartnerUnavailable, "http-500"),
        (replies(503), PartnerUnavailable, "http-503"),
        (replies(408), PartnerUnavailable, "http-408"),
        (replies(429), PartnerBusy, "http-429"),
        (replies(503, Retry_After="7"), PartnerBusy, "http-503"),
        (replies(400), PartnerRefused, "http-400"),
        (replies(401), PartnerRefused, "http-401"),
        (replies(422), PartnerRefused, "http-422"),
        (replies(200, receipt()), PartnerMalformed, "http-200"),
        (replies(204), PartnerMalformed, "http-204"),
        (replies(202, b'{"request_id": "VEN'), PartnerMalformed, "not-a-receipt"),
        (replies(202, b"\xff\xfe"), PartnerMalformed, "not-a-receipt"),
        (replies(202, b"[" * 60_000), PartnerMalformed, "not-a-receipt"),
        (replies(202, receipt(accepted_at="2022-10-20T14:00:01")), PartnerMalformed, "not-a-receipt"),
        (replies(202, b"{}"), PartnerMalformed, "not-a-receipt"),
        (replies(202, receipt(remarks="x" * 70_000)), PartnerMalformed, "too-long"),
        (replies(202, receipt(), Content_Encoding="gzip"), PartnerMalformed, "encoded"),
        (replies(202, receipt(request_id="another:1")), PartnerMisdirected, "another-request"),
        (replies(202, receipt(case_id=OTHER_CASE_ID)), PartnerMisdirected, "another-case"),
    ],
)
async def test_a_reply_is_classified(handler: Handler, error: type[PartnerError], code: str) -> None:
    found = await failure(handler)

    assert (type(found), found.code, found.partner) == (error, code, "vetting")
    assert str(found) == f"vetting: {code}"


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_a_redirect_is_not_followed(status: int) -> None:
    hosts: list[str] = []

    def handler(request: httpx2.Request) -> httpx2.Response:
        hosts.append(request.url.host)
        return httpx2.Response(status, headers={"Location": "https://elsewhere.example/v1/requests"})

    assert isinstance(await failure(handler), PartnerMalformed)
    assert hosts == ["vetting.example"]


@pytest.mark.parametrize(
    ("header", "pause_s"),
    [
        ("0", 0.0),
        ("7", 7.0),
        ("3600", 3600.0),
        ("3601", 3600.0),
        ("9" * 5000, 3600.0),
        ("-1", None),
        ("1.5", None),
        ("٣", None),
        ("soon", None),
        ("", None),
    ],
)
async def test_the_pause_asked_for_in_seconds_is_bounded(header: str, pause_s: float | None) -> None:
    found = await failure(replies(429, Retry_After=header) if header.isascii() else _raw_retry_after(header))

    assert found.retry_after_s == pause_s


def _raw_retry_after(header: str) -> Handler:
    return lambda _request: httpx2.Response(429, headers=[(b"Retry-After", header.encode())])


@pytest.mark.parametrize(
    ("minute", "pause_s"), [(-10, 0.0), (0, 0.0), (2, 120.0), (59, 3540.0), (61, 3600.0), (100_000, 3600.0)]
)
async def test_the_pause_asked_for_as_a_date_is_measured_by_the_partners_own_clock(minute: int, pause_s: float) -> None:
    says = datetime(2001, 2, 3, 4, 5, tzinfo=UTC)  # years off ours
    until = datetime.fromtimestamp(says.timestamp() + 60 * minute, UTC)

    found = await failure(
        replies(503, Retry_After=format_datetime(until, usegmt=True), Date=format_datetime(says, usegmt=True))
    )

    assert (type(found), found.retry_after_s) == (PartnerBusy, pause_s)


@pytest.mark.parametrize(
    ("trouble", "code"),
    [
        (httpx2.ConnectError(ECHO), "connection"),
        (httpx2.ReadError(ECHO), "connection"),
        (httpx2.RemoteProtocolError(ECHO), "connection"),
        (ConnectionResetError(ECHO), "connection"),
        (httpx2.ReadTimeout(ECHO), "timeout"),
        (httpx2.PoolTimeout(ECHO), "timeout"),
    ],
)
async def test_a_partner_that_is_not_reached_is_unavailable(trouble: Exception, code: str) -> None:
    def handler(_request: httpx2.Request) -> httpx2.Response:
        raise trouble

    found = await failure(handler)

    assert (type(found), found.code) == (PartnerUnavailable, code)


async def test_a_partner_that_trickles_is_given_up_in_time() -> None:
    async def trickle() -> AsyncIterator[bytes]:
        while True:
            yield b" "
            await asyncio.sleep(0.01)

    started = asyncio.get_running_loop().time()
    found = await failure(lambda _request: httpx2.Response(202, content=trickle()), timeout_s=0.2)

    assert (type(found), found.code) == (PartnerUnavailable, "timeout")
    assert asyncio.get_running_loop().time() - started < 2


@pytest.mark.parametrize(
    "handler",
    [
        replies(202, ECHO.encode()),
        replies(202, receipt(request_id=CANARIES[0])),
        replies(202, json.dumps({"request_id": ECHO, "accepted_at": ECHO}).encode()),
        replies(422, ECHO.encode()),
        replies(302, Location="https://elsewhere.example/CANARY151234567"),
        replies(429, Retry_After="CANARY151234567"),
    ],
)
async def test_no_error_holds_personal_data_though_the_partner_repeats_it(handler: Handler) -> None:
    _assert_clean(await failure(handler))


async def test_no_error_holds_the_request_though_the_connection_breaks() -> None:
    def handler(request: httpx2.Request) -> httpx2.Response:
        raise httpx2.ConnectError(ECHO, request=request)

    _assert_clean(await failure(handler))


def _assert_clean(found: PartnerError) -> None:
    assert (found.__cause__, found.__context__) == (None, None)
    text = "".join(traceback.format_exception(found)) + repr(found) + repr(vars(found))
    assert [each for each in CANARIES if each in text] == []


async def test_a_request_never_goes_to_another_partner(partners: PartnerClients) -> None:
    with pytest.raises(TypeError, match="VettingCheck was about to go to entry_records"):
        await partners.call("entry_records", a_check("vetting"))


@pytest.fixture
async def partners() -> AsyncIterator[PartnerClients]:
    def handler(_request: httpx2.Request) -> httpx2.Response:
        raise AssertionError("nothing may be sent")

    async with open_partner_clients(URLS, GATEWAY, transport=httpx2.MockTransport(handler)) as clients:
        yield clients


@pytest.mark.parametrize(
    "address", ["", "ftp://vetting.example", "vetting.example", "https://", "http://[::1", "file:///x"]
)
async def test_an_address_that_is_none_is_refused_at_the_start(address: str) -> None:
    with pytest.raises(ValueError, match="the address of vetting is not an http or https address"):
        async with open_partner_clients(URLS | {"vetting": address}, GATEWAY):
            pass


async def test_a_partners_cookie_is_not_sent_back() -> None:
    cookies: list[str | None] = []

    def handler(request: httpx2.Request) -> httpx2.Response:
        cookies.append(request.headers.get("Cookie"))
        return httpx2.Response(202, content=receipt(), headers={"Set-Cookie": "who=1; Path=/"})

    async with open_partner_clients(URLS, GATEWAY, transport=httpx2.MockTransport(handler)) as clients:
        await clients.call("vetting", a_check())
        await clients.call("vetting", a_check())

    assert cookies == [None, None]


def status(**changed: Any) -> bytes:
    answer = {"case": CASE_ID, "message": "vetting.cleared", "request_id": f"{CASE_ID}:vetting"}
    said = {"request_id": f"{CASE_ID}:vetting", "state": "answered", "message_id": "m-1", "answer": answer, **changed}
    return json.dumps(said).encode()


async def asked(handler: Handler) -> Any:
    async with open_partner_clients(URLS, GATEWAY, transport=httpx2.MockTransport(handler)) as clients:
        return await clients.status("vetting", f"{CASE_ID}:vetting", CASE_ID)


async def test_an_answer_is_asked_for_at_the_requests_own_address() -> None:
    requests: list[httpx2.Request] = []

    def handler(request: httpx2.Request) -> httpx2.Response:
        requests.append(request)
        return httpx2.Response(200, content=status())

    given = await asked(handler)

    assert (given.message_id, json.loads(given.body)["message"]) == ("m-1", "vetting.cleared")
    assert [(each.method, str(each.url), each.content) for each in requests] == [
        ("GET", f"https://vetting.example/v1/requests/{CASE_ID}%3Avetting", b"")
    ]


@pytest.mark.parametrize(
    ("handler", "said"),
    [
        (replies(200, status(state="pending", message_id=None, answer=None)), "pending"),
        (replies(404), "unknown"),
        (replies(410), "unknown"),
    ],
)
async def test_no_answer_yet_is_told_from_no_such_request(handler: Handler, said: str) -> None:
    assert await asked(handler) == said


ANOTHER_CASE = {"case": OTHER_CASE_ID, "message": "vetting.cleared"}
ANOTHER_REQUEST = {"case": CASE_ID, "message": "vetting.cleared", "request_id": "another:1"}


@pytest.mark.parametrize(
    ("handler", "error", "code"),
    [
        (replies(500), PartnerUnavailable, "http-500"),
        (replies(429, Retry_After="7"), PartnerBusy, "http-429"),
        (replies(401), PartnerRefused, "http-401"),
        (replies(405), PartnerRefused, "http-405"),
        (replies(302, Location="https://elsewhere.example/"), PartnerMalformed, "http-302"),
        (replies(202, status()), PartnerMalformed, "http-202"),
        (replies(200, b"{}"), PartnerMalformed, "not-a-status"),
        (replies(200, status(state="lost")), PartnerMalformed, "not-a-status"),
        (replies(200, status(message_id=None)), PartnerMalformed, "not-a-status"),
        (replies(200, status(answer=None)), PartnerMalformed, "not-a-status"),
        (replies(200, status(answer=[1])), PartnerMalformed, "not-a-status"),
        (replies(200, status(state="pending")), PartnerMalformed, "not-a-status"),
        (replies(200, status(message_id="an id")), PartnerMalformed, "not-a-status"),
        (replies(200, status(remarks="x" * 70_000)), PartnerMalformed, "too-long"),
        (replies(200, status(), Content_Encoding="gzip"), PartnerMalformed, "encoded"),
        (replies(200, status(request_id="another:1")), PartnerMisdirected, "another-request"),
        (replies(200, status(case_id=OTHER_CASE_ID)), PartnerMisdirected, "another-case"),
        (replies(200, status(answer=ANOTHER_CASE)), PartnerMisdirected, "another-case"),
        (replies(200, status(answer={"message": "vetting.cleared"})), PartnerMisdirected, "another-case"),
        (replies(200, status(answer=ANOTHER_REQUEST)), PartnerMisdirected, "another-request"),
    ],
)
async def test_what_a_partner_says_of_a_request_is_classified(
    handler: Handler, error: type[PartnerError], code: str
) -> None:
    with pytest.raises(PartnerError) as raised:
        await asked(handler)

    assert (type(raised.value), raised.value.code) == (error, code)
    _assert_clean(raised.value)
