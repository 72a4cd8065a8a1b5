import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator
from uuid import UUID

import asyncpg
import pytest
import pytest_asyncio

from countersign_core.errors import Unavailable
from countersign_platform.database.pool import Database
from countersign_platform.settings import DatabaseSettings
from countersign_platform.testing.databases import Databases
from countersign_platform.testing.servers import PostgresServer, StopMode

pytestmark = pytest.mark.integration


@pytest_asyncio.fixture(loop_scope="session")
async def database(databases: Databases) -> AsyncIterator[Database]:
    opened = await Database.connect(databases.owner_url, "test-pool", pool_size=3)
    yield opened
    await opened.close()


@pytest.fixture(scope="module")
def fragile() -> Iterator[PostgresServer]:
    """A server that tests may stop."""
    with PostgresServer(fsync=False) as server:
        yield server


@pytest_asyncio.fixture(loop_scope="session")
async def shaken(fragile: PostgresServer) -> AsyncIterator[Database]:
    opened = await Database.connect(
        fragile.url, "test-shaken", pool_size=5, statement_timeout_seconds=2
    )
    yield opened
    await opened.close()


async def fill(database: Database, connections: int) -> None:
    """Open that many connections by using them at once."""
    await asyncio.gather(*(database.fetchval("SELECT pg_sleep(0.2)") for _ in range(connections)))


async def test_rows_come_back_as_python_objects(database: Database) -> None:
    value = {"a": [1, "ü", None], "b": {"c": True}}
    row = await database.fetchrow(
        "SELECT $1::jsonb AS json, $2::uuid AS id, now() AS at", value, UUID(int=9)
    )
    assert row is not None
    assert row["json"] == value
    assert row["id"] == UUID(int=9)
    assert row["at"].utcoffset().total_seconds() == 0
    assert await database.fetch("SELECT generate_series(1, 3) AS n") == [(1,), (2,), (3,)]
    assert await database.fetchval("SELECT jsonb_typeof($1)", "text") == "string"


async def test_execute_returns_the_command_tag(database: Database) -> None:
    await database.execute("CREATE TABLE things (id int)")
    assert await database.execute("INSERT INTO things VALUES (1), (2)") == "INSERT 0 2"


async def test_the_settings_of_a_service_open_the_pool(
    databases: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COUNTERSIGN_DATABASE_URL", databases.url_for("push"))
    monkeypatch.setenv("COUNTERSIGN_STATEMENT_TIMEOUT_SECONDS", "1.5")
    opened = await Database.connect(DatabaseSettings(), "test-settings")
    try:
        shown = await opened.fetchrow(
            "SELECT current_user AS role, current_setting('statement_timeout') AS limit,"
            " current_setting('application_name') AS name,"
            " current_setting('idle_in_transaction_session_timeout') AS idle"
        )
    finally:
        await opened.close()
    assert dict(shown or {}) == {
        "role": "countersign_push",
        "limit": "1500ms",
        "name": "test-settings",
        "idle": "1500ms",
    }


async def test_a_statement_costs_no_second_round_trip_for_a_reset(
    database: Database, databases: Databases
) -> None:
    await database.execute("SELECT 'ours'")
    owner = await asyncpg.connect(databases.owner_url)
    try:
        last = await owner.fetchval(
            "SELECT query FROM pg_stat_activity"
            " WHERE application_name = 'test-pool' AND datname = current_database()"
        )
    finally:
        await owner.close()
    assert last == "SELECT 'ours'"


async def test_a_transaction_is_all_or_nothing(database: Database) -> None:
    await database.execute("CREATE TABLE things (id int)")

    async def fail_half_way() -> None:
        async with database.transaction() as connection:
            await connection.execute("INSERT INTO things VALUES (1)")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail_half_way()
    async with database.transaction() as connection:
        await connection.execute("INSERT INTO things VALUES (2)")
    assert await database.fetch("SELECT id FROM things") == [(2,)]


async def test_a_broken_constraint_passes_through_with_its_name(database: Database) -> None:
    await database.execute("CREATE TABLE things (id int CONSTRAINT id_is_positive CHECK (id > 0))")
    with pytest.raises(asyncpg.CheckViolationError) as caught:
        await database.execute("INSERT INTO things VALUES (0)")
    assert caught.value.constraint_name == "id_is_positive"


async def test_a_statement_that_takes_too_long_is_unavailable(shaken: Database) -> None:
    with pytest.raises(Unavailable) as caught:
        await shaken.fetchval("SELECT pg_sleep(30)")
    assert isinstance(caught.value.__cause__, asyncpg.QueryCanceledError)
    assert await shaken.fetchval("SELECT 1") == 1


async def test_a_pool_that_is_used_up_is_unavailable(databases: Databases) -> None:
    small = await Database.connect(
        databases.owner_url, "test-small", pool_size=1, statement_timeout_seconds=1
    )
    try:
        sleeps = [small.fetchval("SELECT pg_sleep(0.8)") for _ in range(3)]
        results = await asyncio.gather(*sleeps, return_exceptions=True)
        assert sum(isinstance(result, Unavailable) for result in results) == 1
        assert await small.fetchval("SELECT 1") == 1
    finally:
        await small.close()


async def test_a_deadlock_is_unavailable_for_one_and_the_other_gets_through(
    database: Database,
) -> None:
    await database.execute("CREATE TABLE things (id int, n int)")
    await database.execute("INSERT INTO things VALUES (1, 0), (2, 0)")
    both_hold_one = asyncio.Barrier(2)

    async def lock(first: int, second: int) -> None:
        async with database.transaction() as connection:
            await connection.execute("UPDATE things SET n = n + 1 WHERE id = $1", first)
            await both_hold_one.wait()
            await connection.execute("UPDATE things SET n = n + 1 WHERE id = $1", second)

    results = await asyncio.gather(lock(1, 2), lock(2, 1), return_exceptions=True)
    assert {type(result) for result in results} == {type(None), Unavailable}
    assert await database.fetchval("SELECT sum(n) FROM things") == 2


async def test_a_wrong_password_or_database_stops_the_start(databases: Databases) -> None:
    with pytest.raises(asyncpg.InvalidCatalogNameError):
        await Database.connect(databases.server.url_for("nowhere"), "test-wrong")


async def test_a_server_that_is_away_at_the_start_is_used_once_it_is_there(
    fragile: PostgresServer,
) -> None:
    fragile.stop()
    opened = await Database.connect(fragile.url, "test-early")
    try:
        assert not await opened.is_ready()
        with pytest.raises(Unavailable):
            await opened.fetchval("SELECT 1")
        await asyncio.to_thread(fragile.start)
        assert await opened.is_ready()
        assert await opened.fetchval("SELECT 1") == 1
    finally:
        await opened.close()


@pytest.mark.parametrize("mode", StopMode)
async def test_after_a_restart_at_most_one_call_fails_however_many_connections_were_open(
    fragile: PostgresServer, shaken: Database, mode: StopMode
) -> None:
    await fill(shaken, 5)
    await asyncio.to_thread(fragile.restart, mode)
    failures = 0
    for _ in range(10):
        try:
            assert await shaken.fetchval("SELECT 1") == 1
        except Unavailable:
            failures += 1
    assert failures <= 1


async def test_a_call_that_is_under_way_when_the_server_crashes_is_unavailable(
    fragile: PostgresServer, shaken: Database
) -> None:
    under_way = asyncio.create_task(shaken.fetchval("SELECT pg_sleep(1.5)"))
    await asyncio.sleep(0.3)
    await asyncio.to_thread(fragile.restart, StopMode.IMMEDIATE)
    with pytest.raises(Unavailable):
        await under_way
    assert await shaken.fetchval("SELECT 1") == 1


async def test_a_backend_that_is_killed_takes_the_server_into_recovery_and_calls_come_back(
    fragile: PostgresServer, shaken: Database
) -> None:
    """PostgreSQL ends every connection when one backend dies, and recovers."""
    await fill(shaken, 5)
    victim = await shaken.fetchval("SELECT pg_backend_pid()")
    os.kill(victim, signal.SIGKILL)
    async with asyncio.timeout(20):
        while True:
            try:
                assert await shaken.fetchval("SELECT 1") == 1
                break
            except Unavailable:
                await asyncio.sleep(0.05)
    await fill(shaken, 5)


async def test_a_cancelled_call_gives_its_connection_back(databases: Databases) -> None:
    small = await Database.connect(databases.owner_url, "test-cancel", pool_size=1)
    try:
        for _ in range(3):
            under_way = asyncio.create_task(small.fetchval("SELECT pg_sleep(4)"))
            await asyncio.sleep(0.05)
            under_way.cancel()
            with pytest.raises(asyncio.CancelledError):
                await under_way
        assert await small.fetchval("SELECT 1") == 1
    finally:
        await small.close()


async def test_after_close_every_call_is_unavailable(databases: Databases) -> None:
    opened = await Database.connect(databases.owner_url, "test-closed")
    await opened.close()
    with pytest.raises(Unavailable):
        await opened.fetchval("SELECT 1")


async def test_a_server_that_hangs_without_a_word_is_given_up_and_not_asked_again(
    fragile: PostgresServer,
) -> None:
    opened = await Database.connect(
        fragile.url, "test-hang", pool_size=1, statement_timeout_seconds=0.5
    )
    hanging = await opened.fetchval("SELECT pg_backend_pid()")
    os.kill(hanging, signal.SIGSTOP)
    try:
        async with asyncio.timeout(60):
            with pytest.raises(Unavailable):
                await opened.fetchval("SELECT 1")
            assert await opened.fetchval("SELECT pg_backend_pid()") != hanging
    finally:
        os.kill(hanging, signal.SIGCONT)
        await opened.close()
