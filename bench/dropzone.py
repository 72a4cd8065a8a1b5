"""Exports that wait for a worker, and the time it takes until their files are there."""

import asyncio
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import httpx

from bench import seed
from bench.load.grpc import call_method
from bench.measure.figures import Round
from bench.measure.proc import CpuMeter
from bench.stack import BenchStack
from countersign.push.v1 import push_service_pb2

PUSH = "/countersign.push.v1.PushService/PushDraft"


def push_messages(ids: list[UUID]) -> list[bytes]:
    """A request per draft."""
    return [
        push_service_pb2.PushDraftRequest(draft_order_id=str(each)).SerializeToString()
        for each in ids
    ]


class Dropzone:
    """A connection of the benchmark's org, and the folder in which its files appear."""

    def __init__(self, stack: BenchStack, http: httpx.AsyncClient, folder: Path) -> None:
        """Use `connect`."""
        self._stack = stack
        self._http = http
        self.folder = folder
        self._id = ""

    @classmethod
    async def connect(
        cls, stack: BenchStack, folder: Path, config: Mapping[str, Any], secrets: Mapping[str, str]
    ) -> "Dropzone":
        """Makes the connection."""
        made = cls(stack, seed.client(stack), folder)
        answer = await made._http.post(
            "/erp-connections",
            json={
                "name": "bench",
                "connector_type": "DROPZONE_JSON_V1",
                "config": dict(config),
                "secrets": dict(secrets),
                # What several sessions to one server bear; the default is meant for a stranger.
                "terms": {"concurrency": 32},
            },
        )
        answer.raise_for_status()
        made._id = answer.json()["id"]
        return made

    async def deliver(self, database: asyncpg.Connection, like: UUID, count: int) -> Round:
        """Pushes `count` drafts while the connection rests; then measures until all are SENT."""
        ids = await seed.drafts(database, self._stack, like, count)
        await self._say("pause")
        await call_method(
            self._stack.target("push"), PUSH, push_messages(ids), pids={}, seconds=300,
            metadata={"authorization": f"Bearer {self._stack.token()}"},
        )  # fmt: skip
        await self._quiet(database)
        meter = CpuMeter(self._stack.pids)
        begun = time.perf_counter()
        await self._say("resume")
        while await self._waiting(database):
            await asyncio.sleep(0.05)
        seconds = time.perf_counter() - begun
        used = meter.seconds()
        for path in self.folder.glob("sales_order_*"):
            path.unlink()
        return Round(count, 0, seconds, (), used, meter.resident_mib())

    async def _say(self, word: str) -> None:
        answer = await self._http.post(f"/erp-connections/{self._id}/{word}")
        answer.raise_for_status()

    async def _waiting(self, database: asyncpg.Connection) -> bool:
        return bool(
            await database.fetchval(
                "SELECT EXISTS (SELECT FROM push.exports WHERE org_id = $1 AND status = 'PENDING')",
                self._stack.org,
            )
        )

    async def _quiet(self, database: asyncpg.Connection) -> None:
        # The trail of the pushes is told first, so that none of it is counted below.
        while await database.fetchval("SELECT EXISTS (SELECT FROM push.outbox)"):
            await asyncio.sleep(0.05)
