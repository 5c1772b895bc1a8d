"""The work behind `passage programme`: the message into the inbox, the decision, signals, and the state after it."""

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Final

import typer
from temporalio.service import RPCError

from activities.notify import notify
from cases.programme_commands import handle_programme
from cli.errors import FaultFoundError, UnusableError
from cli.identity import acting
from cli.lines import echo_json
from cli.reach import Reached, TemporalAway
from domain.kernel.calendar import month_of
from domain.kernel.messages import GovernmentsMessage, RulesAdoption
from domain.kernel.rule_set import RuleSet, parse_rule_set
from eventstore.conflicts import Conflict
from eventstore.inbox import Incoming, Receipt, UnknownStream
from eventstore.operations import ProgrammeStatistics
from eventstore.port import Notification
from gateway.routes.intake import of_store

_REFUSED: Final = {
    "programme-not-opened": "it was never opened",
    "programme-terminated": "it was terminated, and nothing follows that",
    "already-suspended": "it is suspended already",
    "not-suspended": "it is not suspended",
    "rules-already-in-force": "these rules are in force already",
    "unknown-rules": "nobody knows these rules",
}


async def show_programme(stack: Reached, programme: str, *, json: bool) -> None:
    """Print where the programme stands. Raises UnusableError where it was never opened."""
    found = await stack.statistics.programme(programme, month_of(stack.now))
    if found is None:
        raise UnusableError(f"no programme {programme}")
    if json:
        echo_json({"programme": programme, **_as_json(found)})
        return
    typer.echo(f"Programme  {programme}\nStatus     {found.status}\nRules      {found.rules_version}")
    typer.echo(f"Cases      {found.authorized} places taken, {found.waiting} waiting for one")
    for pool in found.pools:
        per = "a month" if pool.period == "month" else "in all"
        typer.echo(f"Pool       {pool.pool}: {pool.places} {per}, {pool.taken} taken")


def _as_json(found: ProgrammeStatistics) -> dict[str, object]:
    return {
        "status": found.status,
        "rules_version": found.rules_version,
        "authorized": found.authorized,
        "waiting": found.waiting,
        "pools": [asdict(pool) for pool in found.pools],
    }


def adoption(text: str, book: Mapping[str, RuleSet]) -> RulesAdoption:
    """The message that adopts the rule set which `text` names, by its version or by a file that holds it.

    Every worker must know its rules before the first case follows them, so a file can only be one that came with the
    project. Raises UnusableError for any other.
    """
    known = ", ".join(sorted(book))
    if text in book:
        return RulesAdoption(rules=text)
    try:
        found = parse_rule_set(Path(text).read_text("utf-8"))
    except FileNotFoundError:
        raise UnusableError(f"no such rule set: {text} (there are {known}, or give a file)") from None
    except (OSError, ValueError) as error:
        kind = error.strerror if isinstance(error, OSError) else "it is not the TOML of one"
        raise UnusableError(f"{text} is no rule set: {kind}") from None
    _require_known(text, found, book)
    return RulesAdoption(rules=found.version)


def _require_known(file: str, found: RuleSet, book: Mapping[str, RuleSet]) -> None:
    same = book.get(found.version)
    if same is None:
        raise UnusableError(f"{file} holds rules of {found.version}, which no worker has: there are "
                            f"{', '.join(sorted(book))}")  # fmt: skip
    if same.digest != found.digest:
        raise UnusableError(f"{file} differs from the rules of {found.version} that the workers have: "
                            "other rules need a version of their own")  # fmt: skip


async def tell(stack: Reached, programme: str, message: GovernmentsMessage) -> None:
    """Hand the governments' message over, have it decided, and notify the cases that it concerns.

    Raises:
        FaultFoundError: the programme refuses it.
        UnusableError: no such programme.
    """
    receipt = await _receive(stack, programme, message)
    try:
        notifications = await handle_programme(stack.backing.cases, programme, stack.now)
    except Conflict:
        typer.echo("The programme is busy; the message is in the inbox and will be decided in a moment.", err=True)
        return
    await _notify(stack, notifications)
    decided = await stack.inbox.get("governments", receipt.message_id)
    if decided is not None and decided.answer == "rejected":
        code = decided.code or "rejected"
        raise FaultFoundError(f"{programme} refuses ({code}): {_REFUSED.get(code, 'it cannot take this now')}")


async def _receive(stack: Reached, programme: str, message: GovernmentsMessage) -> Receipt:
    incoming = Incoming(
        source="governments",
        message_id=f"cli-{secrets.token_hex(12)}",
        case_id=None,
        programme=programme,
        body=message,
        received_at=stack.now,
        proof=await acting(stack.settings, stack.backing.store.staff, "operator"),
    )
    try:
        return await stack.inbox.receive(incoming)
    except UnknownStream:
        raise UnusableError(f"no programme {programme}") from None


async def _notify(stack: Reached, notifications: Iterable[Notification]) -> None:
    notified = tuple(notifications)
    if not notified:
        return
    try:
        await notify(
            await stack.temporal(), (of_store(notification) for notification in notified), stack.backing.cases.is_closed
        )
    except (TemporalAway, RPCError):
        typer.echo(f"Temporal does not answer: the relay will notify the cases concerned ({len(notified)}).", err=True)
        return
    await stack.inbox.mark_notified(notification.number for notification in notified)
