"""`python -m bench.gateway.bare_route`: the floor of the gateway: a FastAPI route, a pydantic body, one INSERT, 202."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

import asyncpg
import uvicorn
from fastapi import FastAPI, Header, Request
from pydantic import BaseModel

from process.config import Settings, load_settings

CONNECTIONS = 16
"""As many as the gateway's own store has."""


class Message(BaseModel):
    """What is sent."""

    case: str
    message: str
    country: str
    crossed_at: str


def create_app(database_url: str) -> FastAPI:
    """Its table is made at the start."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with asyncpg.create_pool(database_url, min_size=CONNECTIONS, max_size=CONNECTIONS) as pool:
            await pool.execute("CREATE TABLE IF NOT EXISTS bare (id text PRIMARY KEY, stream text, body text)")
            app.state.pool = pool
            yield

    app = FastAPI(lifespan=lifespan)

    @app.post("/v1/partners/{partner}/messages", status_code=202)
    async def take(
        request: Request, partner: str, webhook_id: Annotated[str, Header()], message: Message
    ) -> dict[str, str]:
        await request.app.state.pool.execute(
            "INSERT INTO bare VALUES ($1, $2, $3)", f"{partner}:{webhook_id}", message.case, message.model_dump_json()
        )
        return {"message_id": webhook_id}

    @app.get("/readyz")
    async def readyz() -> dict[str, str]:
        return {"status": "ok"}

    return app


async def serve(settings: Settings) -> None:
    """Answer until SIGTERM."""
    config = uvicorn.Config(
        create_app(settings.required_database_url),
        host=settings.gateway_host,
        port=settings.gateway_port,
        log_config=None,
        access_log=False,
    )
    await uvicorn.Server(config).serve()


if __name__ == "__main__":
    asyncio.run(serve(load_settings(from_running_stack=False)))
