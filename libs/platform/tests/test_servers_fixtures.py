"""The fixtures that every distribution's tests stand on."""

from uuid import uuid4

import asyncpg
import pytest

from countersign_platform.testing.databases import Databases
from countersign_platform.testing.servers import RedisServer

pytestmark = pytest.mark.integration

INSERT = "INSERT INTO push.outbox (org_id, id, lane, payload) VALUES ($1, $2, 'work', 'x')"


@pytest.mark.parametrize("_round", [1, 2])
async def test_every_test_gets_a_database_without_rows(databases: Databases, _round: int) -> None:
    connection = await asyncpg.connect(databases.owner_url)
    try:
        assert await connection.fetchval("SELECT count(*) FROM push.outbox") == 0
        await connection.execute(INSERT, uuid4(), uuid4())
    finally:
        await connection.close()


async def test_a_role_url_logs_in_with_the_grants_of_that_role_only(databases: Databases) -> None:
    connection = await asyncpg.connect(databases.url_for("push"))
    try:
        assert await connection.fetchval("SELECT current_user") == "countersign_push"
        await connection.execute(INSERT, uuid4(), uuid4())
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute("UPDATE approval.draft_orders SET status = 'PUSHED'")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute("CREATE TABLE public.mine (id int)")
    finally:
        await connection.close()


def test_redis_answers_and_is_flushed(redis: RedisServer) -> None:
    redis.flush()
    assert redis.running
