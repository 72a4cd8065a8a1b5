"""Connections to PostgreSQL: one pool per process, one round trip per statement."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any, Protocol, Self

import asyncpg
from asyncpg.pool import PoolConnectionProxy
from pydantic import SecretStr

from countersign_core.errors import Unavailable
from countersign_platform.database.failures import breaks_connection, failures_mapped

# How much longer than the server's own limit a client waits before it gives a connection up.
_CLIENT_GRACE_SECONDS = 2.0
_CLOSE_SECONDS = 10.0


class DatabaseConfig(Protocol):
    """Where the database is and how it may be used; DatabaseSettings is one."""

    @property
    def database_url(self) -> SecretStr:
        """postgresql://role:password@host:port/name."""

    @property
    def database_pool_size(self) -> int:
        """Connections at most."""

    @property
    def statement_timeout_seconds(self) -> float:
        """Longest time for one statement."""


class _Connection(asyncpg.Connection):  # type: ignore[misc] # asyncpg ships no types
    """A connection that goes back to the pool as it is.

    Nothing here changes a session: no SET outside a transaction, no LISTEN, no session lock.
    So there is nothing to reset, and a release costs no round trip. An open transaction is
    still rolled back.
    """

    __slots__ = ()

    def get_reset_query(self) -> str:
        return ""


class Database:
    """A pool of connections; opens them when needed and replaces those that broke.

    Every method raises Unavailable when PostgreSQL is away, full or too slow. A write that ends
    so may have been committed: callers repeat only what is idempotent. Constraint violations
    and other errors of a statement pass through as asyncpg exceptions.
    """

    def __init__(self, pool: asyncpg.Pool, acquire_seconds: float) -> None:
        """Use `connect`."""
        self._pool = pool
        self._acquire_seconds = acquire_seconds

    @classmethod
    async def connect(
        cls,
        source: DatabaseConfig | str,
        application_name: str,
        *,
        pool_size: int = 10,
        statement_timeout_seconds: float = 5.0,
    ) -> Self:
        """Open the pool.

        Args:
            source: settings, or a URL that goes with the keyword arguments.
            application_name: shown in pg_stat_activity.
            pool_size: connections at most.
            statement_timeout_seconds: longest time for one statement, and for a free connection.

        Raises:
            asyncpg.PostgresError: wrong password, no such database. A server that is merely
                away is no error: the pool connects when it is back.
        """
        url = source if isinstance(source, str) else source.database_url.get_secret_value()
        if not isinstance(source, str):
            pool_size = source.database_pool_size
            statement_timeout_seconds = source.statement_timeout_seconds
        pool = await asyncpg.create_pool(
            url,
            min_size=0,
            max_size=pool_size,
            connection_class=_Connection,
            init=_teach_json,
            timeout=statement_timeout_seconds,
            command_timeout=statement_timeout_seconds + _CLIENT_GRACE_SECONDS,
            server_settings=_session(application_name, statement_timeout_seconds),
        )
        database = cls(pool, statement_timeout_seconds)
        await database._refuse_wrong_credentials()
        return database

    async def fetch(self, sql: str, *args: Any) -> list[asyncpg.Record]:
        """All rows."""
        async with self._connection() as connection:
            rows: list[asyncpg.Record] = await connection.fetch(sql, *args)
            return rows

    async def fetchrow(self, sql: str, *args: Any) -> asyncpg.Record | None:
        """The first row, or None."""
        async with self._connection() as connection:
            return await connection.fetchrow(sql, *args)

    async def fetchval(self, sql: str, *args: Any) -> Any:
        """The first column of the first row, or None."""
        async with self._connection() as connection:
            return await connection.fetchval(sql, *args)

    async def execute(self, sql: str, *args: Any) -> str:
        """Run it; returns PostgreSQL's command tag, such as `UPDATE 1`."""
        async with self._connection() as connection:
            tag: str = await connection.execute(sql, *args)
            return tag

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[PoolConnectionProxy]:
        """A connection inside BEGIN … COMMIT; rolled back when the block raises."""
        async with self._connection() as connection, connection.transaction():
            yield connection

    async def is_ready(self) -> bool:
        """Whether PostgreSQL answers; for the readiness probe."""
        try:
            return bool(await self.fetchval("SELECT true"))
        except Unavailable:
            return False

    async def close(self) -> None:
        """Close every connection; what is still running after a while is cut off."""
        try:
            async with asyncio.timeout(_CLOSE_SECONDS):
                await self._pool.close()
        except TimeoutError:
            self._pool.terminate()

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[PoolConnectionProxy]:
        with failures_mapped():
            async with self._pool.acquire(timeout=self._acquire_seconds) as connection:
                try:
                    yield connection
                except Exception as error:
                    if breaks_connection(error):
                        _drop(connection)
                    raise

    async def _refuse_wrong_credentials(self) -> None:
        try:
            await self.fetchval("SELECT 1")
        except Unavailable:
            return
        except asyncpg.PostgresError:
            await self.close()
            raise


def _drop(connection: PoolConnectionProxy) -> None:
    # A connection that the server closed has left the pool by itself, and says so by raising.
    with suppress(asyncpg.InterfaceError):
        connection.terminate()


async def _teach_json(connection: asyncpg.Connection) -> None:
    await connection.set_type_codec(
        "jsonb",
        schema="pg_catalog",
        encoder=_encode_json,
        decoder=json.loads,
        format="text",
    )


def _encode_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _session(application_name: str, statement_timeout_seconds: float) -> dict[str, str]:
    milliseconds = str(int(statement_timeout_seconds * 1000))
    return {
        "application_name": application_name,
        "statement_timeout": milliseconds,
        "idle_in_transaction_session_timeout": milliseconds,
        "timezone": "UTC",
        # Compiling costs more than any statement here takes.
        "jit": "off",
    }
