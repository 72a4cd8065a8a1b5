"""Wakes workers after pushes where no broker does, a few times a second under load.

The first push after a rest is told at once. Those that follow within the pace are told together,
so that a worker that asks finds many exports and not one.
"""

import asyncio
from collections.abc import Callable


class PacedWake:
    """Call it after each push; nothing is lost when it is not: long polls look by themselves."""

    def __init__(self, wake: Callable[[int], None], pace_seconds: float) -> None:
        """`wake(n)` tells waiting workers of n exports; at most once in `pace_seconds`."""
        self._wake = wake
        self._pace = pace_seconds
        self._untold = 0
        self._resting = True

    def __call__(self) -> None:
        """One more export."""
        self._untold += 1
        if self._resting:
            self._tell()

    def _tell(self) -> None:
        count, self._untold = self._untold, 0
        self._resting = count == 0
        if count:
            self._wake(count)
            asyncio.get_running_loop().call_later(self._pace, self._tell)
