"""LINE_JSON_V1 passes the suite that every connector must pass."""

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from uuid import uuid4

import pytest
import pytest_asyncio
from countersign_connector_line import LINE_JSON_V1
from countersign_connector_line.line_server import HOST, LineServer

from countersign_export_worker.assignment import ConnectionAccess
from countersign_export_worker.connectors.conformance import DIRECT_CHECKS, DirectCheck


class Harness:
    """What the suite needs: a connector, and an ERP that does what it is told."""

    def __init__(self, server: LineServer) -> None:
        self.server = server
        config = {"host": HOST, "port": server.port, "timeout_seconds": 1}
        self.connector = LINE_JSON_V1(
            ConnectionAccess(uuid4(), uuid4(), "LINE_JSON_V1", json.dumps(config))
        )

    def received(self) -> Sequence[bytes]:
        return [document for _, document in self.server.received]

    def refuse(self) -> None:
        self.server.mode = "refuse"

    def swallow(self) -> None:
        self.server.mode = "swallow"

    def away(self) -> AbstractAsyncContextManager[None]:
        return self.server.away()


@pytest_asyncio.fixture
async def harness() -> AsyncIterator[Harness]:
    server = LineServer()
    await server.start()
    yield Harness(server)
    await server.stop()


@pytest.mark.asyncio
@pytest.mark.parametrize("check", DIRECT_CHECKS, ids=lambda check: check.__name__)
async def test_line_conforms(check: DirectCheck, harness: Harness) -> None:
    await check(harness)
