"""A server that does not answer is left alone, and one try decides when it is over."""

from uuid import UUID

import pytest

from countersign_export_worker.assignment import ConnectionAccess
from countersign_export_worker.connectors.breaker import Breaker, BreakerState
from countersign_export_worker.health_reports import HealthReports
from countersign_export_worker.ports import AttemptError
from countersign_export_worker.testing.work_twin import WorkTwin

ACCESS = ConnectionAccess(UUID(int=1), UUID(int=2), "DROPZONE_JSON_V1", "{}")


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(
    "code", ["UNREACHABLE", "TIMEOUT", "CONNECTION_LOST", "AUTHENTICATION_FAILED"]
)
def test_it_opens_after_three_failures_and_then_lets_one_through(code: str) -> None:
    """CLOSED → OPEN (no room) → HALF_OPEN (room for one) → CLOSED, or OPEN again."""
    clock, heard = Clock(), []
    breaker = Breaker(clock, limit=3, seconds=30.0, on_change=lambda *what: heard.append(what))
    for _ in range(2):
        breaker.record(code, "x")
    assert (breaker.state, breaker.room) == (BreakerState.CLOSED, None)
    breaker.record(code, "x")
    assert (breaker.state, breaker.room) == (BreakerState.OPEN, 0)
    clock.now = 30.0
    assert (breaker.state, breaker.room) == (BreakerState.HALF_OPEN, 1)
    breaker.record(code, "x")
    assert breaker.state is BreakerState.OPEN
    clock.now = 60.0
    breaker.record("")
    assert (breaker.state, breaker.room) == (BreakerState.CLOSED, None)
    assert heard == [(BreakerState.OPEN, code, "x"), (BreakerState.CLOSED, "", "")]


def test_a_full_disk_is_no_dead_server() -> None:
    """The server answered: other files may fit."""
    breaker = Breaker(Clock(), limit=1)
    breaker.record("DISK_FULL")
    assert breaker.state is BreakerState.CLOSED


async def test_push_hears_the_last_word_on_each_connection() -> None:
    """What changed twice before it could be sent is sent once."""
    twin = WorkTwin()
    reports = HealthReports(twin)
    reports.note(ACCESS, BreakerState.OPEN, "UNREACHABLE", "Nobody answers.")
    reports.note(ACCESS, BreakerState.CLOSED, "", "")
    await reports.send()
    reports.note(ACCESS, BreakerState.OPEN, "TIMEOUT", "Too slow.")
    await reports.send()
    await reports.send()
    assert twin.health == [
        (ACCESS.id, "CLOSED", None),
        (ACCESS.id, "OPEN", AttemptError("TIMEOUT", "Too slow.")),
    ]
