"""Signs that a process does its work, seen from outside it."""

import ssl
from datetime import datetime

import httpx2
from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client
from temporalio.service import RPCError

_PROBE_TIMEOUT_S = 2.0
_NO_AUTHORITIES = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Probes go to this machine, without TLS: to read the list of authorities takes longer than all the rest."""


async def answers(url: str) -> bool:
    """Whether a GET of `url` succeeds."""
    async with httpx2.AsyncClient(timeout=_PROBE_TIMEOUT_S, trust_env=False, verify=_NO_AUTHORITIES) as http:
        try:
            return (await http.get(url)).is_success
        except httpx2.HTTPError:
            return False


async def polls(client: Client, task_queue: str, since: datetime) -> bool:
    """Whether a worker asked for workflow tasks of `task_queue` at or after `since`: one that died asked before."""
    request = DescribeTaskQueueRequest(
        namespace=client.namespace,
        task_queue=TaskQueue(name=task_queue),
        task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
    )
    try:
        found = await client.workflow_service.describe_task_queue(request)
    except RPCError:
        return False
    return any(poller.last_access_time.ToDatetime(since.tzinfo) >= since for poller in found.pollers)


def why_away(error: RPCError | RuntimeError) -> str:
    """A few words on a Temporal that cannot be used: its own are several lines of the transport's."""
    return error.status.name.lower().replace("_", " ") if isinstance(error, RPCError) else "no connection"
