"""A run from ordinary code: on an event loop of its own."""

import asyncio

import uvloop

from countersign_chaos.run import Options, Outcome, run


def execute(options: Options) -> Outcome:
    """The run, from begin to end."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(run(options))
