"""Whether memory and connections stay flat under a steady load without faults."""

import asyncio
import statistics
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import psutil

from countersign_chaos.world.world import World

_EVERY_SECONDS = 2.0
# What a process needs at first (pools, caches, code that is used for the first time) is no growth.
_WARM_UP = 1 / 3
# What may be gained from the first half of the rest to its second half: memory is given back in
# large pieces, and a pool may open another connection.
_MEMORY_SHARE, _MEMORY_BYTES = 0.05, 4 << 20
_COUNT_SHARE, _COUNT = 0.1, 4


@dataclass(frozen=True, slots=True)
class Growth:
    """How much of something there was in the two halves after the warm-up, on average."""

    process: str
    what: str
    earlier: float
    later: float

    @property
    def is_flat(self) -> bool:
        """Whether the later half has no more than the earlier one, but for a little."""
        if self.what == "memory":
            return self.later <= self.earlier * (1 + _MEMORY_SHARE) + _MEMORY_BYTES
        return self.later <= self.earlier * (1 + _COUNT_SHARE) + _COUNT

    def __str__(self) -> str:
        unit = "MiB" if self.what == "memory" else self.what
        return f"{self.process}: {change(self.what, self.earlier, self.later)} {unit}"


@dataclass(slots=True)
class Soak:
    """Samples every process of a world."""

    world: World
    samples: dict[tuple[str, str], list[float]] = field(default_factory=lambda: defaultdict(list))

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            began = time.monotonic()
            self._sample()
            await asyncio.sleep(max(0.0, began + _EVERY_SECONDS - time.monotonic()))

    def growths(self) -> list[Growth]:
        """One per process and measure."""
        return [
            Growth(process, what, *halves(values))
            for (process, what), values in sorted(self.samples.items())
        ]

    def _sample(self) -> None:
        for name, process in self.world.processes.items():
            running = psutil.Process(process.pid)
            self.samples[name, "memory"].append(float(running.memory_info().rss))
            self.samples[name, "connections"].append(float(_connections(running)))
            self.samples[name, "files"].append(float(running.num_fds()))
            self.samples[name, "threads"].append(float(running.num_threads()))


def halves(values: Sequence[float]) -> tuple[float, float]:
    """The means of the two halves that follow the warm-up."""
    rest = values[int(len(values) * _WARM_UP) :]
    middle = max(1, len(rest) // 2)
    return statistics.fmean(rest[:middle]), statistics.fmean(rest[middle:] or rest)


def change(what: str, earlier: float, later: float) -> str:
    """For people; memory, in bytes, as MiB."""
    unit = 2**20 if what == "memory" else 1
    return f"{earlier / unit:.1f} → {later / unit:.1f}"


def growth_rows(growths: Sequence[Growth]) -> list[dict[str, Any]]:
    """For scripts."""
    return [
        {
            "process": each.process,
            "what": each.what,
            "earlier": round(each.earlier, 1),
            "later": round(each.later, 1),
            "flat": each.is_flat,
        }
        for each in growths
    ]


def _connections(process: psutil.Process) -> int:
    return sum(1 for each in process.net_connections("tcp") if each.status == "ESTABLISHED")
