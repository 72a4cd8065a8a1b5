"""Leaves a connection alone for a while whose server does not answer.

    CLOSED      it answers
    OPEN        it did not, several times in a row: nothing is sent there for a while
    HALF_OPEN   the while is over: one delivery is let through, and decides

While it is not closed the worker asks push for no (or one) export of that connection, so that
no attempt is burnt on a dead server and other connections get the slots. A refused login counts
as well: many of them lock accounts. So does a step whose outcome nobody knows: each one holds
an export until a person has looked.
"""

from collections.abc import Callable
from enum import StrEnum

from countersign_export_worker.errors import OUTCOME_UNKNOWN

# What says that the server or the login, not the file, is the trouble.
_DEAD = frozenset(
    {"UNREACHABLE", "TIMEOUT", "CONNECTION_LOST", "AUTHENTICATION_FAILED", OUTCOME_UNKNOWN}
)


class BreakerState(StrEnum):
    """Names as in the contract."""

    CLOSED = "CLOSED"
    OPEN = "OPEN"
    HALF_OPEN = "HALF_OPEN"


class Breaker:
    """One connection's; opens after `limit` such failures in a row, for `seconds`."""

    def __init__(
        self,
        clock: Callable[[], float],
        *,
        limit: int = 3,
        seconds: float = 30.0,
        on_change: Callable[[BreakerState, str, str], None] = lambda *_: None,
    ) -> None:
        """`clock` answers monotonic seconds; `on_change` takes a state, a code, a message."""
        self._clock = clock
        self._limit = limit
        self._seconds = seconds
        self._on_change = on_change
        self._failures = 0
        self._open_until = 0.0
        self._said = BreakerState.CLOSED

    @property
    def state(self) -> BreakerState:
        """What may be done now."""
        if self._failures < self._limit:
            return BreakerState.CLOSED
        return BreakerState.OPEN if self._clock() < self._open_until else BreakerState.HALF_OPEN

    @property
    def is_open(self) -> bool:
        """Whether to leave the connection alone now. After the pause, one try decides."""
        return self.state is BreakerState.OPEN

    @property
    def room(self) -> int | None:
        """How many exports of the connection to take; None: as many as there is room for."""
        return {BreakerState.OPEN: 0, BreakerState.HALF_OPEN: 1}.get(self.state)

    def record(self, code: str, message: str = "") -> None:
        """What a call ended with: an error's code, or "" when it worked."""
        if code in _DEAD:
            self._failures += 1
            self._open_until = self._clock() + self._seconds
        else:
            self._failures = 0
        state = BreakerState.CLOSED if self._failures < self._limit else BreakerState.OPEN
        if state is not self._said:
            self._said = state
            self._on_change(state, code if code in _DEAD else "", message)
