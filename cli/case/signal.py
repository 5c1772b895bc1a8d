"""`passage case signal`: a partner's word as signals, each case's signed for it alone."""

import json
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from pydantic import ValidationError
from temporalio.client import Client

from activities.contracts import CASE_WORKFLOW, GATEWAY_ONLY, MESSAGE_SENDERS, DirectMessage, Notification
from activities.direct import signed_body
from cases.inbound.webhooks import Signer, sign
from cli.errors import UnusableError
from cli.reach import Reached, checked_case_id, on_the_stack
from domain.kernel.ids import CaseId
from process.key_files import sender_keys

CASES_MAX: Final = 1_000
"""Cases of one command: some seconds of signals. A query that finds more says so and signals none."""


def signal_cases(
    kind: Annotated[str, typer.Argument(help="The kind of message, such as vetting.cleared.", show_default=False)],
    message_id: Annotated[str, typer.Option(help="The sender's own id; it counts for each case apart.")],
    case: Annotated[str | None, typer.Option(help="One case.")] = None,
    query: Annotated[str | None, typer.Option(help="Every running case that Temporal finds by it.")] = None,
    content: Annotated[str, typer.Option("--input", help="The message's fields, as JSON.")] = "{}",
    keys: Annotated[Path | None, typer.Option(help="Keys to sign with: JSON, sender to keys.")] = None,
) -> None:
    """Signal one case, or all that a query finds, in the word of a partner whose key is given."""
    if (case is None) == (query is None):
        raise UnusableError("give --case or --query")
    plain = _message(kind, message_id, content)

    async def work(stack: Reached) -> None:
        signers = sender_keys(keys or stack.settings.sender_keys)
        temporal = await stack.temporal()
        found = [checked_case_id(case)] if case else [each async for each in _running(temporal, query or "")]
        for case_id in found:
            signed = _signed(case_id, plain, signers)
            await temporal.get_workflow_handle(case_id).signal(kind, signed)
            typer.echo(f"{case_id} was signalled; its details say what came of it")
        if not found:
            typer.echo("No running case is found.")

    on_the_stack(work)


def _message(kind: str, message_id: str, content: str) -> DirectMessage:
    if kind not in MESSAGE_SENDERS or kind in GATEWAY_ONLY:
        raise UnusableError(f"no signal brings {kind if kind in MESSAGE_SENDERS else 'that'}: send it to the gateway")
    try:
        fields: dict[str, Any] = json.loads(content)
        return DirectMessage(message=kind, notification=Notification(message_id=message_id, **fields))
    except (ValueError, TypeError, ValidationError):
        raise UnusableError(f"that is no {kind}: --input is a JSON object of its fields, which are codes") from None


async def _running(temporal: Client, query: str) -> AsyncIterator[CaseId]:
    narrowed = f"WorkflowType = '{CASE_WORKFLOW}' AND ExecutionStatus = 'Running' AND ({query})"
    counted = (await temporal.count_workflows(narrowed)).count
    if counted > CASES_MAX:
        raise UnusableError(f"{counted} cases are found: narrow the query to at most {CASES_MAX}")
    async for run in temporal.list_workflows(narrowed, limit=CASES_MAX):
        yield checked_case_id(run.id)


def _signed(case_id: CaseId, plain: DirectMessage, signers: Mapping[str, tuple[Signer, ...]]) -> Notification:
    held = signers.get(plain.source(), ())
    if not held:
        raise UnusableError(f"no key of {plain.source()} to sign with: --keys")
    given = plain.notification
    headers = sign(held, given.message_id, datetime.now(UTC), signed_body(case_id, plain))
    signatures = tuple(headers["webhook-signature"].split())
    return given.model_copy(update={"signed_at": headers["webhook-timestamp"], "signatures": signatures})
