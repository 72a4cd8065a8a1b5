"""How long and how often a benchmark measures."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Options:
    """`rounds` are counted, one more warms up; `scale` 1.0 is the size in RESULTS.md."""

    rounds: int = 3
    scale: float = 1.0

    def size(self, full: int) -> int:
        """`full` scaled; 1 at least."""
        return max(1, round(full * self.scale))
