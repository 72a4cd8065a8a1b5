"""How long to wait before asking push again."""

import random
from collections.abc import Iterator


def backoff_seconds(first: float = 0.1, cap: float = 5.0) -> Iterator[float]:
    """Doubling waits, each less a random half, so that workers do not come back as one."""
    wait = first
    while True:
        yield wait * random.uniform(0.5, 1.0)  # noqa: S311 — spreads load, guards nothing
        wait = min(cap, wait * 2)
