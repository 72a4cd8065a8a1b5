"""Brings the database to the version of the installed packages; safe to run twice, or at once.

Every package brings `migrations/versions`; its schema is named after it, and the version is
kept in `<schema>.alembic_version`.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

import asyncpg

from countersign_platform.database.failures import failures_mapped
from countersign_platform.database.revisions import schema_of, statements_to_head, versions_folder
from countersign_platform.database.roles import ensure_roles, ensure_schemas

PACKAGES = ("countersign_approval", "countersign_push", "countersign_audit")

# Any number that nothing else in the database locks.
_LOCK = 0x636F756E746572
_LOOK_AGAIN_SECONDS = 0.2


async def upgrade(
    url: str,
    packages: Sequence[str] = PACKAGES,
    *,
    passwords: Mapping[str, str] | None = None,
) -> None:
    """Create roles and schemas where missing, then run every migration that is due.

    Args:
        url: of a role that may create roles and schemas; it will own what is made.
        packages: in the order of their dependencies: push refers to approval.
        passwords: of service roles by name; a role that is not named keeps the one it has.

    Raises:
        ModuleNotFoundError: a package is not installed, or has no migrations.
        Unavailable: the database is away.
    """
    for package in packages:
        versions_folder(package)
    with failures_mapped():
        async with _only_migrator(url) as connection:
            await ensure_roles(connection, passwords or {})
            await ensure_schemas(connection, [schema_of(package) for package in packages])
            for package in packages:
                await _upgrade_package(connection, package)


async def current(url: str) -> dict[str, str | None]:
    """The installed revision by schema; None where nothing is installed.

    Raises:
        Unavailable: the database is away.
    """
    with failures_mapped():
        connection = await asyncpg.connect(url)
        try:
            return {
                schema_of(package): await _installed(connection, schema_of(package))
                for package in PACKAGES
            }
        finally:
            await connection.close()


def is_installed(package: str) -> bool:
    """Whether `package` can be imported and brings migrations."""
    try:
        versions_folder(package)
    except ModuleNotFoundError:
        return False
    return True


@asynccontextmanager
async def _only_migrator(url: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection that holds the lock of this database until it is closed."""
    connection = await asyncpg.connect(
        url, server_settings={"application_name": "countersign-migrate"}
    )
    try:
        # Not waited for in a statement: it would hold a snapshot, for whose end the holder's
        # CREATE INDEX CONCURRENTLY waits in turn.
        while not await connection.fetchval(  # noqa: ASYNC110 — another process has it
            "SELECT pg_try_advisory_lock($1)", _LOCK
        ):
            await asyncio.sleep(_LOOK_AGAIN_SECONDS)
        yield connection
    finally:
        # Rolls back what a failed migration left open, too.
        await connection.close()


async def _upgrade_package(connection: asyncpg.Connection, package: str) -> None:
    installed = await _installed(connection, schema_of(package))
    for statement in statements_to_head(package, installed):
        await connection.execute(statement)


async def _installed(connection: asyncpg.Connection, schema: str) -> str | None:
    table = f"{schema}.alembic_version"
    if await connection.fetchval("SELECT to_regclass($1) IS NULL", table):
        return None
    # The schema is one of our own names.
    revision: str | None = await connection.fetchval(f"SELECT version_num FROM {table}")  # noqa: S608
    return revision
