"""The outermost layer of every process: event loop, signals, exit code."""

import asyncio
import gc
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from typing import NoReturn

import structlog
import uvloop

EXIT_CODE_FAILED = 1

# Objects that may be made before the youngest are looked through, 700 by default: requests under
# way are hundreds of them, and would be looked through in the middle of their lives.
_GC_THRESHOLD = 20_000

Main = Callable[[asyncio.Event], Awaitable[None]]

_log = structlog.get_logger(__name__)


def run(main: Main) -> NoReturn:
    """Runs `main` on uvloop and exits.

    SIGTERM or SIGINT sets the event: `main` then drains and returns, exit code 0. A second
    signal exits at once with 128 + its number. An error that escapes `main` is logged, exit
    code 1.
    """
    if not structlog.is_configured():  # until main has read its settings
        structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_supervise(main))
    except Exception as error:  # noqa: BLE001 — the outermost layer
        _log.critical("process_failed", exc_info=error)
        raise SystemExit(EXIT_CODE_FAILED) from None
    raise SystemExit(0)


async def _supervise(main: Main) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, _on_signal, number, stop)
    _settle_memory()
    await main(stop)


def _settle_memory() -> None:
    """What was imported stays to the end: the collector need not look at it any more."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_GC_THRESHOLD, 10, 10)


def _on_signal(number: signal.Signals, stop: asyncio.Event) -> None:
    if stop.is_set():
        os._exit(
            128 + number
        )  # asked twice: no last words, whoever waits must get their prompt back
    _log.info("process_stopping", signal=number.name)
    stop.set()
