"""How long to wait before the next try, so that many waiters do not come back at once."""

import random
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Backoff:
    """Exponential, capped, with the upper half of each wait left to chance."""

    first_seconds: float = 0.2
    longest_seconds: float = 5.0

    def seconds(self, failures: int) -> float:
        """The wait after this many failures in a row, from 1."""
        # Beyond 2**16 the cap has long been reached; larger powers only overflow.
        wait = min(self.longest_seconds, self.first_seconds * 2.0 ** min(failures - 1, 16))
        return wait * random.uniform(0.5, 1.0)  # noqa: S311 — spread, not secrecy
