"""Refuses approvals while the audit trail lags behind, where an installation wants that.

The lag is what the relay measured last, a few seconds ago: an approval costs nothing more.
"""

from collections.abc import Callable

from countersign_core.errors import CountersignError
from countersign_core.reasons import Reason

# Tells callers to come back after so long; the lag is measured about as often.
_RETRY_SECONDS = 5.0

# Seconds; None as long as nothing was measured.
LagNow = Callable[[], float | None]


class AuditGuard:
    """Knows the limit, and asks how far the trail lags behind."""

    def __init__(self, limit_seconds: float | None, lag_now: LagNow) -> None:
        """Without a limit nothing is ever refused."""
        self._limit = limit_seconds
        self._lag_now = lag_now

    def require_in_step(self) -> None:
        """Lets an approval go on.

        Raises:
            CountersignError: AUDIT_BEHIND; also as long as the lag is not known.
        """
        if self._limit is None:
            return
        lag = self._lag_now()
        if lag is None:
            raise _behind("How far the audit trail lags behind is not known yet")
        if lag > self._limit:
            message = f"The audit trail lags {lag:.0f} s behind; approvals wait for it"
            facts = {"lag_seconds": f"{lag:.0f}", "allowed_seconds": f"{self._limit:g}"}
            raise _behind(message, **facts)


def _behind(message: str, **facts: str) -> CountersignError:
    error = CountersignError(Reason.AUDIT_BEHIND, message, **facts)
    error.retry_after_seconds = _RETRY_SECONDS
    return error
