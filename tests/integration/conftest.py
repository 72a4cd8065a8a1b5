"""The system without a worker, for tests that play one, and with a way around the services."""

from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
import pytest_asyncio
from system import System

from countersign_platform.testing.databases import cloned_database

# Seals come soon after a few events, for tests that look at them.
SETTINGS = {
    "COUNTERSIGN_AUDIT_CHECKPOINT_EVENTS": "5",
    "COUNTERSIGN_AUDIT_CHECKPOINT_CHECK_SECONDS": "0.1",
}


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def workerless(
    postgres: Any, template_database: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[tuple[System, asyncpg.Connection]]:
    """One process of each kind but the worker, and a connection of the tables' owner."""
    async with cloned_database(postgres, template_database) as databases:
        urls = {role: databases.url_for(role) for role in ("approval", "push", "audit")}
        system = System(tmp_path_factory.mktemp("workerless") / "system", urls, settings=SETTINGS)
        owner = await asyncpg.connect(databases.owner_url)
        try:
            await system.start(workers=0)
            yield system, owner
        finally:
            await owner.close()
            await system.stop()
