"""The work behind `passage programme`: the message into the inbox, the decision, signals, and the state after it."""

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Final

import typer
from temporalio.service import RPCError

from activities.notify import notify
from cases.programme_commands import handle_programme, open_if_new
from cli.errors import FaultFoundError, UnusableError
from cli.identity import acting
from cli.lines import echo_json
from cli.reach import Reached, TemporalAway
from domain import registry
from domain.kernel.calendar import month_of
from domain.kernel.messages import GovernmentsMessage
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


def sets_of(programme: str) -> Mapping[str, RuleSet]:
    """The rule sets of a programme. Raises UnusableError, which names the programmes that there are."""
    found = registry.programmes().get(programme)
    if found is None:
        raise UnusableError(f"no programme {programme} (there are {', '.join(registry.programmes())})")
    return found.sets


async def open_programme(stack: Reached, rules: RuleSet, places: int | None) -> None:
    """Open the programme of these rules; `places` sets the cap of its pool. Raises FaultFoundError if it is open."""
    if (await stack.backing.cases.programme(rules.programme)).version > 0:
        raise FaultFoundError(f"{rules.programme} is open already")
    await open_if_new(stack.backing.cases, rules, places, stack.now)


async def show_programmes(stack: Reached, *, json: bool) -> None:
    """Print where every programme stands; those that are not open are named at the end."""
    closed = []
    for name in registry.programmes():
        found = await stack.statistics.programme(name, month_of(stack.now))
        if found is None:
            closed.append(name)
        else:
            _show(name, found, json=json)
            if not json:
                typer.echo()
    if closed and not json:
        typer.echo(f"Not open   {', '.join(closed)}")


async def show_programme(stack: Reached, programme: str, *, json: bool) -> None:
    """Print where the programme stands. Raises UnusableError where there is none, or where it is not open."""
    sets_of(programme)
    found = await stack.statistics.programme(programme, month_of(stack.now))
    if found is None:
        raise _not_open(programme)
    _show(programme, found, json=json)


def _not_open(programme: str) -> UnusableError:
    return UnusableError(f"{programme} is not open: `passage programme open VERSION --programme {programme}` opens it")


def _show(programme: str, found: ProgrammeStatistics, *, json: bool) -> None:
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


def rules_named(text: str, book: Mapping[str, RuleSet]) -> RuleSet:
    """The rule set that `text` names, by its version or by a file that holds it.

    Every worker must know its rules before the first case follows them, so a file can only be one that came with the
    project. Raises UnusableError for any other.
    """
    known = ", ".join(sorted(book))
    if text in book:
        return book[text]
    try:
        found = parse_rule_set(Path(text).read_text("utf-8"))
    except FileNotFoundError:
        raise UnusableError(f"no such rule set: {text} (there are {known}, or give a file)") from None
    except (OSError, ValueError) as error:
        kind = error.strerror if isinstance(error, OSError) else "it is not the TOML of one"
        raise UnusableError(f"{text} is no rule set: {kind}") from None
    _require_known(text, found, book)
    return book[found.version]


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
        UnusableError: the programme is not open.
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
        raise _not_open(programme) from None


async def _notify(stack: Reached, notifications: Iterable[Notification]) -> None:
    notified = tuple(notifications)
    if not notified:
        return
    try:
        pending = [of_store(notification) for notification in notified]
        await notify(await stack.temporal(), pending, stack.backing.cases.has_closed)
    except (TemporalAway, RPCError):
        typer.echo(f"Temporal does not answer: the relay will notify the cases concerned ({len(notified)}).", err=True)
        return
    await stack.inbox.mark_notified(notification.number for notification in notified)
