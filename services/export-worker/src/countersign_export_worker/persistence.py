"""Loops that end only when they are cancelled."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from countersign_export_worker.errors import WorkUnavailable
from countersign_platform.backoff import Backoff

_log = structlog.get_logger()


async def keep_doing(name: str, act: Callable[[], Awaitable[object]], backoff: Backoff) -> None:
    """Call `act` again and again; after an error, wait longer each time."""
    failures = 0
    while True:
        try:
            await act()
        except WorkUnavailable as error:
            failures += 1
            _log.warning("push_unavailable", loop=name, failures=failures, error=str(error))
        except Exception:  # noqa: BLE001 — the loop outlives whatever happens in it
            failures += 1
            _log.exception("loop_failed", loop=name, failures=failures)
        else:
            failures = 0
            continue
        await asyncio.sleep(backoff.seconds(failures))
