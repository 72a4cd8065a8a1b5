"""A run from ordinary code: on an event loop of its own."""

import asyncio
import os
import signal

import uvloop

from countersign_chaos.run import Options, Outcome, run


def execute(options: Options) -> Outcome:
    """The run, from begin to end; SIGTERM ends it as Ctrl-C does, in good order."""
    signal.signal(signal.SIGTERM, lambda *_: os.kill(os.getpid(), signal.SIGINT))
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(run(options))
