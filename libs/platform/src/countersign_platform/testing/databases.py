"""A migrated database per test, cloned from a template that is migrated once."""

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import asyncpg

from countersign_platform.database.migrate import PACKAGES, is_installed, upgrade
from countersign_platform.testing.postgres_server import PostgresServer

_TEMPLATE = "countersign_template"


@dataclass(frozen=True, slots=True)
class Databases:
    """One database and the ways into it."""

    server: PostgresServer
    name: str

    @property
    def owner_url(self) -> str:
        """As the role that owns everything."""
        return self.server.url_for(self.name)

    def url_for(self, service: str) -> str:
        """As the role of `approval`, `push` or `audit`, with the grants of that role only."""
        return self.server.url_for(self.name, f"countersign_{service}")


async def make_template(server: PostgresServer) -> str:
    """Migrate a database with every package that is installed here; returns its name."""
    await _administer(server, f"CREATE DATABASE {_TEMPLATE}")
    packages = [package for package in PACKAGES if is_installed(package)]
    await upgrade(server.url_for(_TEMPLATE), packages)
    return _TEMPLATE


@asynccontextmanager
async def cloned_database(server: PostgresServer, template: str) -> AsyncIterator[Databases]:
    """A copy of `template` that is dropped afterwards, whoever is still connected."""
    name = f"test_{secrets.token_hex(6)}"
    # Files are copied, not logged page by page: a third of the work, for what need not survive.
    await _administer(server, f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
    try:
        yield Databases(server, name)
    finally:
        await _administer(server, f"DROP DATABASE {name} WITH (FORCE)")


async def _administer(server: PostgresServer, sql: str) -> None:
    connection = await asyncpg.connect(server.url)
    try:
        await connection.execute(sql)
    finally:
        await connection.close()
