"""The real system behind the console that was built, and browsers in front of it."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest
import pytest_asyncio
from browser import BUILT, Operator, People, chromium, operator
from playwright.async_api import Browser
from system import System
from tenant import Tenant

from countersign_platform.testing.databases import cloned_database


def console_settings(folder: Any) -> dict[str, str]:
    """What makes the gateway serve the console, with the sign-in of a development machine."""
    assert (BUILT / "index.html").exists(), "the console is not built: make console"
    return {
        "COUNTERSIGN_CONSOLE_FOLDER": str(BUILT),
        "COUNTERSIGN_DEVELOPMENT_SIGNING_KEY": str(folder / "keys" / "signing-key.pem"),
    }


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def console_system(
    postgres: Any,
    template_database: str,
    rabbit_server: Any,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[System]:
    """One process of each kind, a second gateway, RabbitMQ. A test brings its own tenant.

    The second gateway is for tests that take it away for a while.
    """
    async with cloned_database(postgres, template_database) as databases:
        urls = {role: databases.url_for(role) for role in ("approval", "push", "audit")}
        folder = tmp_path_factory.mktemp("console") / "system"
        broker = rabbit_server.add_virtual_host("console")
        system = System(folder, urls, broker, settings=console_settings(folder))
        try:
            await system.start(gateways=2)
            yield system
        finally:
            await system.stop()


@pytest.fixture
async def tenant(console_system: System) -> AsyncIterator[Tenant]:
    """A new org with a connection to a folder of its own."""
    async with console_system.tenant() as made:
        yield made


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """The run's Chromium."""
    async with chromium() as started:
        yield started


@pytest.fixture
def people(browser: Browser, console_system: System, tenant: Tenant) -> People:
    """Makes someone of the tenant, signed in; used as `async with`."""

    def person(**who: Any) -> AbstractAsyncContextManager[Operator]:
        return operator(browser, console_system.url(), **({"org": tenant.org} | who))

    return person


@pytest.fixture
async def olga(people: People) -> AsyncIterator[Operator]:
    """An operator of the tenant, signed in."""
    async with people() as person:
        yield person


@pytest.fixture
async def stranger(browser: Browser, console_system: System) -> AsyncIterator[Operator]:
    """Someone who has not signed in."""
    async with operator(browser, console_system.url()) as person:
        yield person
