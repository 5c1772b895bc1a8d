"""`python -m bench.floor.bare_gateway`: takes what the gateway takes, and signals at once. It keeps nothing."""

import asyncio
import itertools
import os

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from temporalio.client import Client
from temporalio.common import SearchAttributePair, TypedSearchAttributes

from activities.contracts import CaseStart, Notification
from bench.floor.bare_case import BARE_TASK_QUEUE, BARE_WORKFLOW
from domain.ids import case_id_from_entropy
from process.config import Settings, load_settings
from process.logs import configure_logs
from process.temporal import connect_temporal
from workflows.contracts import CASE_STAGE


def create_app(client: Client) -> Starlette:
    """Two routes: an application starts a bare case, a message signals it."""
    numbers = itertools.count(1)

    async def file(request: Request) -> JSONResponse:
        await request.json()
        case_id = case_id_from_entropy(os.urandom(8))
        await client.start_workflow(
            BARE_WORKFLOW,
            CaseStart(case_id=case_id),
            id=case_id,
            task_queue=BARE_TASK_QUEUE,
            start_signal="application.submitted",
            start_signal_args=[Notification(message_id=request.headers["Idempotency-Key"], number=next(numbers))],
            search_attributes=TypedSearchAttributes([SearchAttributePair(CASE_STAGE, "sponsor_confirmation")]),
        )
        return JSONResponse({"case_id": case_id}, 202)

    async def message(request: Request) -> JSONResponse:
        said = await request.json()
        notification = Notification(message_id=request.headers["webhook-id"], number=next(numbers))
        await client.get_workflow_handle(said["case"]).signal(said["message"], notification)
        return JSONResponse({"number": notification.number, "answer": None, "code": None}, 202)

    return Starlette(
        routes=[
            Route("/v1/applications", file, methods=["POST"]),
            Route("/v1/partners/{partner}/messages", message, methods=["POST"]),
        ]
    )


async def serve(settings: Settings) -> None:
    """Answer until SIGTERM."""
    app = create_app(await connect_temporal(settings, "bare-gateway"))
    config = uvicorn.Config(
        app, host=settings.gateway_host, port=settings.gateway_port, log_config=None, access_log=False
    )
    await uvicorn.Server(config).serve()


if __name__ == "__main__":
    found = load_settings()
    configure_logs(found.model_copy(update={"log_level": "warning"}), "bare-gateway")
    asyncio.run(serve(found))
