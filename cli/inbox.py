"""`passage inbox`: what partners sent, what was answered, what waits, and what was refused."""

from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Annotated, Final

import typer

from cases.inbound.wire import PartnerName
from cli.errors import FaultFoundError, UnusableError
from cli.lines import echo_json, instant, moment, row
from cli.reach import Reached, checked_case_id, on_the_stack
from eventstore.operations import Deliveries, Delivery, DeliveryFilter, RefusalView

app = typer.Typer(help="Messages: deliveries, answers, what waits; notify again.", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]
Limit = Annotated[int, typer.Option(min=1, max=10_000, help="At most so many, the latest first.")]
From = Annotated[PartnerName | None, typer.Option("--partner", help="Only this partner's.")]
MESSAGE_HELP: Final = "Its number, or PARTNER:ID."

_COLUMNS = ("NUMBER", "RECEIVED (UTC)", "PARTNER", "MESSAGE", "ABOUT", "CAME", "NOTIFIED", "ANSWER")
_WIDTHS = (7, 16, 18, 33, 14, 5, 9, 0)
_REFUSED = ("LAST (UTC)", "PARTNER", "CODE", "TIMES", "SENDER", "MESSAGE ID")
_REFUSED_WIDTHS = (16, 18, 24, 6, 36, 0)


@app.command("list")
def list_messages(
    partner: From = None,
    case: Annotated[str | None, typer.Option(help="Only about this case.")] = None,
    undecided: Annotated[bool, typer.Option("--undecided", help="Only without an answer.")] = False,
    dead: Annotated[bool, typer.Option("--dead", help="Only those that no worker took in five minutes.")] = False,
    limit: Limit = 50,
    json: Json = False,
) -> None:
    """List messages, the latest first, and how each was answered."""
    stream = None if case is None else checked_case_id(case)
    wanted = DeliveryFilter(source=partner, stream=stream, undecided=undecided, dead=dead, limit=limit)

    async def work(deliveries: Deliveries) -> None:
        found = await deliveries.find(wanted)
        if not json:
            typer.echo(row(_COLUMNS, _WIDTHS) if found else "No messages.")
        for each in found:
            _print(each, json=json)

    _on_the_inbox(work)


def _print(each: Delivery, *, json: bool) -> None:
    if json:
        echo_json({**asdict(each), "state": each.state})
        return
    answer = f"{each.state} ({each.code})" if each.code else each.state
    cells = (each.number, moment(each.received_at), each.source, each.kind, each.stream, each.deliveries)
    typer.echo(row((*cells, each.notifications, answer), _WIDTHS))


@app.command()
def show(
    message: Annotated[str, typer.Argument(metavar="MESSAGE", help=MESSAGE_HELP)],
    json: Json = False,
) -> None:
    """Show one message: who sent it, how often it came, and what was answered."""
    wanted = _named(message)

    async def work(deliveries: Deliveries) -> None:
        found = await deliveries.find(wanted)
        if not found:
            raise UnusableError("no such message was received: see passage inbox list, and passage inbox refusals")
        if json:
            _print(found[0], json=True)
        else:
            _show(found[0])

    _on_the_inbox(work)


def _show(each: Delivery) -> None:
    last = "" if each.notified_at is None else f", last at {instant(each.notified_at)}"
    lines = {
        "Message": f"{each.number}  {each.kind} about {each.stream}",
        "From": f"{each.source}, id {each.message_id}, known by {each.proof}",
        "Received": f"{instant(each.received_at)}, came {each.deliveries} times",
        "Answer": f"{each.state}{f' ({each.code})' if each.code else ''}",
    }
    if each.answer is None:
        lines["Notified"] = f"{each.notifications} times{last}"
    for name, value in lines.items():
        typer.echo(f"{name:<10}{value}")


@app.command()
def redrive(
    messages: Annotated[list[str] | None, typer.Argument(metavar="[MESSAGE...]", help=MESSAGE_HELP)] = None,
    dead: Annotated[bool, typer.Option("--dead", help="All that no worker took in five minutes.")] = False,
    json: Json = False,
) -> None:
    """Notify the cases of these messages again at once. Nothing is sent or decided twice."""
    if bool(messages) == dead:
        raise UnusableError("name the messages, or give --dead")

    async def work(deliveries: Deliveries) -> None:
        wanted = [DeliveryFilter(dead=True, limit=10_000)] if dead else [_named(each) for each in messages or ()]
        found = [each for one in wanted for each in await deliveries.find(one)]
        if len(found) < len(messages or ()):
            raise UnusableError("no such message was received: see passage inbox list")
        notified = await deliveries.redrive([each.number for each in found])
        for each in found:
            _tell_notified(each, again=each.number in notified, json=json)
        if not dead and len(notified) < len(found):
            raise FaultFoundError(f"{len(found) - len(notified)} of {len(found)} had an answer already")

    _on_the_inbox(work)


def _tell_notified(each: Delivery, *, again: bool, json: bool) -> None:
    if json:
        echo_json({"number": each.number, "stream": each.stream, "notified": again})
    else:
        typer.echo(f"{each.number}  {each.stream}  {'its case is notified now' if again else 'has its answer'}")


@app.command()
def refusals(partner: From = None, limit: Limit = 50, json: Json = False) -> None:
    """List what the gateway refused: forged, stale, altered, malformed, out of scope, too fast."""

    async def work(deliveries: Deliveries) -> None:
        found = await deliveries.refusals(partner, limit)
        if not json:
            typer.echo(row(_REFUSED, _REFUSED_WIDTHS) if found else "Nothing was refused.")
        for each in found:
            _print_refusal(each, json=json)

    _on_the_inbox(work)


def _print_refusal(each: RefusalView, *, json: bool) -> None:
    if json:
        echo_json(asdict(each))
        return
    cells = (moment(each.last_at), each.partner or None, each.code, each.times, each.sender or None)
    typer.echo(row((*cells, each.message_id or None), _REFUSED_WIDTHS))


def _named(text: str) -> DeliveryFilter:
    """The message that a person means. Raises UnusableError."""
    if text.isascii() and text.isdecimal() and len(text) < 19:
        return DeliveryFilter(number=int(text), limit=1)
    source, colon, message_id = text.partition(":")
    if not (colon and source and message_id):
        raise UnusableError("a message is named by its number, or by its partner and id: vetting:msg_2f6c1e")
    return DeliveryFilter(source=source, message_id=message_id, limit=1)


def _on_the_inbox(work: Callable[[Deliveries], Awaitable[None]]) -> None:
    async def within(stack: Reached) -> None:
        await work(stack.backing.store.deliveries)

    on_the_stack(within)
