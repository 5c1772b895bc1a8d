"""What must hold before the first program starts: the schema, and what the Temporal server has to know.

`python -m stack.bootstrap` does it for a deployment: `PASSAGE_DATABASE_URL` names the owner, `TEMPORAL_*` the cluster.
Run it before each roll-out; the second time it changes nothing. The embedded stack takes the same steps.
"""

import asyncio
import sys
import time
from datetime import timedelta
from typing import Any

import asyncpg
import structlog
from google.protobuf.duration_pb2 import Duration
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest, ListSearchAttributesRequest
from temporalio.api.workflowservice.v1 import RegisterNamespaceRequest
from temporalio.client import Client
from temporalio.common import SearchAttributeKey
from temporalio.service import RPCError, RPCStatusCode

from config import ConfigurationError, Settings, load_settings
from eventstore.migrate import MigrationError, migrate
from logs import configure_logs
from stack.errors import StackError
from stack.probes import why_away
from workflows.contracts import SEARCH_ATTRIBUTES

_RETENTION = timedelta(days=30)
"""How long Temporal keeps a closed run for operators to look at; the record itself is in Postgres."""
_NAMESPACE_TIMEOUT_S = 60
"""A cluster's frontends read the list of namespaces every 10 s."""

log = structlog.get_logger("bootstrap")


async def migrate_database(owner_url: str) -> tuple[str, ...]:
    """Bring the schema of any Postgres up to date; the names of the migrations applied. Raises StackError."""
    try:
        return await migrate(owner_url)
    except MigrationError as error:
        raise StackError(str(error)) from None
    except OSError as error:  # TimeoutError is one
        raise StackError(f"the database does not answer: {error.strerror or 'no answer in time'}") from None
    except (asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise StackError(f"the database refuses the migrations: {error}") from None


async def register_search_attributes(client: Client) -> tuple[str, ...]:
    """Make the server know every attribute that a case sets; the names that were new.

    Raises StackError if one exists with another type: such a server would refuse every case.
    """
    wanted = {key.name: _wire_type(key) for key in SEARCH_ATTRIBUTES}
    found = await client.operator_service.list_search_attributes(
        ListSearchAttributesRequest(namespace=client.namespace)
    )
    for name, kind in found.custom_attributes.items():
        if wanted.get(name, kind) != kind:
            raise StackError(
                f"Temporal knows search attribute {name} with another type: give Passage its own namespace"
            )
    missing = {name: kind for name, kind in wanted.items() if name not in found.custom_attributes}
    if missing:
        request = AddSearchAttributesRequest(namespace=client.namespace, search_attributes=missing)
        await client.operator_service.add_search_attributes(request)
    return tuple(missing)


def _wire_type(key: SearchAttributeKey[Any]) -> IndexedValueType.ValueType:
    # The SDK numbers its own enum as the wire does.
    return IndexedValueType.ValueType(int(key.indexed_value_type))


async def prepare_deployment(settings: Settings) -> None:
    """Schema, namespace and search attributes of a deployment. Raises ConfigurationError or StackError."""
    applied = await migrate_database(settings.required_database_url)
    log.info("schema is current", applied=applied)
    address = settings.temporal["target_host"]
    try:
        client = await Client.connect(**settings.temporal)
        await _ensure_namespace(client)
        log.info("search attributes are known", added=await register_search_attributes(client))
    except (RPCError, RuntimeError) as error:
        raise StackError(f"Temporal at {address} refuses or does not answer: {why_away(error)}") from None


async def _ensure_namespace(client: Client) -> None:
    retention = Duration()
    retention.FromTimedelta(_RETENTION)
    request = RegisterNamespaceRequest(namespace=client.namespace, workflow_execution_retention_period=retention)
    try:
        await client.workflow_service.register_namespace(request)
    except RPCError as error:
        if error.status is not RPCStatusCode.ALREADY_EXISTS:
            raise
    deadline = time.monotonic() + _NAMESPACE_TIMEOUT_S
    while not await _knows_namespace(client):
        if time.monotonic() > deadline:
            raise StackError(
                f"Temporal does not know namespace {client.namespace} {_NAMESPACE_TIMEOUT_S} s after it was made"
            )
        await asyncio.sleep(1)


async def _knows_namespace(client: Client) -> bool:
    try:
        await client.operator_service.list_search_attributes(ListSearchAttributesRequest(namespace=client.namespace))
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        return False
    return True


def main() -> int:
    """Exit codes: 0 done, 2 a setting is wrong or a server refuses, with one line on stderr."""
    try:
        settings = load_settings(from_running_stack=False)
        configure_logs(settings, "bootstrap")
        asyncio.run(prepare_deployment(settings))
    except (ConfigurationError, StackError) as error:
        print(f"bootstrap: {error}", file=sys.stderr)  # noqa: T201  the one line of a job that fails
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
