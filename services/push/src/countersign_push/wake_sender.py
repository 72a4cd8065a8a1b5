"""The work lane where no broker is configured: workers of this process's long polls are woken.

What is left of it there: offers of the reconciler, and messages from a time when a broker was
configured. A push wakes them without a message.

Nothing is lost when nobody waits, or when the worker waits at another replica: ClaimNext finds
due exports in the database, and this only makes it look at once.
"""

from collections.abc import Callable, Sequence

from countersign_platform.outbox.row import OutboxRow


class WakeSender:
    """A Sender that wakes as many waiters as there is new work."""

    def __init__(self, wake: Callable[[int], None]) -> None:
        self._wake = wake

    async def send(self, rows: Sequence[OutboxRow]) -> Sequence[Exception | None]:
        """Always succeeds."""
        self._wake(len(rows))
        return [None] * len(rows)
