"""Pushes, claims, reports, acks and settlements in any order, against a plain model.

Hypothesis plays everybody over the real services and a real PostgreSQL.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from countersign_push.store import reports, reports_together
from countersign_push.testing.journey import Journey

pytestmark = pytest.mark.integration


class _OldestLease:
    """Draws the first of what there is, in Hypothesis' place."""

    def draw(self, strategy: Any) -> Any:
        return strategy.elements[0]


def _journey(site: Any, orders: Any, queue: Any) -> type[Journey]:
    """The machine, for a thread beside the event loop that serves it."""
    loop = asyncio.get_running_loop()

    def run(call: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(call, loop).result(timeout=120)

    bound = {"run": staticmethod(run), "site": site, "orders": orders, "queue": queue}
    return type("BoundJourney", (Journey,), bound)


async def test_any_order_of_calls_leaves_what_a_plain_model_says(
    site: Any, orders: Any, queue: Any
) -> None:
    """Some twelve hundred steps, each followed by a look at the whole record."""
    play = settings(
        max_examples=40,
        stateful_step_count=30,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    machine = _journey(site, orders, queue)
    await asyncio.to_thread(run_state_machine_as_test, machine, settings=play)


def _report_late(machine: Journey, report: str, *, batching: bool) -> None:
    """The first worker's lease runs out and the export is claimed again; then it reports."""
    machine.begin(batching=batching)
    machine.push("push", None)
    machine.claim()
    machine.lease_runs_out()
    machine.claim()
    assert [fence for _, fence in machine.leases] == [1, 2]
    machine.the_record_is_what_the_model_says()
    late: dict[str, Any] = {"withdrawn": False} if report == "report_failed" else {}
    getattr(machine, report)(_OldestLease(), **late)
    machine.the_record_is_what_the_model_says()


def _plant_the_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("STAGED", "SENT", "FAILED"):
        statement = getattr(reports, name)
        assert "e.fence = $3" in statement
        monkeypatch.setattr(reports, name, statement.replace("e.fence = $3", "e.fence >= $3"))
    for name in ("STAGED_TOGETHER", "SENT_TOGETHER"):
        statement = getattr(reports_together, name)
        assert "e.fence = r.fence" in statement
        planted = statement.replace("e.fence = r.fence", "e.fence >= r.fence")
        monkeypatch.setattr(reports_together, name, planted)


@pytest.mark.parametrize("batching", [False, True], ids=["alone", "in a batch"])
@pytest.mark.parametrize("report", ["report_staged", "report_sent", "report_failed"])
async def test_the_model_tells_when_a_report_counts_under_any_lease(
    site: Any,
    orders: Any,
    queue: Any,
    monkeypatch: pytest.MonkeyPatch,
    report: str,
    batching: bool,
) -> None:
    """A late report is refused; without the fence the model says that it should have been."""
    machine = _journey(site, orders, queue)
    await asyncio.to_thread(_report_late, machine(), report, batching=batching)
    _plant_the_fault(monkeypatch)
    with pytest.raises(AssertionError):
        await asyncio.to_thread(_report_late, machine(), report, batching=batching)
