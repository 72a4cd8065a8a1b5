"""The real worker, killed or put to sleep at every step; another one goes on from what is left."""

import asyncio
import json
import os
import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from countersign_core.lifecycle import ExportStatus
from countersign_export_worker.assignment import ConnectionAccess
from countersign_export_worker.connectors.access import Connectors
from countersign_export_worker.connectors.registry import ConnectorRegistry, installed_connectors
from countersign_export_worker.connectors.sftp_place import MARKER
from countersign_export_worker.ports import Evidence
from countersign_export_worker.sweeper import Sweeper
from countersign_export_worker.testing.crash_points import (
    SEND_POINTS,
    WITHDRAWAL_POINTS,
    CrashPoint,
)
from countersign_export_worker.testing.samples import (
    CONNECTION,
    EXPORT,
    ORG,
    connection_to,
    export_record,
)
from countersign_platform.testing.sftp_account import SftpAccount
from countersign_platform.testing.sshd_server import SshdServer

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
DELIVERY_POINTS = sorted(set(CrashPoint) - WITHDRAWAL_POINTS - SEND_POINTS)


@dataclass(frozen=True)
class Zone:
    """A dropzone as the worker reaches it and as the ERP sees it."""

    access: ConnectionAccess
    folder: Path
    done_suffix: str = ""

    def pick_up(self, name: str) -> list[bytes]:
        """What the ERP does: it takes every document that is announced, and its announcement."""
        shown = {path.name: path for path in self.folder.iterdir() if path.name[0] != "."}
        assert set(shown) <= {name, f"{name}{self.done_suffix}"}
        if name not in shown or f"{name}{self.done_suffix}" not in shown:
            return []
        contents = [shown[name].read_bytes()]
        for path in shown.values():
            path.unlink()
        return contents

    def left(self) -> list[str]:
        """What stays there that should not."""
        return [path.name for path in self.folder.iterdir() if path.name != MARKER]


@pytest.fixture(scope="session")
def poor_sshd(sftp_account: SftpAccount) -> Any:
    """A server that knows only SFTP's own rename."""
    with SshdServer(sftp_account, refuse=("posix-rename", "fsync")) as server:
        yield server


@pytest.fixture(params=["folder", "folder-done", "sftp", "sftp-plain-rename"])
def zone(
    request: pytest.FixtureRequest, dropzone: Path, sshd: SshdServer, poor_sshd: SshdServer
) -> Zone:
    """Every transport, with and without what a server may lack."""
    if request.param == "folder":
        return Zone(connection_to(dropzone), dropzone)
    if request.param == "folder-done":
        config = {"transport": "folder", "export_path": str(dropzone), "done_file": ".ok"}
        return Zone(_access(config), dropzone, ".ok")
    server = sshd if request.param == "sftp" else poor_sshd
    folder = server.make_folder(f"crash-{uuid4().hex[:8]}")
    config = {
        "transport": "sftp",
        "host": server.host,
        "port": server.port,
        "username": server.username,
        "host_keys": [server.host_keys[0]],
        "export_path": str(folder),
    }
    return Zone(_access(config, private_key=server.private_key.read_text()), folder)


def _access(config: dict[str, Any], **secrets: str) -> ConnectionAccess:
    return ConnectionAccess(CONNECTION, ORG, "DROPZONE_JSON_V1", json.dumps(config), secrets)


@pytest.mark.parametrize(
    ("point", "quick_erp"),
    [
        *((point, False) for point in DELIVERY_POINTS),
        *((point, True) for point in PUBLISHED),
    ],
)
async def test_killed_worker_leaves_exactly_one_file(
    point: CrashPoint, quick_erp: bool, bench: Any, zone: Zone, eventually: Eventually
) -> None:
    """Whatever step the worker dies at, the ERP gets the file once and push says SENT."""
    record = export_record(zone.access)
    bench.twin.add(record)
    seen: list[bytes] = []
    await _run_until_killed(bench, point)
    if quick_erp:
        seen += zone.pick_up(record.file_name)

    await _finish(bench, eventually)

    seen += zone.pick_up(record.file_name)
    assert seen == [record.document]
    export = bench.twin.exports[EXPORT]
    assert export.status is ExportStatus.SENT
    assert export.evidence == _expected_evidence(point, quick_erp=quick_erp)
    await _sweep(bench)
    assert zone.left() == []


@pytest.mark.parametrize(
    "point",
    [
        CrashPoint.BEFORE_STAGED_REPORT,
        CrashPoint.AFTER_STAGED_REPORT,
        CrashPoint.AFTER_RENAME,
        CrashPoint.AFTER_SENT_REPORT,
    ],
)
async def test_a_worker_killed_among_many_deliveries_leaves_each_file_once(
    point: CrashPoint, bench: Any, dropzone: Path, eventually: Eventually
) -> None:
    """Their reports travel together; what one of them dies of is no other's end."""
    records = [export_record(connection_to(dropzone), number) for number in range(24)]
    for record in records:
        bench.twin.add(record)
    await _run_until_killed(bench, point, COUNTERSIGN_CONNECTION_CONCURRENCY="16")
    for record in records:
        if bench.twin.exports[record.id].status is ExportStatus.PENDING:
            bench.twin.run_out(record.id)

    await bench.work(connection_concurrency=16)
    await eventually(
        lambda: all(each.status is ExportStatus.SENT for each in bench.twin.exports.values())
    )

    assert bench.server.servicer.calls["BatchReport"] > 0
    await _sweep(bench)
    found = {path.name: path.read_bytes() for path in dropzone.iterdir()}
    assert found == {record.file_name: record.document for record in records}


@pytest.mark.parametrize("point", sorted(WITHDRAWAL_POINTS))
async def test_killed_while_taking_back_leaves_no_file(
    point: CrashPoint, bench: Any, zone: Zone, eventually: Eventually
) -> None:
    """A delivery that fails after its file was staged never shows the file to the ERP.

    The one that dies before the file was taken back may still be delivered; then it is SENT.
    """
    record = export_record(zone.access)
    bench.twin.add(record)
    await _run_until_killed(bench, point, COUNTERSIGN_TEST_FAIL_PUBLISH="1")

    await _finish(bench, eventually)

    export = bench.twin.exports[EXPORT]
    delivered = zone.pick_up(record.file_name)
    if point is CrashPoint.BEFORE_WITHDRAW:
        assert (export.status, delivered) == (ExportStatus.SENT, [record.document])
    else:
        assert (export.status, delivered) == (ExportStatus.FAILED, [])
    await _sweep(bench)
    assert zone.left() == []


@pytest.mark.parametrize("quick_erp", [False, True], ids=["erp-later", "erp-at-once"])
@pytest.mark.parametrize("point", sorted(set(DELIVERY_POINTS) - {CrashPoint.DURING_WRITE}))
async def test_a_worker_that_wakes_up_after_its_lease_delivers_nothing_twice(
    point: CrashPoint, quick_erp: bool, bench: Any, zone: Zone, eventually: Eventually
) -> None:
    """Put to sleep at any step; another delivers; then it wakes up and goes on where it was."""
    record = export_record(zone.access)
    bench.twin.add(record)
    sleeper = await bench.spawn(
        CRASHING_WORKER, COUNTERSIGN_TEST_CRASH_AT=point.value, COUNTERSIGN_TEST_SLEEP="1"
    )
    await eventually(lambda: _is_asleep(sleeper.pid))

    await _finish(bench, eventually)

    seen = zone.pick_up(record.file_name) if quick_erp else []
    os.kill(sleeper.pid, signal.SIGCONT)
    sleeper.terminate()
    _, log = await asyncio.wait_for(sleeper.communicate(), 120)
    assert (sleeper.returncode, b"cut_short" in log) == (0, False), log.decode()
    seen += zone.pick_up(record.file_name)
    assert seen == [record.document]
    assert bench.twin.exports[EXPORT].status is ExportStatus.SENT
    await _sweep(bench)
    assert zone.left() == []


@pytest.mark.parametrize(
    "point",
    [CrashPoint.BEFORE_WITHDRAW, CrashPoint.AFTER_WITHDRAW, CrashPoint.BEFORE_FAILED_REPORT],
)
async def test_a_worker_that_wakes_up_in_the_middle_of_taking_back_changes_nothing(
    point: CrashPoint, bench: Any, zone: Zone, eventually: Eventually
) -> None:
    """Another one delivered meanwhile, or reported that it was taken back; that stands."""
    record = export_record(zone.access)
    bench.twin.add(record)
    sleeper = await bench.spawn(
        CRASHING_WORKER,
        COUNTERSIGN_TEST_CRASH_AT=point.value,
        COUNTERSIGN_TEST_SLEEP="1",
        COUNTERSIGN_TEST_FAIL_PUBLISH="1",
    )
    await eventually(lambda: _is_asleep(sleeper.pid))

    await _finish(bench, eventually)

    before = bench.twin.exports[EXPORT]
    os.kill(sleeper.pid, signal.SIGCONT)
    sleeper.terminate()
    _, log = await asyncio.wait_for(sleeper.communicate(), 120)
    assert (sleeper.returncode, b"cut_short" in log) == (0, False), log.decode()
    assert bench.twin.exports[EXPORT] == before
    delivered = zone.pick_up(record.file_name)
    if point is CrashPoint.BEFORE_WITHDRAW:
        assert (before.status, delivered) == (ExportStatus.SENT, [record.document])
    else:
        assert (before.status, delivered) == (ExportStatus.FAILED, [])
    await _sweep(bench)
    assert zone.left() == []


def _is_asleep(pid: int) -> bool:
    state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    return state == "T"


async def test_every_crash_point_is_a_step_that_a_delivery_takes(
    bench: Any, dropzone: Path, eventually: Eventually
) -> None:
    """Without a crash point the same program delivers, so that a kill above is the point's."""
    bench.twin.add(export_record(connection_to(dropzone)))
    process = await bench.spawn(CRASHING_WORKER)
    await eventually(lambda: bench.twin.exports[EXPORT].status is ExportStatus.SENT)
    process.terminate()
    assert await asyncio.wait_for(process.wait(), 120) == 0


async def _run_until_killed(bench: Any, point: CrashPoint, **environment: str) -> None:
    process = await bench.spawn(
        CRASHING_WORKER, COUNTERSIGN_TEST_CRASH_AT=point.value, **environment
    )
    _, log = await asyncio.wait_for(process.communicate(), 120)
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
    await registry.aclose()


def _expected_evidence(point: CrashPoint, *, quick_erp: bool) -> Evidence:
    evidence = EVIDENCE.get(point, Evidence.RENAMED)
    return Evidence.INFERRED if quick_erp and evidence is Evidence.FOUND else evidence
