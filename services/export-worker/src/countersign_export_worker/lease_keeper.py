"""Keeps a lease while its holder works, and stops the holder before the lease ends.

Counts on the worker's own monotonic clock from before the lease was asked for, so that this
end is never later than the database's. Being stopped is like a crash: the protocol bears it
at any point, and stopping saves work rather than correctness.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import structlog

from countersign_export_worker.assignment import Lease
from countersign_export_worker.errors import LeaseLost, WorkError, WorkUnavailable
from countersign_export_worker.ports import WorkPort

_log = structlog.get_logger()

# Part of the lease at its end that is not worked in.
_MARGIN = 0.1
# Asked for again after this part of the lease, and that soon after no answer.
_RENEW_AFTER = 1 / 3
_RETRY_AFTER = 1 / 15


class LeaseKeeper:
    """Renews leases with push."""

    def __init__(self, work: WorkPort) -> None:
        self._work = work

    @asynccontextmanager
    async def hold(self, lease: Lease, seconds: float, asked_at: float) -> AsyncIterator[None]:
        """Run the block while the lease lasts; cancel it when the lease does not.

        `seconds` is the lease's length; `asked_at` the event loop's time before the claim.

        Raises:
            LeaseLost: the block was cancelled because the lease ended.
        """
        scope = asyncio.timeout_at(_end(asked_at, seconds))
        try:
            async with scope:
                renewing = asyncio.create_task(self._keep(lease, seconds, scope))
                try:
                    yield
                finally:
                    renewing.cancel()
                    with suppress(asyncio.CancelledError):
                        await renewing
        except TimeoutError as error:
            if scope.expired():
                raise LeaseLost("the lease ended") from error
            raise

    async def _keep(self, lease: Lease, seconds: float, scope: asyncio.Timeout) -> None:
        clock = asyncio.get_running_loop().time
        pause = seconds * _RENEW_AFTER
        while True:
            await asyncio.sleep(pause)
            asked_at = clock()
            try:
                async with asyncio.timeout(seconds * _RENEW_AFTER):
                    await self._work.renew_lease(lease)
            except (WorkUnavailable, TimeoutError):
                _log.warning("lease_not_renewed")
                pause = seconds * _RETRY_AFTER
            except WorkError:
                _move_end(scope, clock())
                return
            else:
                _move_end(scope, _end(asked_at, seconds))
                pause = seconds * _RENEW_AFTER


def _end(asked_at: float, seconds: float) -> float:
    return asked_at + seconds * (1 - _MARGIN)


def _move_end(scope: asyncio.Timeout, when: float) -> None:
    if not scope.expired():
        scope.reschedule(when)
