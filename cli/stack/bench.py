"""`passage bench NAME`: one budget of the design, measured on this machine, with its parts."""

import asyncio
from enum import StrEnum
from typing import Annotated

import typer

from bench import append as append_bench
from bench import cache as cache_bench
from bench import governing as governing_bench
from bench import places as places_bench
from bench.audit import measure as audit_bench
from bench.audit import memory as memory_bench
from bench.audit.measure import Audit
from bench.audit.memory import Memory
from bench.cache import Cache
from bench.floor import measure as floor_bench
from bench.floor.measure import Floor, UnlikeError
from bench.gateway import measure as gateway_bench
from bench.gateway.client import RefusedError
from bench.gateway.measure import GatewayRates
from bench.governing import Governing
from bench.history import measure as history_bench
from bench.history.measure import History
from bench.places import Places
from bench.ratio import Ratio
from cli.errors import FaultFoundError
from cli.lines import echo_json
from process.config import load_settings
from process.logs import configure_logs

Found = Ratio | Floor | GatewayRates | Audit | History | Memory | Places | Cache | Governing


class Name(StrEnum):
    """What can be measured."""

    FLOOR = "floor"
    APPEND = "append"
    GATEWAY = "gateway"
    AUDIT = "audit"
    HISTORY = "history"
    MEMORY = "memory"
    PLACES = "places"
    CACHE = "cache"
    GOVERNING = "governing"


def bench(
    name: Annotated[
        Name,
        typer.Argument(
            help="floor: cases/s. append, audit: events/s. gateway: messages/s. history: latency. memory: of verify. "
            "places: claims/s. cache: memory, wake-up. governing: a suspension, the sweep.",
            show_default=False,
        ),
    ],
    json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
    pairs: Annotated[int, typer.Option(min=1, max=100, help="Alternated pairs.")] = 5,
    cases: Annotated[int, typer.Option(min=1, max=10_000, help="floor, cache: cases a side and pair.")] = 100,
    open_cases: Annotated[
        int, typer.Option(min=1000, max=5_000_000, help="governing: open cases; its budget is for the default.")
    ] = governing_bench.OPEN,
    events: Annotated[
        int | None,
        typer.Option(min=10_000, help="Of the large log.", show_default="history: 10 million, memory: a million"),
    ] = None,
) -> None:
    """Measure against the floor in alternated pairs; exit 1 where the budget is not met."""
    configure_logs(load_settings(from_running_stack=False).model_copy(update={"log_level": "error"}), "bench")
    try:
        found = asyncio.run(_measured(name, pairs, cases, events, open_cases))
    except UnlikeError as error:
        raise FaultFoundError(str(error)) from None
    except RefusedError as error:
        raise FaultFoundError(f"a message was not taken: {error}") from None
    except TimeoutError:
        raise FaultFoundError(f"{name}: a case or a request did not get to its end in time") from None
    if json:
        echo_json(found.as_dict())
    else:
        _print(found)
    if not found.is_met:
        raise FaultFoundError(f"the budget of {name} is not met")


async def _measured(name: Name, pairs: int, cases: int, events: int | None, open_cases: int) -> Found:
    match name:
        case Name.FLOOR:
            return await floor_bench.measure(pairs, cases)
        case Name.APPEND:
            return await append_bench.measure(pairs)
        case Name.GATEWAY:
            return await gateway_bench.measure(pairs)
        case Name.AUDIT:
            return await audit_bench.measure(pairs=pairs)
        case Name.HISTORY:
            return await history_bench.measure(events or history_bench.MANY, pairs=pairs)
        case Name.MEMORY:
            return await memory_bench.measure(events or memory_bench.MANY)
        case Name.PLACES | Name.GOVERNING:
            return await (places_bench.measure(pairs) if name is Name.PLACES else governing_bench.measure(open_cases))
        case Name.CACHE:
            return await cache_bench.measure(pairs, cases)


def _print(found: Found) -> None:
    if isinstance(found, Audit | History | Memory | Places | Cache | Governing):
        for line in found.lines():
            typer.echo(line)
        return
    rate = found if isinstance(found, Ratio) else found.rate
    typer.echo(f"{rate.name}, {rate.unit} (ours / theirs), {len(rate.pairs)} alternated pairs")
    for ours, theirs in rate.pairs:
        typer.echo(f"  {ours:10.1f} / {theirs:10.1f} = {ours / theirs:.3f}")
    typer.echo(f"Median ratio     {rate.ratio:.3f}  (at least {rate.at_least:.2f}){_mark(met=rate.is_met)}")
    if isinstance(found, Floor):
        _print_parts(found)
    if isinstance(found, GatewayRates):
        typer.echo(f"99th percentile  {found.p99_ms[0]:.1f} / {found.p99_ms[1]:.1f} ms")
        drained, signalled = (sorted(each)[len(each) // 2] for each in zip(*found.drain.pairs, strict=True))
        typer.echo(
            f"Inbox drained    {drained:.0f} / {signalled:.0f} signals/s, ratio {found.drain.ratio:.3f}"
            f"  (at least {found.drain.at_least:.2f}){_mark(met=found.drain.is_met)}"
        )


def _print_parts(found: Floor) -> None:
    ours, theirs = (sorted(each)[len(each) // 2] * 1000 for each in zip(*found.cpu, strict=True))
    typer.echo(
        f"Worker CPU       {ours:.1f} / {theirs:.1f} ms a case, ratio {found.cpu_ratio:.2f}"
        f"  (at most {floor_bench.CPU_AT_MOST}){_mark(met=found.cpu_ratio <= floor_bench.CPU_AT_MOST)}"
    )
    typer.echo(f"History events   {found.events} a case  (at most {floor_bench.EVENTS_AT_MOST})")
    typer.echo(f"Billed actions   {found.actions} a case  (at most {floor_bench.ACTIONS_AT_MOST})")
    for kind, times in sorted(found.bill.items()):
        typer.echo(f"  {times:>3}  {kind.lower().replace('_', ' ')}")


def _mark(*, met: bool) -> str:
    return "" if met else "  NOT MET"
