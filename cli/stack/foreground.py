"""A stack in the foreground: up, then some work, then down, whatever ends it."""

import asyncio
import signal
from collections.abc import Awaitable, Callable
from typing import TypeVar

from stack.embedded import EmbeddedStack
from stack.errors import StackError
from stack.state import StackState

T = TypeVar("T")


async def in_foreground(stack: EmbeddedStack, work: Callable[[StackState], Awaitable[T]]) -> T | None:
    """Start `stack`, do `work`, stop the stack in any case.

    Returns what the work returns, or None if Ctrl-C, SIGTERM or a closed terminal ended it first. Raises StackError if
    the stack does not start or cannot go on.
    """
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    whole = asyncio.create_task(_start_and_work(stack, work))
    interrupted = asyncio.create_task(stopped.wait())
    try:
        await asyncio.wait({whole, interrupted}, return_when=asyncio.FIRST_COMPLETED)
        return whole.result() if whole.done() else None
    finally:
        for task in (whole, interrupted):
            task.cancel()
        await asyncio.gather(whole, interrupted, return_exceptions=True)
        await stack.stop()


async def _start_and_work(stack: EmbeddedStack, work: Callable[[StackState], Awaitable[T]]) -> T:
    state = await stack.start()
    working = asyncio.ensure_future(work(state))
    failing = asyncio.create_task(stack.failure())
    try:
        await asyncio.wait({working, failing}, return_when=asyncio.FIRST_COMPLETED)
        if failing.done():
            raise StackError(failing.result())
        return working.result()
    finally:
        for task in (working, failing):
            task.cancel()
        await asyncio.gather(working, failing, return_exceptions=True)
