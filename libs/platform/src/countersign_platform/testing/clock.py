"""A clock that moves when the test says so."""

from datetime import UTC, datetime, timedelta

_START = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)


class TestClock:
    """Stands in for `time.monotonic` (call it) and for the time of day (`now`)."""

    # The name begins with Test; pytest shall not collect it.
    __test__ = False

    def __init__(self, start: datetime = _START) -> None:
        self._start = start
        self._elapsed = 0.0

    def __call__(self) -> float:
        """Seconds since the start."""
        return self._elapsed

    def now(self) -> datetime:
        """Time of day, UTC."""
        return self._start + timedelta(seconds=self._elapsed)

    def advance(self, seconds: float) -> None:
        """Move forward."""
        if seconds < 0:
            raise ValueError("a clock does not go back")
        self._elapsed += seconds
