"""A whole stack with simulated partners as a program of its own, so that a test may kill it; ends at SIGTERM.

Its settings come from the environment, as those of `passage up`.
"""

import asyncio

import stack.temporal
from cli.stack.foreground import in_foreground
from process.config import load_settings
from process.logs import configure_logs
from stack.embedded import EmbeddedStack
from stack.state import StackState


async def _stay(_: StackState) -> None:
    await asyncio.Event().wait()


def main() -> None:
    # Any free port: a usual one could be taken by another test's stack while this one's server is down.
    stack.temporal.USUAL_PORT = stack.temporal.USUAL_UI_PORT = 0
    settings = load_settings(from_running_stack=False)
    configure_logs(settings, "stack")
    asyncio.run(in_foreground(EmbeddedStack(settings, simulators=True), _stay))


if __name__ == "__main__":
    main()
