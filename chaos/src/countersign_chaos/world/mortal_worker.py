"""The worker, with a step of a delivery at which its life ends. For chaos runs only.

    python -m countersign_chaos.world.mortal_worker

COUNTERSIGN_CHAOS_END_AT   a Step of world/steps.py; unset: it lives
COUNTERSIGN_CHAOS_PASSAGE  at which passage of that step, from 1
COUNTERSIGN_CHAOS_SLEEPS   1: it stops there (SIGSTOP) until it is woken, again and again, in
                           place of dying
COUNTERSIGN_CHAOS_ARMED    a file; only while it is there the end comes
COUNTERSIGN_CHAOS_CLOCK    a file with the seconds by which its wall clock is wrong

The program itself is the one that ships: both of its ports are wrapped, nothing else.
"""

import os
import signal
import time
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any, cast

from countersign_chaos.world.steps import AROUND, Step
from countersign_export_worker.__main__ import start
from countersign_export_worker.bootstrap import build
from countersign_export_worker.connectors.registry import OpenConnector
from countersign_export_worker.ports import WorkPort

_ARMED = Path(os.environ.get("COUNTERSIGN_CHAOS_ARMED", "/nonexistent"))
_CLOCK_LOOK_SECONDS = 0.2


class Fate:
    """Counts passages of one step and ends the process, or stops it, at the one that was drawn."""

    def __init__(self, point: Step | None, passage: int, *, sleeps: bool) -> None:
        self.point = point
        self._passage = passage
        self._left = passage
        self._sleeps = sleeps

    @property
    def is_near(self) -> bool:
        """Whether the next passage is the last."""
        return self._left == 1 and _ARMED.exists()

    def pass_by(self) -> None:
        """One passage of the step."""
        if not _ARMED.exists():
            return
        self._left -= 1
        if self._left == 0:
            # Whoever wakes up falls asleep again after as many passages.
            self._left = self._passage
            os.kill(os.getpid(), signal.SIGSTOP if self._sleeps else signal.SIGKILL)


class _Mortal:
    """Any port, with an end before or after one of its calls."""

    def __init__(self, inner: Any, fate: Fate) -> None:
        self._inner = inner
        self._fate = fate

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(self._inner, name)
        point = self._fate.point
        if point is Step.DURING_WRITE and name == "stage":
            return self._stage_half
        before, after = AROUND.get(name, (None, None))
        if point is None or point not in (before, after):
            return attribute
        return partial(self._call, attribute, first=point is before)

    async def _call(
        self, method: Callable[..., Awaitable[Any]], *args: Any, first: bool, **options: Any
    ) -> Any:
        if first:
            self._fate.pass_by()
            return await method(*args, **options)
        result = await method(*args, **options)
        self._fate.pass_by()
        return result

    async def _stage_half(self, name: Any, document: bytes) -> Any:
        if self._fate.is_near:
            await self._inner.stage(name, document[: len(document) // 2])
        self._fate.pass_by()
        return await self._inner.stage(name, document)


def mortal_connector(open_connector: OpenConnector, fate: Fate) -> OpenConnector:
    """What bootstrap.build takes as `wrap_connector`."""
    return lambda access: cast("Any", _Mortal(open_connector(access), fate))


def fate_from_environment() -> Fate:
    """What was drawn for this life."""
    named = os.environ.get("COUNTERSIGN_CHAOS_END_AT")
    return Fate(
        Step(named) if named else None,
        int(os.environ.get("COUNTERSIGN_CHAOS_PASSAGE", "1")),
        sleeps=os.environ.get("COUNTERSIGN_CHAOS_SLEEPS") == "1",
    )


class WrongClock:
    """Stands in for `time.time`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._true_time = time.time
        self._offset = 0.0
        self._look_at = 0.0

    def __call__(self) -> float:
        """Seconds since the epoch, wrong by what the file says."""
        if time.monotonic() >= self._look_at:
            self._look_at = time.monotonic() + _CLOCK_LOOK_SECONDS
            self._offset = float(self._path.read_text()) if self._path.exists() else 0.0
        return self._true_time() + self._offset


def main() -> None:
    """Run until the drawn end, or SIGTERM."""
    if named := os.environ.get("COUNTERSIGN_CHAOS_CLOCK"):
        time.time = WrongClock(Path(named))
    fate = fate_from_environment()
    start(
        partial(
            build,
            wrap_work=lambda work: cast("WorkPort", _Mortal(work, fate)),
            wrap_connector=partial(mortal_connector, fate=fate),
        )
    )


if __name__ == "__main__":
    main()
