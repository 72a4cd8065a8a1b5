"""Woken by RabbitMQ: the same claim path, and no message is lost."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from countersign.push.v1 import events_pb2
from countersign_core.lifecycle import ExportStatus
from countersign_export_worker.testing.samples import EXPORT, ORG, connection_to, export_record
from countersign_platform.broker.publisher import Outgoing, Publisher

pytestmark = [pytest.mark.integration]
Eventually = Callable[[Callable[[], bool]], Awaitable[None]]


async def _publish(url: str, *bodies: bytes) -> None:
    publisher = Publisher(url, "test")
    messages = [
        Outgoing(str(uuid4()), body, "ExportRequested", datetime.now(UTC)) for body in bodies
    ]
    assert list(await publisher.publish(messages)) == [None] * len(bodies)
    await publisher.close()


def _event(export_id: UUID) -> bytes:
    return events_pb2.ExportRequested(org_id=str(ORG), export_id=str(export_id)).SerializeToString()


def _calls(bench: Any, method: str) -> int:
    return bench.server.servicer.calls.get(method, 0)


async def test_messages_lead_to_deliveries_and_doubles_to_nothing(
    bench: Any, dropzone: Path, rabbit: Any, eventually: Eventually
) -> None:
    """Twenty exports, each named twice, a stranger and rubbish between: twenty files."""
    records = [export_record(connection_to(dropzone), number) for number in range(20)]
    for record in records:
        bench.twin.add(record)
    bodies = [_event(record.id) for record in records] * 2
    await _publish(rabbit.url, *bodies, b"\xff rubbish", _event(uuid4()))
    worker, _ = await bench.work(broker_url=rabbit.url)
    consumer = worker._intake._consumer
    await eventually(lambda: (consumer.received, consumer.in_hand) == (42, 0))
    await eventually(
        lambda: all(export.status is ExportStatus.SENT for export in bench.twin.exports.values())
    )
    assert {path.name for path in dropzone.iterdir()} == {record.file_name for record in records}
    assert worker._intake.is_ready
    assert _calls(bench, "ClaimExport") == 0  # which export, push decides
    assert _calls(bench, "ClaimNext") < 41  # messages that wait together share a look


async def test_message_is_kept_while_push_is_away(
    bench: Any, dropzone: Path, rabbit: Any, eventually: Eventually
) -> None:
    """It is held, not dropped; the delivery follows when push is back."""
    address = bench.target
    await bench.server.stop()
    bench.twin.add(export_record(connection_to(dropzone)))
    worker, _ = await bench.work(broker_url=rabbit.url)
    await _publish(rabbit.url, _event(EXPORT))
    await eventually(lambda: worker._client.reachable is False and worker._intake.is_ready)
    bench.server._server._settings.listen = address
    await bench.server.start()
    await eventually(lambda: bench.twin.exports[EXPORT].status is ExportStatus.SENT)


async def test_message_of_a_worker_that_is_killed_comes_to_another(
    bench: Any, dropzone: Path, rabbit: Any, eventually: Eventually
) -> None:
    """Unacknowledged until the end is on record; the first lease runs out meanwhile."""
    bench.twin.add(export_record(connection_to(dropzone)))
    process = await bench.spawn(
        "countersign_export_worker.testing.crashing_worker",
        COUNTERSIGN_TEST_CRASH_AT="before_sent_report",
        COUNTERSIGN_BROKER_URL=rabbit.url,
    )
    await _publish(rabbit.url, _event(EXPORT))
    await asyncio.wait_for(process.communicate(), 120)
    bench.twin.run_out(EXPORT)
    await bench.work(broker_url=rabbit.url)
    await eventually(lambda: bench.twin.exports[EXPORT].status is ExportStatus.SENT)
    assert bench.twin.exports[EXPORT].evidence == "FOUND"
    assert len(list(dropzone.iterdir())) == 1
