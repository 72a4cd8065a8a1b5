"""Resident memory over time."""

import asyncio
import time
from collections.abc import Mapping
from typing import Self

from bench.measure.proc import tree_usage

# Rarely: to look through /proc takes a processor from what is measured.
_SAMPLE_SECONDS = 10.0
# Caches and pools are full by then.
SETTLED_AFTER = 50_000


class MemoryWatch:
    """Between enter and exit: resident MiB of each process, every ten seconds."""

    def __init__(self, pids: Mapping[str, int]) -> None:
        self._pids = {name: pid for name, pid in pids.items() if name != "postgres"}
        self._samples: list[tuple[float, dict[str, float]]] = []

    async def __aenter__(self) -> Self:
        self._watching = asyncio.create_task(self._watch())
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        self._watching.cancel()

    def remark(self, per_second: float) -> str:
        """What it came to, for a load of so many requests a second."""
        first_at = self._samples[0][0]
        after = [
            sample for at, sample in self._samples if (at - first_at) * per_second >= SETTLED_AFTER
        ]
        seen = after or [sample for _, sample in self._samples[-1:]]
        when = f"after {SETTLED_AFTER:,} requests and at the end" if after else "at the end"
        parts = [
            f"{name} {seen[0][name]:.0f} → {seen[-1][name]:.0f}" for name in sorted(self._pids)
        ]
        return f"resident MiB {when}: {', '.join(parts)}"

    async def _watch(self) -> None:
        while True:
            self._samples.append((time.monotonic(), resident_mib(self._pids)))
            await asyncio.sleep(_SAMPLE_SECONDS)


def resident_mib(pids: Mapping[str, int]) -> dict[str, float]:
    """By name, now."""
    return {name: tree_usage(pid).resident_bytes / 2**20 for name, pid in pids.items()}
