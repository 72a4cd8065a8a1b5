"""Fixtures that run the whole system as real processes."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from system import System
from tenant import Tenant

from countersign_platform.testing.databases import cloned_database

StartSystem = Callable[..., Awaitable[System]]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def system(
    postgres: Any, template_database: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[System]:
    """One process of each kind, no broker, no Redis, shared by the run.

    A test brings its own tenant and leaves the processes alone; else it takes start_system.
    """
    async with cloned_database(postgres, template_database) as databases:
        urls = {role: databases.url_for(role) for role in ("approval", "push", "audit")}
        system = System(tmp_path_factory.mktemp("shared") / "system", urls)
        try:
            await system.start()
            yield system
        finally:
            await system.stop()


@pytest.fixture
async def tenant(system: System) -> AsyncIterator[Tenant]:
    """A new org of the shared system, with a connection to a folder of its own."""
    async with system.tenant() as made:
        yield made


@pytest.fixture
async def start_system(databases: Any, tmp_path: Path) -> AsyncIterator[StartSystem]:
    """Start a system on a database of its own (or `on` another); killed when the test ends."""
    started: list[System] = []

    async def start(
        *,
        broker_url: str | None = None,
        redis_url: str | None = None,
        settings: dict[str, str] | None = None,
        on: Any = None,
        **replicas: int,
    ) -> System:
        urls = {role: (on or databases).url_for(role) for role in ("approval", "push", "audit")}
        folder = tmp_path / f"system-{len(started)}"
        system = System(folder, urls, broker_url, redis_url, settings or {})
        started.append(system)
        await system.start(**replicas)
        return system

    yield start
    for system in started:
        await system.stop()
