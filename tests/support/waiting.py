"""Waiting for what comes sooner or later, in tests of the whole system."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

# A condition that is met costs nothing to wait for longer.
PATIENCE_SECONDS = 120.0
# Loading every authority that this machine trusts takes 50 ms, for each client.
NO_TLS = False


async def eventually(
    look: Callable[[], Awaitable[Any]],
    *,
    seconds: float = PATIENCE_SECONDS,
    what: str = "condition",
    pause: float = 0.05,
) -> Any:
    """Call `look` until it answers something true."""
    deadline = time.monotonic() + seconds
    while True:
        found = await look()
        if found:
            return found
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        await asyncio.sleep(pause)
