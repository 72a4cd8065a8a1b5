"""A broker of the test's own, stopped, crashed and started under load."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from aiormq.abc import TaskWrapper

from countersign_core.errors import Unavailable
from countersign_platform.backoff import Backoff
from countersign_platform.broker.connection import close, connect, failures_mapped
from countersign_platform.broker.consumer import Consumer, Incoming
from countersign_platform.broker.publisher import Outgoing, Publisher
from countersign_platform.broker.topology import Topology
from countersign_platform.database.pool import Database
from countersign_platform.outbox.broker_sender import BrokerSender
from countersign_platform.outbox.lane import LanePolicy
from countersign_platform.outbox.relay import Relay
from countersign_platform.testing.databases import Databases
from countersign_platform.testing.servers import RabbitServer

pytestmark = [pytest.mark.integration, pytest.mark.chaos]

QUICK = Backoff(0.05, 0.5)
AT = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def fragile() -> Iterator[RabbitServer]:
    with RabbitServer() as server:
        yield server


@pytest.fixture
def broker(fragile: RabbitServer) -> RabbitServer:
    if not fragile.running:
        fragile.start()
    return fragile


async def until(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.02)


@asynccontextmanager
async def in_background(*works: object) -> AsyncIterator[None]:
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        for task in tasks:
            with suppress(asyncio.CancelledError):
                await task


class Inbox:
    def __init__(self) -> None:
        self.ids: list[str] = []

    async def __call__(self, incoming: Incoming) -> None:
        await asyncio.sleep(0.005)
        self.ids.append(incoming.message_id)


async def publish_until_confirmed(publisher: Publisher, ids: list[str]) -> None:
    """As the relay does: what was not confirmed is published again."""
    open_ids = list(ids)
    while open_ids:
        batch = [Outgoing(each, b"x", "test.Kind", AT) for each in open_ids[:20]]
        try:
            results = await publisher.publish(batch)
        except Unavailable:
            await asyncio.sleep(0.1)
            continue
        unconfirmed = [
            message.message_id
            for message, error in zip(batch, results, strict=True)
            if error is not None
        ]
        open_ids = unconfirmed + open_ids[20:]
        await asyncio.sleep(0.02)


@pytest.mark.parametrize("crash", [False, True], ids=["stopped", "crashed"])
async def test_a_broker_that_goes_down_in_mid_stream_loses_nothing(
    broker: RabbitServer, crash: bool
) -> None:
    ids = [str(uuid4()) for _ in range(600)]
    inbox = Inbox()
    consumer = Consumer(
        broker.url, "test-faults", inbox, check_seconds=1.0, reconnect=QUICK, concurrency=4
    )
    publisher = Publisher(broker.url, "test-faults-publisher", confirm_seconds=5.0)
    async with in_background(consumer.run(), publish_until_confirmed(publisher, ids)):
        await until(lambda: len(inbox.ids) > 100)
        await asyncio.to_thread(broker.kill if crash else broker.stop)
        assert len(set(inbox.ids)) < len(ids)
        await asyncio.to_thread(broker.start)
        await until(lambda: set(inbox.ids) >= set(ids))
        await until(lambda: consumer.in_hand == 0)
    await publisher.close()


async def test_a_broker_that_hangs_without_a_word_is_left_and_found_again(
    broker: RabbitServer,
) -> None:
    inbox = Inbox()
    consumer = Consumer(broker.url, "test-hang", inbox, check_seconds=0.5, reconnect=QUICK)
    publisher = Publisher(broker.url, "test-hang-publisher", confirm_seconds=2.0)
    ids = [str(uuid4()) for _ in range(3)]
    async with in_background(consumer.run()):
        await publish_until_confirmed(publisher, ids[:1])
        await until(lambda: len(inbox.ids) == 1)
        os.killpg(broker.pid, signal.SIGSTOP)
        try:
            (result,) = await publisher.publish([Outgoing(ids[1], b"x", "test.Kind", AT)])
            assert isinstance(result, Unavailable)
            await until(lambda: not consumer.is_consuming)
        finally:
            os.killpg(broker.pid, signal.SIGCONT)
        await publish_until_confirmed(publisher, ids[1:])
        await until(lambda: set(inbox.ids) >= set(ids))
    await publisher.close()


async def test_a_broker_that_left_before_the_greeting_is_away_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """On a busy loop the end of the stream is there before the library reads: StopAsyncIteration."""
    open_stream = asyncio.open_connection

    async def open_late(*args: object, **options: object) -> object:
        reader, writer = await open_stream(*args, **options)
        async with asyncio.timeout(60):
            while not reader.at_eof():
                await asyncio.sleep(0)
        return reader, writer

    monkeypatch.setattr(asyncio, "open_connection", open_late)
    async with await asyncio.start_server(lambda _, back: back.close(), "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(Unavailable):
            await connect(f"amqp://guest:guest@127.0.0.1:{port}/", "test")


async def test_a_call_whose_connection_ends_for_no_known_reason_means_that_the_broker_is_away() -> (
    None
):
    """As aiormq ends what waits then: by a bare Exception."""
    waiting = TaskWrapper(asyncio.ensure_future(asyncio.Event().wait()))
    asyncio.get_running_loop().call_soon(waiting.throw, Exception)
    with pytest.raises(Unavailable), failures_mapped():
        await waiting


class _Connection:
    """One whose closing fails at first, as told."""

    def __init__(self, failure: Exception) -> None:
        self.failures = [failure]
        self.closings = 0

    async def close(self) -> None:
        self.closings += 1
        if self.failures:
            raise self.failures.pop()


async def test_a_connection_that_breaks_while_it_is_closed_is_closed_all_the_same() -> None:
    """By the same bare Exception; a defect is still one."""
    connection = _Connection(Exception())
    await close(connection)
    assert connection.closings == 2
    with pytest.raises(KeyError):
        await close(_Connection(KeyError("bug")))


async def test_a_consumer_that_is_cancelled_ends_whatever_its_watch_is_doing(
    broker: RabbitServer,
) -> None:
    """Of these cancellations aiormq loses one in eight, while the watch closes its channel."""

    async def handle(_: Incoming) -> None: ...

    topology = Topology(f"test-{uuid4().hex[:8]}")
    for number in range(60):
        consumer = Consumer(
            broker.url, "test-watched", handle, topology=topology, check_seconds=0.001
        )
        running = asyncio.create_task(consumer.run())
        await until(lambda consumer=consumer: consumer.is_consuming)
        # At another moment of a check each time; one takes a few milliseconds.
        await asyncio.sleep(number / 4000)
        running.cancel()
        ended, _ = await asyncio.wait({running}, timeout=10)
        assert ended, f"cancelled after {number / 4} ms, it goes on"


def test_a_defect_is_not_taken_for_an_absent_broker() -> None:
    with pytest.raises(KeyError), failures_mapped():
        raise KeyError("bug")


async def test_rows_written_while_the_broker_is_down_all_arrive_once_it_is_back(
    broker: RabbitServer, databases: Databases
) -> None:
    await asyncio.to_thread(broker.stop)
    await asyncio.to_thread(broker.wipe)
    database = await Database.connect(databases.url_for("push"), "test-faults")
    publisher = Publisher(broker.url, "test-faults-relay")
    relay = Relay(
        database,
        "push",
        {"work": BrokerSender(publisher)},
        policies={"work": LanePolicy(poll_seconds=0.1, away=QUICK)},
    )
    inbox = Inbox()
    consumer = Consumer(broker.url, "test-faults", inbox, check_seconds=1.0, reconnect=QUICK)
    async with in_background(relay.run(), consumer.run()):
        ids = [uuid4() for _ in range(50)]
        await database.execute(
            "INSERT INTO push.outbox (org_id, id, lane, payload)"
            " SELECT $1, unnest($2::uuid[]), 'work', 'x'",
            UUID(int=1),
            ids,
        )
        relay.wake()
        await asyncio.sleep(1)
        assert await database.fetchval("SELECT count(*) FROM push.outbox") == 50
        assert await database.fetchval("SELECT max(attempts) FROM push.outbox") == 0
        await asyncio.to_thread(broker.start)
        await until(lambda: len(inbox.ids) >= 50)
        assert sorted(inbox.ids) == sorted(str(each) for each in ids)
        assert await database.fetchval("SELECT count(*) FROM push.outbox") == 0
    await publisher.close()
    await database.close()
