"""The whole worker against push's twin on a real socket: poll, deliver, report, drain."""

import asyncio
import json
import threading
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from prometheus_client import REGISTRY

from countersign_core.lifecycle import ExportStatus
from countersign_export_worker.connectors import folder_files
from countersign_export_worker.testing.samples import EXPORT, ORG, connection_to, export_record
from countersign_export_worker.testing.work_twin import ExportRecord

Eventually = Callable[[Callable[[], bool]], Awaitable[None]]
TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def _all(bench: Any, status: ExportStatus) -> Callable[[], bool]:
    return lambda: all(export.status is status for export in bench.twin.exports.values())


def _push(bench: Any, dropzone: Path, count: int) -> list[ExportRecord]:
    records = [export_record(connection_to(dropzone), number) for number in range(count)]
    for record in records:
        bench.twin.add(record)
    return records


async def test_every_due_export_is_delivered_once(
    bench: Any, dropzone: Path, eventually: Eventually
) -> None:
    """Two workers, fifty exports: fifty files, each with its own bytes."""
    records = _push(bench, dropzone, 50)
    await bench.work()
    await bench.work()
    await eventually(_all(bench, ExportStatus.SENT))
    found = {path.name: path.read_bytes() for path in dropzone.iterdir()}
    assert found == {record.file_name: record.document for record in records}
    assert {export.fence for export in bench.twin.exports.values()} == {1}


async def test_a_folder_that_nobody_delivers_to_keeps_no_threads(
    bench: Any, dropzone: Path, eventually: Eventually
) -> None:
    """And the next export for it is delivered all the same."""
    before = set(threading.enumerate())

    def threads() -> list[str]:
        names = [thread.name for thread in threading.enumerate() if thread not in before]
        return [name for name in names if name.startswith("folder")]

    await bench.work(connector_idle_seconds=1.0)
    for number in range(2):
        bench.twin.add(export_record(connection_to(dropzone), number))
        await eventually(lambda: bool(threads()))
        await eventually(_all(bench, ExportStatus.SENT))
        await eventually(lambda: not threads())
    assert len(list(dropzone.iterdir())) == 2


async def test_export_pushed_while_a_worker_waits_is_delivered(
    bench: Any, dropzone: Path, eventually: Eventually
) -> None:
    """A long poll ends when work becomes due."""
    await bench.work(claim_wait_seconds=30.0)
    await eventually(lambda: bench.server.servicer.calls.get("ClaimNext", 0) > 0)
    _push(bench, dropzone, 1)
    await eventually(_all(bench, ExportStatus.SENT))


async def test_a_worker_with_nothing_in_hand_waits_at_push(
    bench: Any, dropzone: Path, eventually: Eventually, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also when it has delivered to a connection that bears less than most."""
    worker, _ = await bench.work(claim_wait_seconds=30.0)
    ask, waits = worker._client.claim_next, []

    async def noted(most: int, wait_seconds: float, *more: Any) -> Any:
        waits.append(wait_seconds)
        return await ask(most, wait_seconds, *more)

    monkeypatch.setattr(worker._client, "claim_next", noted)
    bench.twin.add(export_record(replace(connection_to(dropzone), concurrency=1)))
    await eventually(_all(bench, ExportStatus.SENT))
    await eventually(lambda: bool(waits) and waits[-1] == 30.0)
    asked = len(waits)
    await asyncio.sleep(1.0)
    assert len(waits) == asked


async def test_document_refused_by_the_check_reaches_push_as_failed(
    bench: Any, dropzone: Path, eventually: Eventually
) -> None:
    """With the code and a sentence for the operator, over the wire."""
    bench.twin.add(export_record(connection_to(dropzone), document=b'{"lines": []}'))
    await bench.work()
    await eventually(_all(bench, ExportStatus.FAILED))
    error = bench.twin.exports[EXPORT].error
    assert error.code == "BAD_DOCUMENT"
    assert "must contain" in error.message
    assert list(dropzone.iterdir()) == []


async def test_missing_folder_is_tried_again_until_it_is_there(
    bench: Any, dropzone: Path, eventually: Eventually
) -> None:
    """Deferred with PATH_MISSING meanwhile."""
    bench.twin._retry_seconds = 0.2
    bench.twin._max_attempts = 1000
    bench.twin.add(export_record(connection_to(dropzone / "share")))
    await bench.work()
    await eventually(lambda: bench.twin.exports[EXPORT].attempt >= 2)
    assert bench.twin.exports[EXPORT].error.code == "PATH_MISSING"
    (dropzone / "share").mkdir()
    await eventually(_all(bench, ExportStatus.SENT))


async def test_lease_is_renewed_while_a_delivery_takes_long(
    bench: Any, dropzone: Path, eventually: Eventually, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A slow share does not cost the lease."""
    bench.twin._lease_seconds = 0.6
    real_stage = folder_files.stage_all

    def slow_stage(*args: Any) -> Any:
        time.sleep(1.5)
        return real_stage(*args)

    monkeypatch.setattr(folder_files, "stage_all", slow_stage)
    _push(bench, dropzone, 1)
    await bench.work()
    await eventually(_all(bench, ExportStatus.SENT))
    assert len(bench.twin.renewed) >= 3
    assert bench.twin.exports[EXPORT].fence == 1


async def test_worker_outlives_a_restart_of_push(
    bench: Any, dropzone: Path, eventually: Eventually
) -> None:
    """Not ready while push is away; at work again when it is back."""
    _, port = await bench.work(claim_wait_seconds=0.1)
    await eventually(lambda: bench.server.servicer.calls.get("ClaimNext", 0) > 0)
    assert await _readiness(port) == (200, [])
    address = bench.target
    await bench.server.stop()
    async with asyncio.timeout(20):
        while await _readiness(port) != (503, ["push"]):
            await asyncio.sleep(0.05)
    _push(bench, dropzone, 1)
    bench.server._server._settings.listen = address
    bench.server.servicer.closing = False
    await bench.server.start()
    await eventually(_all(bench, ExportStatus.SENT))
    assert await _readiness(port) == (200, [])


async def test_report_is_repeated_until_push_has_it(
    bench: Any, dropzone: Path, eventually: Eventually, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reply that was lost twice costs no attempt and no second file."""
    lost = 2
    real = bench.twin.report_sent

    async def report_sent(*args: Any) -> None:
        nonlocal lost
        await real(*args)
        if lost:
            lost -= 1
            raise RuntimeError("the reply is lost")

    monkeypatch.setattr(bench.twin, "report_sent", report_sent)
    _push(bench, dropzone, 1)
    await bench.work()
    await eventually(lambda: bench.server.servicer.calls.get("ReportSent", 0) == 3)
    assert bench.twin.exports[EXPORT].status is ExportStatus.SENT
    assert bench.twin.exports[EXPORT].attempt == 1
    assert len(list(dropzone.iterdir())) == 1


async def test_stop_finishes_what_is_begun_and_gives_back_the_rest(
    bench: Any, dropzone: Path, eventually: Eventually, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A given-back export costs no attempt and is due at once."""
    real_publish = folder_files.publish_all

    def slow_publish(*args: Any) -> Any:
        time.sleep(0.5)
        return real_publish(*args)

    monkeypatch.setattr(folder_files, "publish_all", slow_publish)
    _push(bench, dropzone, 4)
    worker, _ = await bench.work(concurrency=2)
    await eventually(lambda: bench.server.servicer.calls.get("ReportStaged", 0) == 2)
    bench.workers.clear()
    await worker.stop()
    exports = bench.twin.exports.values()
    sent = [export for export in exports if export.status is ExportStatus.SENT]
    back = [export for export in exports if export.status is ExportStatus.PENDING]
    assert (len(sent), len(back)) == (2, 2)
    assert all((export.attempt, export.leased_until) == (0, None) for export in back)
    assert {path.name for path in dropzone.iterdir()} == {export.file_name for export in sent}


async def test_stop_does_not_wait_longer_than_it_may(
    bench: Any, dropzone: Path, eventually: Eventually, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A report that push does not take is dropped after drain_seconds; the lease runs out."""

    async def unavailable(*_args: Any) -> None:
        raise RuntimeError("push is broken")

    monkeypatch.setattr(bench.twin, "report_sent", unavailable)
    _push(bench, dropzone, 1)
    worker, _ = await bench.work(drain_seconds=0.3)
    await eventually(lambda: bench.server.servicer.calls.get("ReportSent", 0) >= 1)
    bench.workers.clear()
    begun = time.monotonic()
    await worker.stop()
    assert time.monotonic() - begun < 5.0
    assert bench.twin.exports[EXPORT].status is ExportStatus.PENDING
    monkeypatch.undo()
    bench.twin.run_out(EXPORT)
    await bench.work()
    await eventually(_all(bench, ExportStatus.SENT))
    assert len(list(dropzone.iterdir())) == 1


async def test_sigterm_drains_the_real_process_and_its_log_bears_the_ids(
    bench: Any, dropzone: Path, eventually: Eventually
) -> None:
    """Exit code 0; the line about the delivery has request, trace, org and export ids."""
    record = export_record(connection_to(dropzone))
    bench.twin.add(
        type(record)(
            **{
                name: getattr(record, name)
                for name in type(record).__dataclass_fields__
                if name != "traceparent"
            },
            traceparent=TRACEPARENT,
        )
    )
    process = await bench.spawn()
    await eventually(_all(bench, ExportStatus.SENT))
    process.terminate()
    _, log = await asyncio.wait_for(process.communicate(), 20)
    assert process.returncode == 0, log.decode()
    lines = [json.loads(line) for line in log.decode().splitlines()]
    [ended] = [line for line in lines if line["event"] == "delivery_ended"]
    assert (
        ended
        | {
            "outcome": "SENT",
            "code": "RENAMED",
            "request_id": "request-1",
            "trace_id": TRACEPARENT[3:35],
            "org_id": str(ORG),
            "export_id": str(EXPORT),
            "service": "export-worker",
        }
        == ended
    )


async def test_wrong_setting_ends_the_start_with_one_line(bench: Any) -> None:
    """It says which and why; exit code 2."""
    process = await bench.spawn(COUNTERSIGN_CONCURRENCY="none")
    _, log = await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode == 2
    [line] = log.decode().splitlines()
    assert line.startswith("countersign: setting COUNTERSIGN_CONCURRENCY:")


async def test_what_a_worker_does_is_counted(
    bench: Any, dropzone: Path, eventually: Eventually
) -> None:
    """Outcomes by code, seconds, and wake-ups by source."""

    def value(name: str, **labels: str) -> float:
        return REGISTRY.get_sample_value(name, labels) or 0.0

    def sent() -> float:
        return value("countersign_deliveries_total", outcome="SENT", code="RENAMED")

    before = sent()
    _push(bench, dropzone, 3)
    _, port = await bench.work()
    await eventually(lambda: sent() == before + 3)
    assert value("countersign_delivery_seconds_count", outcome="SENT") >= 3
    assert value("countersign_worker_wake_ups_total", source="poll", claimed="true") >= 1
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"http://127.0.0.1:{port}/metrics") as reply,
    ):
        assert "countersign_worker_slots_in_use" in await reply.text()


async def _readiness(port: int) -> tuple[int, list[str]]:
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"http://127.0.0.1:{port}/readyz") as reply,
    ):
        return reply.status, (await reply.json())["not_ready"]
