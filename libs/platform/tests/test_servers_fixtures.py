"""The fixtures that every distribution's tests stand on."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import asyncpg
import jwt
import pytest
from aio_pika.abc import AbstractIncomingMessage
from aio_pika.exceptions import ChannelNotFoundEntity
from jwt import PyJWKSet

from countersign_core.roles import Role
from countersign_platform.broker.connection import open_connection
from countersign_platform.broker.publisher import Outgoing, Publisher
from countersign_platform.broker.topology import Topology, declare, find_queue
from countersign_platform.testing.clock import TestClock
from countersign_platform.testing.databases import Databases
from countersign_platform.testing.queues import StrayConsumerError, forget_queues
from countersign_platform.testing.servers import RabbitServer, RedisServer
from countersign_platform.testing.tokens import TestTokens

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


async def _take(_message: AbstractIncomingMessage) -> None:
    """A consumer's callback."""


@pytest.mark.parametrize("_round", [1, 2])
async def test_every_test_gets_a_broker_without_messages(rabbit: RabbitServer, _round: int) -> None:
    publisher = Publisher(rabbit.url, "test-fixtures")
    message = Outgoing(str(uuid4()), b"x", "test.Kind", datetime.now(UTC))
    assert await publisher.publish([message]) == [None]
    await publisher.close()
    async with open_connection(rabbit.url, "test-fixtures") as connection:
        queue = await find_queue(await connection.channel(), Topology())
        assert queue.declaration_result.message_count == 1


async def test_a_virtual_host_keeps_the_messages_of_who_outlives_a_test(
    rabbit: RabbitServer,
) -> None:
    own = Publisher(rabbit.add_virtual_host("fixtures"), "test-fixtures")
    message = Outgoing(str(uuid4()), b"x", "test.Kind", datetime.now(UTC))
    assert await own.publish([message]) == [None]
    await own.close()
    async with open_connection(rabbit.url, "test-fixtures") as connection:
        with pytest.raises(ChannelNotFoundEntity):
            await find_queue(await connection.channel(), Topology())


async def test_a_consumer_that_an_earlier_test_left_is_named(rabbit: RabbitServer) -> None:
    async with open_connection(rabbit.url, "test-fixtures") as connection:
        channel = await connection.channel()
        await declare(channel, Topology())
        await (await find_queue(channel, Topology())).consume(_take)
        with pytest.raises(StrayConsumerError):
            await forget_queues(rabbit, patience_seconds=0.2)
    await forget_queues(rabbit)


def test_tokens_of_a_person_and_of_a_service_verify_against_the_key_set(
    tokens: TestTokens,
) -> None:
    key_set = PyJWKSet.from_json(Path(tokens.jwks).read_text())
    for token in (
        tokens.user(uuid4(), Role.VIEWER),
        tokens.service(Role.WORKER),
        tokens.service_file(Role.RELAY).read_text(),
    ):
        key = key_set[jwt.get_unverified_header(token)["kid"]]
        assert jwt.decode(token, key, algorithms=["EdDSA"], audience="countersign")["roles"]


def test_a_clock_moves_when_it_is_told_to_and_never_back() -> None:
    clock = TestClock()
    start = clock.now()
    clock.advance(90)
    assert clock() == 90
    assert clock.now() - start == timedelta(seconds=90)
    with pytest.raises(ValueError, match="does not go back"):
        clock.advance(-1)
