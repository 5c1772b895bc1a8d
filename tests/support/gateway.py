"""The gateway's app over a real Postgres, asked over ASGI, with a clock that a test sets and a bell that it hears."""

import copy
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import httpx2
from fastapi import FastAPI

from activities.casebook import CaseBook
from activities.clock import SystemClock
from activities.govern import open_if_new
from activities.ring import InboxBell
from domain.rules.rule_set import bundled_rule_book
from eventstore.keys import DirectoryKeyStore
from eventstore.lookups import Lookups
from eventstore.postgres import PostgresStore
from gateway.app import create_app
from gateway.deps import GatewayDeps
from gateway.examples import FILING
from gateway.figures import PostgresFigures

PROGRAMME = "venezuela-air"
NOON = datetime(2022, 10, 20, 12, tzinfo=UTC)


def a_filing(**beneficiary: Any) -> dict[str, Any]:
    """The example's application, with these fields of the beneficiary in place of its own."""
    filing = copy.deepcopy(dict(FILING))
    filing["application"]["beneficiary"].update(beneficiary)
    return filing


@dataclass
class Bells:
    """Stands where Temporal would be rung; `failure` is raised in place of ringing."""

    rung: list[InboxBell] = field(default_factory=list)
    failure: Exception | None = None

    async def __call__(self, bells: Iterable[InboxBell]) -> None:
        if self.failure is not None:
            raise self.failure
        self.rung.extend(bells)


@dataclass
class Desk:
    """A gateway, and how a test talks to it."""

    http: httpx2.AsyncClient
    app: FastAPI
    deps: GatewayDeps
    store: PostgresStore
    database: "asyncpg.Pool[asyncpg.Record]"
    bells: Bells
    moments: list[datetime]
    """The last is now."""

    async def file(self, key: str = "filing-1", body: dict[str, Any] | None = None) -> httpx2.Response:
        return await self.http.post("/v1/applications", json=body or a_filing(), headers={"Idempotency-Key": key})

    async def filed_case(self, key: str = "filing-1", **beneficiary: Any) -> str:
        response = await self.file(key, a_filing(**beneficiary))
        assert response.status_code == 202, response.text
        case_id: str = response.json()["case_id"]
        return case_id

    async def send(self, partner: str, message_id: str, body: dict[str, Any], **headers: str) -> httpx2.Response:
        return await self.http.post(
            f"/v1/partners/{partner}/messages", json=body, headers={"webhook-id": message_id, **headers}
        )


@asynccontextmanager
async def gateway_desk(database_url: str, keys_dir: Path) -> AsyncIterator[Desk]:
    """A gateway with the programme opened, on a fresh database."""
    keys = DirectoryKeyStore(keys_dir)
    store = await PostgresStore.connect(database_url, keys, connections=8)
    book = CaseBook(store, store.inbox, Lookups(await keys.pepper()), bundled_rule_book())
    await open_if_new(book, PROGRAMME, book.rules["2022-10-19"], None, NOON)
    bells, moments = Bells(), [NOON]
    async with asyncpg.create_pool(database_url, min_size=0, max_size=2) as database:
        deps = GatewayDeps(
            book=book,
            store=store,
            inbox=store.inbox,
            figures=PostgresFigures(database),
            clock=SystemClock(),
            server_now=lambda: moments[-1],
        )
        app = create_app(deps)
        transport = httpx2.ASGITransport(app=app)
        async with httpx2.AsyncClient(transport=transport, base_url="http://gateway") as http:
            yield Desk(http, app, deps, store, database, bells, moments)
    await store.close()
