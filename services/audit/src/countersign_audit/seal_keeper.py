"""What is done to chains as a whole, now and then: sealed, archived, removed when it is time."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

import structlog

from countersign_audit.metrics import SEALING_FAILURES

# Does what is due; how much it was.
Step = Callable[[], Awaitable[int]]

_log = structlog.get_logger(__name__)


class SealKeeper:
    """One turn after the other; safe with any number of replicas."""

    def __init__(self, steps: Mapping[str, Step], seconds: float) -> None:
        """`steps` by the name that the log has them under, in their order."""
        self._steps = steps
        self._seconds = seconds

    async def run(self) -> None:
        """Goes on until it is cancelled; what fails waits for the next turn."""
        while True:
            await self.turn()
            await asyncio.sleep(self._seconds)

    async def turn(self) -> None:
        """Every step once; one that fails does not keep the others from their work."""
        for name, step in self._steps.items():
            try:
                done = await step()
            except Exception as error:  # noqa: BLE001 — the next turn may do better, and must come
                SEALING_FAILURES.inc()
                _log.warning("step_failed", step=name, exc_info=error)
                continue
            if done:
                _log.info(name, count=done)
