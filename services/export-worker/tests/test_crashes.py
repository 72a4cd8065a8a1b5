"""The real worker, killed at every step; another one goes on from what is left."""

import asyncio
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from countersign_core.lifecycle import ExportStatus
from countersign_export_worker.connectors.access import Connectors
from countersign_export_worker.connectors.registry import ConnectorRegistry, installed_connectors
from countersign_export_worker.ports import Evidence
from countersign_export_worker.sweeper import Sweeper
from countersign_export_worker.testing.crash_points import WITHDRAWAL_POINTS, CrashPoint
from countersign_export_worker.testing.samples import EXPORT, connection_to, export_record

pytestmark = [pytest.mark.chaos]

CRASHING_WORKER = "countersign_export_worker.testing.crashing_worker"
Eventually = Callable[[Callable[[], bool]], Awaitable[None]]

# What the worker that comes after can know of the delivery, if it was delivered.
EVIDENCE = {
    CrashPoint.AFTER_RENAME: Evidence.FOUND,
    CrashPoint.BEFORE_SENT_REPORT: Evidence.FOUND,
}


# After these the ERP may have picked the file up before anybody looks again.
PUBLISHED = (CrashPoint.AFTER_RENAME, CrashPoint.BEFORE_SENT_REPORT, CrashPoint.AFTER_SENT_REPORT)


@pytest.mark.parametrize(
    ("point", "quick_erp"),
    [
        *((point, False) for point in sorted(set(CrashPoint) - WITHDRAWAL_POINTS)),
        *((point, True) for point in PUBLISHED),
    ],
)
async def test_killed_worker_leaves_exactly_one_file(
    point: CrashPoint, quick_erp: bool, bench: Any, dropzone: Path, eventually: Eventually
) -> None:
    """Whatever step the worker dies at, the ERP gets the file once and push says SENT."""
    record = export_record(connection_to(dropzone))
    bench.twin.add(record)
    seen: list[bytes] = []
    await _run_until_killed(bench, point)
    if quick_erp:
        seen += _pick_up(dropzone, record.file_name)

    await _finish(bench, eventually)

    seen += _pick_up(dropzone, record.file_name)
    assert seen == [record.document]
    export = bench.twin.exports[EXPORT]
    assert export.status is ExportStatus.SENT
    assert export.evidence == _expected_evidence(point, quick_erp=quick_erp)
    await _sweep(bench)
    assert list(dropzone.iterdir()) == []


@pytest.mark.parametrize("point", sorted(WITHDRAWAL_POINTS))
async def test_killed_while_taking_back_leaves_no_file(
    point: CrashPoint, bench: Any, dropzone: Path, eventually: Eventually
) -> None:
    """A delivery that fails after its file was staged never shows the file to the ERP.

    The one that dies before the file was taken back may still be delivered; then it is SENT.
    """
    record = export_record(connection_to(dropzone))
    bench.twin.add(record)
    await _run_until_killed(bench, point, COUNTERSIGN_TEST_FAIL_PUBLISH="1")

    await _finish(bench, eventually)

    export = bench.twin.exports[EXPORT]
    delivered = _pick_up(dropzone, record.file_name)
    if point is CrashPoint.BEFORE_WITHDRAW:
        assert (export.status, delivered) == (ExportStatus.SENT, [record.document])
    else:
        assert (export.status, delivered) == (ExportStatus.FAILED, [])
    await _sweep(bench)
    assert list(dropzone.iterdir()) == []


async def test_every_crash_point_is_a_step_that_a_delivery_takes(
    bench: Any, dropzone: Path, eventually: Eventually
) -> None:
    """Without a crash point the same program delivers, so that a kill above is the point's."""
    bench.twin.add(export_record(connection_to(dropzone)))
    process = await bench.spawn(CRASHING_WORKER)
    await eventually(lambda: bench.twin.exports[EXPORT].status is ExportStatus.SENT)
    process.terminate()
    assert await asyncio.wait_for(process.wait(), 20) == 0


async def _run_until_killed(bench: Any, point: CrashPoint, **environment: str) -> None:
    process = await bench.spawn(
        CRASHING_WORKER, COUNTERSIGN_TEST_CRASH_AT=point.value, **environment
    )
    _, log = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == -signal.SIGKILL, log.decode()


async def _finish(bench: Any, eventually: Eventually) -> None:
    """The lease runs out and another worker, in full health, comes by."""
    if bench.twin.exports[EXPORT].status is ExportStatus.PENDING:
        bench.twin.run_out(EXPORT)
        await bench.work()
        await eventually(lambda: bench.twin.exports[EXPORT].status is not ExportStatus.PENDING)
        await bench.workers.pop().stop()


async def _sweep(bench: Any) -> None:
    registry = ConnectorRegistry(installed_connectors())
    connectors = Connectors(registry, clock=lambda: 0.0, seconds=10.0)
    await Sweeper(bench.twin, connectors, seconds=1.0).sweep()


def _pick_up(dropzone: Path, name: str) -> list[bytes]:
    """What the ERP does: it takes every file that does not begin with a dot."""
    found = [path for path in dropzone.iterdir() if not path.name.startswith(".")]
    assert [path.name for path in found] in ([], [name])
    contents = [path.read_bytes() for path in found]
    for path in found:
        path.unlink()
    return contents


def _expected_evidence(point: CrashPoint, *, quick_erp: bool) -> Evidence:
    evidence = EVIDENCE.get(point, Evidence.RENAMED)
    return Evidence.INFERRED if quick_erp and evidence is Evidence.FOUND else evidence
