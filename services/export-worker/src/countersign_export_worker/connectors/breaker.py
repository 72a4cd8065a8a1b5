"""Leaves a connection alone for a while whose server does not answer.

Its exports then fail at once instead of each waiting for a timeout, and other connections
get the slots.
"""

from collections.abc import Callable

# What says that the server, not the file, is the trouble.
_DEAD = frozenset({"UNREACHABLE", "TIMEOUT"})


class Breaker:
    """One connection's; opens after `limit` such failures in a row, for `seconds`."""

    def __init__(
        self, clock: Callable[[], float], *, limit: int = 3, seconds: float = 30.0
    ) -> None:
        """`clock` answers monotonic seconds."""
        self._clock = clock
        self._limit = limit
        self._seconds = seconds
        self._failures = 0
        self._open_until = 0.0

    @property
    def is_open(self) -> bool:
        """Whether to leave the connection alone now. After the pause, one try decides."""
        return self._failures >= self._limit and self._clock() < self._open_until

    def record(self, code: str) -> None:
        """What a call ended with: an error's code, or "" when it worked."""
        if code not in _DEAD:
            self._failures = 0
            return
        self._failures += 1
        self._open_until = self._clock() + self._seconds
