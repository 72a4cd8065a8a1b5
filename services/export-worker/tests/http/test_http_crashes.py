"""The real worker, killed or put to sleep around the one step that nobody can take back."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from countersign_core.lifecycle import ExportStatus
from countersign_export_worker.ports import Evidence
from countersign_export_worker.testing.crash_points import CrashPoint
from countersign_export_worker.testing.erp_server import ErpServer, answering, swallow
from countersign_export_worker.testing.samples import EXPORT, export_record
from countersign_export_worker.testing.work_twin import ExportRecord

pytestmark = [pytest.mark.chaos]

CRASHING_WORKER = "countersign_export_worker.testing.crashing_worker"
SENT, HELD = "SENT", "HELD"


@pytest_asyncio.fixture(loop_scope="session")
async def server() -> AsyncIterator[ErpServer]:
    async with ErpServer() as server:
        yield server


@pytest.fixture
def record(bench: Any, server: ErpServer, access_to: Any) -> ExportRecord:
    """A push that waits for a worker."""
    record = export_record(access_to(server.url, timeout_seconds=20))
    bench.twin.add(record)
    return record


def end_of(bench: Any) -> str:
    export = bench.twin.exports[EXPORT]
    return HELD if export.held else export.status.value


async def another_worker(bench: Any, eventually: Any) -> None:
    """The lease runs out and a worker in full health comes by, again and again."""
    if bench.twin.exports[EXPORT].status is ExportStatus.PENDING:
        bench.twin.run_out(EXPORT)
        before = bench.twin.exports[EXPORT].fence
        await bench.work()
        await eventually(
            lambda: end_of(bench) != "PENDING" and bench.twin.exports[EXPORT].fence > before
        )
        for _ in range(3):
            seen = bench.twin.exports[EXPORT].fence
            await eventually(
                lambda seen=seen: end_of(bench) != HELD or bench.twin.exports[EXPORT].fence > seen
            )
        await bench.workers.pop().stop()


@pytest.mark.parametrize(
    ("point", "end", "posts"),
    [
        (CrashPoint.BEFORE_STAGED_REPORT, SENT, 1),
        (CrashPoint.AFTER_STAGED_REPORT, HELD, 0),
        (CrashPoint.BEFORE_SEND, HELD, 0),
        (CrashPoint.AFTER_SEND, HELD, 1),
        (CrashPoint.BEFORE_SENT_REPORT, HELD, 1),
        (CrashPoint.AFTER_SENT_REPORT, SENT, 1),
    ],
)
async def test_killed_worker_leaves_at_most_one_post(
    point: CrashPoint, end: str, posts: int, bench: Any, server: Any, record: Any, eventually: Any
) -> None:
    """Once the record says that it may be sent, nobody sends it again by himself."""
    process = await bench.spawn(CRASHING_WORKER, COUNTERSIGN_TEST_CRASH_AT=point.value)
    _, log = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == -signal.SIGKILL, log.decode()

    await another_worker(bench, eventually)

    assert (end_of(bench), len(server.orders)) == (end, posts)
    assert [order.body for order in server.orders] == [record.document] * posts


async def test_killed_while_the_erp_works_on_it(
    bench: Any, server: Any, record: Any, eventually: Any
) -> None:
    """The request is out, the answer is not there: held, and not sent again."""
    server.behave = swallow
    process = await bench.spawn(CRASHING_WORKER)
    await eventually(lambda: len(server.orders) == 1)
    process.kill()
    await process.communicate()
    server.behave = answering(201)

    await another_worker(bench, eventually)

    assert end_of(bench) == HELD
    assert [order.body for order in server.orders] == [record.document]


@pytest.mark.parametrize(
    ("point", "most"),
    [
        (CrashPoint.BEFORE_STAGED_REPORT, 1),
        (CrashPoint.BEFORE_SEND, 1),
        (CrashPoint.AFTER_SEND, 1),
        (CrashPoint.BEFORE_SENT_REPORT, 1),
    ],
)
async def test_a_worker_that_wakes_up_after_its_lease_adds_no_second_post(
    point: CrashPoint, most: int, bench: Any, server: Any, record: Any, eventually: Any
) -> None:
    """Asleep at any step while another one takes over; then it goes on where it was."""
    sleeper = await bench.spawn(
        CRASHING_WORKER, COUNTERSIGN_TEST_CRASH_AT=point.value, COUNTERSIGN_TEST_SLEEP="1"
    )
    await eventually(lambda: _is_asleep(sleeper.pid))

    await another_worker(bench, eventually)

    os.kill(sleeper.pid, signal.SIGCONT)
    sleeper.terminate()
    _, log = await asyncio.wait_for(sleeper.communicate(), 30)
    assert (sleeper.returncode, b"cut_short" in log) == (0, False), log.decode()
    assert len(server.orders) <= most
    assert {order.body for order in server.orders} <= {record.document}
    sent = point is CrashPoint.BEFORE_STAGED_REPORT
    assert end_of(bench) == (SENT if sent else HELD)


async def test_without_a_crash_it_is_posted_once_and_accepted(
    bench: Any, server: Any, record: Any, eventually: Any
) -> None:
    """So that what is held above is the crash's doing."""
    process = await bench.spawn(CRASHING_WORKER)
    await eventually(lambda: bench.twin.exports[EXPORT].status is ExportStatus.SENT)
    process.terminate()
    assert await asyncio.wait_for(process.wait(), 20) == 0
    assert bench.twin.exports[EXPORT].evidence is Evidence.ACCEPTED
    assert [order.body for order in server.orders] == [record.document]


def _is_asleep(pid: int) -> bool:
    state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    return state == "T"
