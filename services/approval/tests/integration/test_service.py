"""The process around the calls: probes, figures, the sweeper, the way to the audit service."""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from datetime import timedelta
from unittest.mock import AsyncMock

import aiohttp
import grpc.aio
import pytest

from countersign.audit.v1 import audit_service_pb2 as audit_pb
from countersign.audit.v1 import audit_service_pb2_grpc as audit_grpc
from countersign_approval.settings import ApprovalSettings
from countersign_approval.store.status_changes import StatusChangeStore
from countersign_approval.sweeper import Sweeper
from countersign_platform.database.pool import Database
from countersign_platform.rpc.service import Service
from countersign_platform.settings import load

pytestmark = pytest.mark.integration


async def get(port: int, path: str) -> tuple[int, str]:
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"http://127.0.0.1:{port}{path}") as reply,
    ):
        return reply.status, await reply.text()


async def test_it_is_ready_while_the_database_answers(start_service, rows, databases):
    service, _ = await start_service()
    assert (await get(service.ports.probe, "/readyz"))[0] == 200
    await rows.owner.execute("ALTER ROLE countersign_approval NOLOGIN")
    try:
        await rows.owner.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE usename = 'countersign_approval' AND datname = $1",
            databases.name,
        )
        status, body = await get(service.ports.probe, "/readyz")
    finally:
        await rows.owner.execute("ALTER ROLE countersign_approval LOGIN")
    assert status == 503
    assert "database" in body or "check" in body
    assert (await get(service.ports.probe, "/readyz"))[0] == 200


async def test_acts_are_counted_by_outcome(start_service, refused):
    service, olga = await start_service()

    async def figures() -> dict[str, float]:
        _, text = await get(service.ports.probe, "/metrics")
        name = "countersign_draft_actions_total"
        lines = [line.rsplit(" ", 1) for line in text.splitlines() if line.startswith(name)]
        return {labels.removeprefix(name): float(value) for labels, value in lines}

    before = await figures()
    draft = await olga.submit()
    await olga.approve(draft.id)
    await refused(olga.approve(draft.id))
    await olga.approve_all(draft.id)
    after = await figures()
    grown = {
        labels: count - before.get(labels, 0)
        for labels, count in after.items()
        if count != before.get(labels, 0)
    }
    assert grown == {
        '{action="submit",outcome="done"}': 1,
        '{action="approve",outcome="done"}': 1,
        '{action="approve",outcome="ALREADY_APPROVED"}': 2,
    }


async def test_old_status_changes_are_swept_in_batches(olga, rows, databases):
    drafts = [await olga.submit() for _ in range(5)]
    await rows.owner.execute(
        "UPDATE approval.draft_status_changes SET changed_at = now() - interval '25 hours'"
    )
    await olga.approve(drafts[0].id)
    database = await Database.connect(databases.url_for("approval"), "sweep")
    changes = StatusChangeStore(database, timedelta(seconds=10))
    assert await changes.sweep(timedelta(hours=24), 2) == 2
    sweeper = Sweeper(changes, age=timedelta(hours=24), every_seconds=60)
    assert await sweeper.sweep() == 3
    assert await sweeper.sweep() == 0
    await database.close()
    left = await rows.owner.fetch("SELECT to_status FROM approval.draft_status_changes")
    assert [row["to_status"] for row in left] == ["APPROVED"]


class AuditTrail(audit_grpc.AuditServiceServicer):
    """Takes every event, as the audit service does."""

    def __init__(self) -> None:
        self.events: list[audit_pb.AuditEvent] = []
        self.tokens: set[str] = set()

    async def AppendEvents(self, request, context):
        self.events += request.events
        self.tokens |= {
            value for key, value in context.invocation_metadata() if key == "authorization"
        }
        return audit_pb.AppendEventsResponse(appended=len(request.events))


async def test_acts_reach_the_audit_service_once_and_leave_the_outbox(
    start_replica, rows, eventually
):
    trail = AuditTrail()
    server = grpc.aio.server()
    audit_grpc.add_AuditServiceServicer_to_server(trail, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    olga = await start_replica(audit_target=f"127.0.0.1:{port}")
    draft = await olga.submit()
    await olga.approve(draft.id)
    await olga.note(draft.id, "after all")

    async def outbox_is_empty() -> bool:
        return await rows.owner.fetchval("SELECT count(*) = 0 FROM approval.outbox")

    await eventually(outbox_is_empty)
    assert sorted(event.action for event in trail.events) == [
        "DRAFT_APPROVAL_REVOKED",
        "DRAFT_APPROVED",
        "DRAFT_EDITED",
        "DRAFT_SUBMITTED",
    ]
    assert all(event.HasField("occurred_at") for event in trail.events)
    assert len(trail.tokens) == 1
    await server.stop(0)


@pytest.mark.parametrize(
    ("environment", "line"),
    [
        ({}, "countersign: setting COUNTERSIGN_JWKS: is required"),
        ({"COUNTERSIGN_WATCH_POLL_SECONDS": "0"}, "COUNTERSIGN_WATCH_POLL_SECONDS"),
    ],
)
def test_a_wrong_setting_stops_the_start_and_says_which(monkeypatch, capsys, environment, line):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit) as stopped:
        load(ApprovalSettings)
    assert stopped.value.code == 2
    lines: Sequence[str] = capsys.readouterr().err.splitlines()
    assert any(line in found for found in lines)


async def test_a_loop_that_fails_ends_the_service():
    """Without its relay a service would go on and tell nobody; its supervisor restarts it."""

    async def broken() -> None:
        raise RuntimeError("lost")

    server, probes = AsyncMock(), AsyncMock()
    service = Service(server, probes, [broken], AsyncExitStack())
    await service.start()
    with pytest.raises(RuntimeError, match="lost"):
        await asyncio.wait_for(service.wait(asyncio.Event()), 60)
    await service.stop()
    server.stop.assert_awaited_once()


async def test_a_service_waits_until_it_is_told_to_stop(start_service):
    running, _ = await start_service()
    stop = asyncio.Event()
    waiting = asyncio.create_task(running.service.wait(stop))
    assert not waiting.done()
    stop.set()
    await asyncio.wait_for(waiting, 60)
