"""Whatever reaches the app, byte for byte, is answered with a 2xx or a 4xx, and nothing of it is repeated."""

import asyncio
import json
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cases.clock import SystemClock
from cases.inbound.senders import Senders
from cases.inbound.webhooks import Signer, Verifier, new_shared_key, sign
from cases.repository import CaseRepository
from eventstore.format.lookups import Lookups
from eventstore.keys import DirectoryKeyStore
from eventstore.postgres.store import PostgresStore
from gateway.app import create_app
from gateway.deps import GatewayDeps
from gateway.http.examples import BOARDING_QUESTION, FILING, MESSAGES
from gateway.identity.tokens import OPEN
from stack.postgres.server import EmbeddedPostgres
from tests.support.postgres import fresh_database

CANARY = b"Canaria-Quetzal"
KEY = new_shared_key()
BODIES = [json.dumps(body).encode() for body in (FILING, BOARDING_QUESTION, *MESSAGES.values())]
NUMBERS = ["0", "-1", "1e400", "NaN", "Infinity", "9" * 5000, "\u0661", "1.0", "+1", " 1", "0x1", "1_0", "\u00b2"]
UNKEPT = [
    *(b'"\\u0000"', b'"\\ud800"', b'"\\udfff\\ud800"', b'"' + CANARY * 9000 + b'"'),
    *(b"1e400", b"1E-5000", b"-" + b"9" * 5000, b"NaN"),
    *(b"[" * 5000, b'{"a":' * 40 + b"1" + b"}" * 40, b'{"a":1,"a":2}'),
]

Headers = list[tuple[bytes, bytes]]


class NoStatistics:
    async def programme(self, _programme: str, _month: str) -> None:
        return None


@pytest.fixture(scope="module")
def loop() -> Iterator[asyncio.Runner]:
    """One loop for the gateway's life: its connections belong to it."""
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture(scope="module")
def app(postgres_server: EmbeddedPostgres, loop: asyncio.Runner) -> Iterator[FastAPI]:
    """A gateway without a server: known and unknown senders, every refusal at its real place."""
    with tempfile.TemporaryDirectory() as folder, fresh_database(postgres_server) as url:
        store = loop.run(PostgresStore.connect(url, DirectoryKeyStore(Path(folder)), connections=2))
        cases = CaseRepository(store, store.inbox, Lookups(b"p" * 32))

        yield create_app(
            GatewayDeps(
                cases=cases,
                store=store,
                inbox=store.inbox,
                statistics=NoStatistics(),
                clock=SystemClock(),
                tokens=OPEN,
                senders=Senders({"border": (Verifier.parse(KEY),)}, unsigned=True),
            )
        )
        loop.run(store.close())


async def ask(app: FastAPI, method: str, path: bytes, headers: Headers, chunks: list[bytes]) -> tuple[int, bytes]:
    """Status, and everything that was answered; as a server hands it over that checked nothing."""
    left, answered = list(chunks) or [b""], []

    async def receive() -> dict[str, Any]:
        if not left:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": left.pop(0), "more_body": bool(left)}

    async def send(message: Any) -> None:
        answered.append(message)

    raw, _, query = path.partition(b"?")
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": raw.decode("utf-8", "replace"),
        "raw_path": raw,
        "query_string": query,
        "headers": headers,
        "client": ("127.0.0.1", 1),
        "server": ("gateway", 80),
    }
    await app(scope, receive, send)
    return answered[0]["status"], b"".join(map(str.encode, map(str, answered)))


VALUES = st.one_of(
    st.binary(max_size=60),
    st.sampled_from(NUMBERS).map(lambda text: text.encode("utf-8")),
    st.sampled_from([b"x" * 70_000, b" " * 70_000, b"wait" + b" " * 70_000 + b"x", b"a\r\nx-injected: 1", b"\xff\x00"]),
)
TYPES = st.sampled_from(
    [b"application/json"] * 6
    + [
        b"application/json; charset=utf-16",
        b"APPLICATION/JSON;",
        b"application/json,text/html",
        b"text/json",
        b"\xff",
        b"",
    ]
)
ENCODINGS = st.sampled_from([b"gzip", b"br", b"deflate", b"identity", b"chunked, gzip"])
SIGNATURES = st.one_of(
    VALUES,
    st.lists(st.sampled_from([b"v1,", b"v1,AAAA", b"v1a,////", b"v2,x", b"v1", b"v1," + b"A" * 44]), max_size=12).map(
        b" ".join
    ),
)


@st.composite
def headers(draw: st.DrawFn, body: bytes) -> Headers:
    found = [(b"content-type", draw(TYPES))]
    name = draw(st.sampled_from(["m-1", "m-2", "a" * 128, "a" * 129]))
    if draw(st.booleans()):
        signed = sign([Signer.parse(KEY)], name, datetime.now(UTC), body)
        found += [(key.encode(), value.encode()) for key, value in signed.items()]
    for header, values in (
        (b"webhook-id", VALUES),
        (b"idempotency-key", VALUES),
        (b"webhook-timestamp", VALUES),
        (b"webhook-signature", SIGNATURES),
        (b"content-length", VALUES),
        (b"content-encoding", ENCODINGS),
        (b"transfer-encoding", ENCODINGS),
        (b"prefer", VALUES),
        (b"authorization", VALUES),
        (b"host", VALUES),
    ):
        if draw(st.integers(0, 3)) == 0:
            found.append((header, draw(values)))
    return draw(st.permutations(found))


@st.composite
def bodies(draw: st.DrawFn) -> bytes:
    good = draw(st.sampled_from(BODIES))
    match draw(st.integers(0, 4)):
        case 0:
            return good
        case 1:  # a byte order mark, what follows the end, another encoding
            return draw(
                st.sampled_from([b"\xef\xbb\xbf" + good, good + b"\x00", good + good, good.decode().encode("utf-16")])
            )
        case 2:  # one place holds what JSON can spell and nothing should
            wrong = draw(st.sampled_from(UNKEPT))
            return good.replace(b": ", b": " + wrong + b', "more": ', 1)
        case 3:
            cut = draw(st.integers(0, len(good)))
            return good[:cut] + draw(st.binary(max_size=5)) + good[cut:]
        case _:
            return draw(st.binary(max_size=100))


PATHS = st.one_of(
    st.sampled_from(
        [b"/v1/partners/border/messages", b"/v1/applications", b"/v1/boarding-checks", b"/v1/partners/officer/messages"]
        * 3
        + [b"/v1/partners/border/messages/m-1", b"/v1/cases/VEN-1111-1111", b"/v1/cases/VEN-1111-1111/events"]
        + [b"/v1/partners/%00/messages", b"/v1/partners/border%2fmessages", b"/v1/cases/..%2f..%2fetc/events"]
        + [b"/v1/cases/" + b"A" * 9000, b"/v1/programmes/" + CANARY, b"//v1/applications", b"/v1/cases/\xff\xfe"]
        + [b"/v1/cases/VEN-1111-1111/events?after=1e400", b"/v1/cases/VEN-1111-1111/events?limit=" + b"9" * 5000]
        + [b"/v1/cases/VEN-1111-1111/events?after=\xd9\xa1&after=2", b"/v1/cases/%0d%0aSet-Cookie:%20a=b"]
    ),
    st.binary(max_size=30).map(lambda raw: b"/v1/" + raw),
)
METHODS = st.sampled_from(["POST"] * 8 + ["GET", "HEAD", "OPTIONS", "TRACE", "BREW\r\nX", "post"])


@settings(
    max_examples=300,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],  # one gateway meets them all
)
@given(data=st.data(), method=METHODS, path=PATHS, body=bodies())
def test_nothing_that_is_sent_makes_the_gateway_fail(
    app: FastAPI,
    loop: asyncio.Runner,
    capfd: pytest.CaptureFixture[str],
    data: st.DataObject,
    method: str,
    path: bytes,
    body: bytes,
) -> None:
    given_headers = data.draw(headers(body))
    size = data.draw(st.integers(1, 4000))
    chunks = [body[at : at + size] for at in range(0, len(body), size)][:200]
    status, answered = loop.run(ask(app, method, path, given_headers, chunks))
    assert 200 <= status < 500, answered
    assert b"x-injected" not in answered
    assert CANARY not in answered
    out, err = capfd.readouterr()
    assert "x-injected" not in out + err
    assert "\r" not in out + err
    assert CANARY.decode() not in out + err


@pytest.mark.parametrize("length", NUMBERS)
async def test_a_length_that_is_no_length_is_refused(app: FastAPI, length: str) -> None:
    sent = [(b"content-type", b"application/json"), (b"content-length", length.encode())]
    status, answered = await ask(app, "POST", b"/v1/boarding-checks", sent, [b"{}"])
    assert status == (422 if length == "0" else 413), answered
