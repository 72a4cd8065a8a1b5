"""The worker, going on when its lease is over: as on a virtual machine that was paused.

There the monotonic clock stood still as well, so that nothing tells a worker how late it is.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from countersign_chaos.world import mortal_worker
from countersign_export_worker.assignment import Lease
from countersign_export_worker.lease_keeper import LeaseKeeper


@asynccontextmanager
async def _hold_for_ever(
    self: LeaseKeeper, lease: Lease, seconds: float, asked_at: float
) -> AsyncIterator[None]:
    del self, lease, seconds, asked_at
    yield


def main() -> None:
    """Start it."""
    LeaseKeeper.hold = _hold_for_ever  # type: ignore[method-assign]
    mortal_worker.main()


if __name__ == "__main__":
    main()
