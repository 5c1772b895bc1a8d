"""The composition root of the worker: activities, partners' clients and Temporal workers are put together here.

`python -m worker` polls for cases and for calls to partners until SIGTERM. Then it takes no new work and finishes what
it runs. Any number of workers may run, of different versions, and each may die at any moment.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from typing import Final

import structlog
from temporalio.client import Client
from temporalio.worker import Worker

from activities.advance import CaseActivities
from activities.answer_polling import AnswerPolling
from activities.direct import DirectSignals
from activities.failures import FailuresAsCodes
from activities.notify import PendingNotification, notify
from activities.partner_requests import PartnerRequests
from activities.partners.agreements import Agreements, AgreementsUnreadable, read_agreements
from activities.partners.circuit import TERMS, GuardedPartners, Partners
from activities.partners.clients import open_partner_clients
from activities.partners.errors import PartnerMalformed
from cases.inbound.faults import BodyRefused
from cases.inbound.senders import Senders
from cases.inbound.wire import read_message
from domain import registry
from domain.kernel.messages import Message
from eventstore.port import Notification
from process.backing import Backing, open_backing
from process.config import ConfigurationError, Settings
from process.health import health_answered
from process.key_files import call_security, senders_of
from process.main import run, stop_requested
from process.temporal import connect_temporal
from workflows.case import Case
from workflows.contracts import CALLS_TASK_QUEUE, CASES_TASK_QUEUE, calls_task_queue
from workflows.payloads import CallStackAnswers
from workflows.runner import RUNNER

_log = structlog.get_logger()

APPENDING_MAX: Final = 32
"""Appending activities at once: more than the pool has connections, since each also waits for partners."""
CALLING_MAX: Final = 16
"""Calls to one partner at once: half of the connections to it, so that first attempts always find one."""
CALL_POLLS: Final = 2
"""Polls at once for one partner's calls: more than its rate needs. There are five such queues."""
CACHED_CASES_MAX: Final = 1_000
"""Cases kept in memory between signals; an evicted case is replayed from its history of at most 90 events."""
DRAIN_TIMEOUT: Final = timedelta(seconds=30)
"""Time to finish after SIGTERM: longer than a call to a partner, shorter than the orchestrator's 45 s."""


def case_workers(
    client: Client,
    backing: Backing,
    partners: Partners,
    agreements: Agreements,
    senders: Senders,
    cached_max: int = CACHED_CASES_MAX,
) -> tuple[Worker, ...]:
    """A worker for cases, and one for each partner, so that a failing partner takes no slot from the others."""

    async def notify_cases(notifications: Iterable[Notification]) -> None:
        notified = (
            PendingNotification(notification.case_id, notification.kind, notification.message_id, notification.number)
            for notification in notifications
        )
        await notify(client, notified, backing.cases.has_closed)

    requests = PartnerRequests(backing.cases, partners)
    guard = backing.store.guard
    direct = DirectSignals(
        backing.cases.inbox, client, backing.clock, senders, guard.record_refusal, backing.cases.message_id
    )
    cases = CaseActivities(backing.cases, backing.clock, requests, direct, notify_cases)
    appending = Worker(
        client,
        task_queue=CASES_TASK_QUEUE,
        workflows=[Case],
        activities=cases.entrances,
        interceptors=[FailuresAsCodes(), CallStackAnswers()],
        workflow_runner=RUNNER,
        max_concurrent_activities=APPENDING_MAX,
        max_cached_workflows=cached_max,
        graceful_shutdown_timeout=DRAIN_TIMEOUT,
    )
    return appending, *_calling_workers(client, requests, agreements)


def _calling_workers(client: Client, requests: PartnerRequests, agreements: Agreements) -> Iterator[Worker]:
    pace = {calls_task_queue(partner): agreements[partner].calls_per_s for partner in registry.partners()}
    for queue in (*pace, CALLS_TASK_QUEUE):
        yield Worker(
            client,
            task_queue=queue,
            activities=[requests.call_partner],
            interceptors=[FailuresAsCodes()],
            max_concurrent_activities=CALLING_MAX,
            max_concurrent_activity_task_polls=CALL_POLLS,
            max_task_queue_activities_per_second=pace.get(queue),
            graceful_shutdown_timeout=DRAIN_TIMEOUT,
        )


@asynccontextmanager
async def asking_for_answers(backing: Backing, partners: Partners, agreements: Agreements) -> AsyncIterator[None]:
    """Ask partners for overdue answers while the context lasts."""
    requests = PartnerRequests(backing.cases, partners)
    polling = AnswerPolling(
        backing.cases.inbox,
        backing.store.unanswered,
        partners,
        requests,
        agreements,
        backing.clock,
        read_answer,
        backing.store.guard.record_refusals,
    )
    running = asyncio.create_task(polling.run())
    try:
        yield
    finally:
        running.cancel()
        await asyncio.wait([running])


def read_answer(body: bytes, partner: str) -> Message:
    """A message that a partner returned when it was asked, read as the gateway reads it. Raises `PartnerMalformed`."""
    try:
        return read_message(body, partner).content
    except BodyRefused:
        raise PartnerMalformed(partner, "not-a-message") from None


def agreements_of(settings: Settings) -> Agreements:
    """What is agreed with the partners. Raises `ConfigurationError` if the named file cannot be read."""
    try:
        return read_agreements(settings.partner_agreements)
    except AgreementsUnreadable as error:
        raise ConfigurationError(f"PASSAGE_PARTNER_AGREEMENTS: {error}") from None


async def serve(settings: Settings) -> None:
    """Poll until SIGTERM or SIGINT, then drain."""
    stopped = stop_requested()
    urls = {partner: settings.partner_url(partner) for partner in registry.partners()}
    agreements = agreements_of(settings)
    senders = senders_of(settings)
    calling = open_partner_clients(urls, settings.gateway_url, security=call_security(settings))
    async with open_backing(settings) as backing, calling as partners:
        client = await connect_temporal(settings, "worker")
        guarded = GuardedPartners(partners, backing.store.circuits(TERMS))
        workers = case_workers(client, backing, guarded, agreements, senders, settings.cached_cases_max)
        async with asking_for_answers(backing, guarded, agreements), AsyncExitStack() as running:
            for worker in workers:
                await running.enter_async_context(worker)
            await running.enter_async_context(
                health_answered(settings, lambda: all(worker.is_running for worker in workers))
            )
            _log.info("worker polls", task_queues=[worker.task_queue for worker in workers])
            await stopped.wait()
            _log.info("worker drains")


if __name__ == "__main__":
    run("worker", serve)
