"""The gateway's app over a real Postgres, asked over ASGI, with a clock that a test sets."""

import copy
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import httpx2
from fastapi import FastAPI

from cases.clock import SystemClock
from cases.handle import command_of, handle
from cases.inbound.senders import ANYBODY, Senders
from cases.programme_commands import open_if_new
from domain import registry
from eventstore.keys import DirectoryKeyStore
from eventstore.postgres.documents import PostgresDocuments
from eventstore.postgres.sealed import PostgresSealedLog
from eventstore.postgres.store import PostgresStore
from gateway.app import create_app
from gateway.assembly import open_gateway
from gateway.deps import GatewayDeps
from gateway.http.examples import FILING
from gateway.identity.tokens import OPEN
from process.backing import Backing, opened_backing
from process.config import Settings
from stack.token_issuer import ISSUER, ensure_issuer, issue_token

PROGRAMME = "venezuela-air"
NOON = datetime(2022, 10, 20, 12, tzinfo=UTC)


def a_filing(**beneficiary: Any) -> dict[str, Any]:
    """The example's application, with these fields of the beneficiary in place of its own."""
    filing = copy.deepcopy(dict(FILING))
    filing["application"]["beneficiary"].update(beneficiary)
    return filing


@dataclass
class Desk:
    """A gateway, and how a test talks to it."""

    http: httpx2.AsyncClient
    app: FastAPI
    deps: GatewayDeps
    backing: Backing
    database: "asyncpg.Pool[asyncpg.Record]"
    moments: list[datetime]
    """The last is now."""
    url: str
    """The database's."""
    signing_key: Path | None = None
    """Of the issuer of tokens, where the gateway wants them."""

    @property
    def store(self) -> PostgresStore:
        return self.backing.store

    def bearer(self, *roles: str, subject: str = "s-1") -> dict[str, str]:
        """The header of a caller in these roles; none where the gateway lets in whoever comes."""
        if self.signing_key is None:
            return {}
        now = self.moments[-1]
        token = issue_token(self.signing_key, subject=subject, roles=roles, audience="passage", at=now)
        return {"Authorization": f"Bearer {token}"}

    async def file(self, key: str = "filing-1", body: dict[str, Any] | None = None) -> httpx2.Response:
        headers = {"Idempotency-Key": key, **self.bearer("intake")}
        return await self.http.post("/v1/applications", json=body or a_filing(), headers=headers)

    async def filed_case(self, key: str = "filing-1", **beneficiary: Any) -> str:
        response = await self.file(key, a_filing(**beneficiary))
        assert response.status_code == 202, response.text
        case_id: str = response.json()["case_id"]
        return case_id

    async def authorized_case(self, key: str = "filing-1", **beneficiary: Any) -> str:
        """A case outside Mexico whose supporter is confirmed and whose vetting is clear, and who so may travel."""
        case_id = await self.filed_case(key, located_in="COL", **beneficiary)
        for number, (partner, message) in enumerate(
            (("sponsor_registry", "sponsor.confirmed"), ("vetting", "vetting.cleared"))
        ):
            await self.take_all(case_id)
            response = await self.send(partner, f"{key}-{number}", {"case": case_id, "message": message})
            assert response.status_code == 202, response.text
        await self.take_all(case_id)
        return case_id

    async def send(self, partner: str, message_id: str, body: dict[str, Any], **headers: str) -> httpx2.Response:
        return await self.http.post(
            f"/v1/partners/{partner}/messages", json=body, headers={"webhook-id": message_id, **headers}
        )

    async def board(self, case_id: str) -> str:
        """The answer to a boarding check."""
        headers = self.bearer("partner:carrier")
        response = await self.http.post("/v1/boarding-checks", json={"case": case_id}, headers=headers)
        assert response.status_code == 200, response.text
        answer: str = response.json()["answer"]
        return answer

    async def take_all(self, case_id: str) -> None:
        """What the worker does: the case takes its messages, in order."""
        now = self.moments[-1]
        seen = await self.deps.cases.see(case_id, now)
        while (row := seen.pending.row) is not None:
            seen = (await handle(self.deps.cases, seen, command_of(row), now, row)).seen

    async def reference(self, subject: str) -> str:
        """The staff reference of a subject of our own issuer."""
        return await self.backing.store.staff.reference(ISSUER, subject)

    async def rows(self) -> int:
        """Messages in the inbox."""
        count: int = await self.database.fetchval("SELECT count(*) FROM passage.inbox")
        return count


def with_issuer(guard: Settings, directory: Path) -> Settings:
    """These settings with an issuer of tokens of our own, unless they name one or need none."""
    if guard.unsigned_messages or guard.token_issuer is not None:
        return guard
    files = ensure_issuer(directory)
    urls = {"token_issuer": ISSUER, "token_keys_url": files.public_keys.as_uri(), "embedded_stack": True}
    return guard.model_copy(update={**urls, "token_signing_key": files.signing_key})


@asynccontextmanager
async def gateway_desk(
    database_url: str, keys_dir: Path, senders: Senders = ANYBODY, guard: Settings | None = None
) -> AsyncIterator[Desk]:
    """A gateway with the programme opened, on a fresh database; with `guard`, as the process guards it."""
    moments = [NOON]
    async with AsyncExitStack() as stack:
        backing = await stack.enter_async_context(
            opened_backing(database_url, DirectoryKeyStore(keys_dir), SystemClock(), connections=8)
        )
        await open_if_new(backing.cases, registry.programme(PROGRAMME).sets["2022-10-19"], None, NOON)
        database = await stack.enter_async_context(asyncpg.create_pool(database_url, min_size=0, max_size=2))
        if guard is None:
            deps = GatewayDeps(
                cases=backing.cases,
                store=backing.store,
                inbox=backing.inbox,
                statistics=backing.store.statistics,
                clock=backing.clock,
                senders=senders,
                documents=PostgresDocuments(database, backing.keys),
                sealed_log=PostgresSealedLog(database),
                tokens=OPEN,
            )
        else:
            guard = with_issuer(guard, keys_dir.parent / "token-issuer")
            deps = await stack.enter_async_context(open_gateway(backing, guard))
        deps = replace(deps, server_now=lambda: moments[-1])
        app = create_app(deps)
        transport = httpx2.ASGITransport(app=app)
        http = await stack.enter_async_context(httpx2.AsyncClient(transport=transport, base_url="http://localhost"))
        key = None if guard is None else guard.token_signing_key
        yield Desk(http, app, deps, backing, database, moments, database_url, key)
