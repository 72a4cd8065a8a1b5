import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import uuid4

import aio_pika
import pytest
import pytest_asyncio
from prometheus_client import REGISTRY

from countersign_core.errors import Unavailable
from countersign_platform.backoff import Backoff
from countersign_platform.broker.connection import open_connection
from countersign_platform.broker.consumer import Consumer, Incoming
from countersign_platform.broker.liveness import watch_queue
from countersign_platform.broker.publisher import Outgoing, Publisher, Unroutable
from countersign_platform.broker.topology import Topology, declare
from countersign_platform.testing.servers import RabbitServer

pytestmark = pytest.mark.integration

QUICK = Backoff(0.05, 0.5)
AT = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)


@pytest.fixture
def topology() -> Topology:
    return Topology(f"test-{uuid4().hex[:8]}")


@pytest_asyncio.fixture(loop_scope="session")
async def publisher(rabbit: RabbitServer, topology: Topology) -> AsyncIterator[Publisher]:
    made = Publisher(rabbit.url, "test-publisher", topology=topology)
    yield made
    await made.close()


def outgoing(number: int = 0) -> Outgoing:
    return Outgoing(str(uuid4()), f"body {number}".encode(), "test.Kind", AT, {"traceparent": "t"})


async def until(condition: Callable[[], bool], seconds: float = 30.0) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.01)


@asynccontextmanager
async def running(consumer: Consumer) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(consumer.run())
    try:
        yield task
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


@asynccontextmanager
async def channel_to(rabbit: RabbitServer) -> AsyncIterator[aio_pika.abc.AbstractChannel]:
    async with open_connection(rabbit.url, "test-look") as connection:
        yield await connection.channel()


async def count(rabbit: RabbitServer, queue: str) -> int:
    async with channel_to(rabbit) as channel:
        found = await channel.declare_queue(queue, passive=True)
        return found.declaration_result.message_count or 0


async def drain(rabbit: RabbitServer, queue: str) -> list[aio_pika.abc.AbstractIncomingMessage]:
    async with channel_to(rabbit) as channel:
        found = await channel.get_queue(queue)
        messages = []
        while (message := await found.get(fail=False, no_ack=True)) is not None:
            messages.append(message)
        return messages


class Inbox:
    """A handler that remembers; `meet` decides how it ends."""

    def __init__(self, meet: Callable[[Incoming], Awaitable[None]] | None = None) -> None:
        self.meet = meet
        self.seen: list[Incoming] = []

    @property
    def bodies(self) -> set[bytes]:
        return {incoming.body for incoming in self.seen}

    async def __call__(self, incoming: Incoming) -> None:
        self.seen.append(incoming)
        if self.meet is not None:
            await self.meet(incoming)


def consumer_of(
    rabbit: RabbitServer, topology: Topology, handler: Inbox, **options: object
) -> Consumer:
    settings = {"check_seconds": 0.2, "reconnect": QUICK, "hold": QUICK, **options}
    return Consumer(rabbit.url, "test-consumer", handler, topology=topology, **settings)


async def test_a_confirmed_message_lies_in_the_queue_as_it_was_written(
    rabbit: RabbitServer, publisher: Publisher, topology: Topology
) -> None:
    message = outgoing()
    assert await publisher.publish([message]) == [None]
    (found,) = await drain(rabbit, topology.queue)
    assert found.message_id == message.message_id
    assert found.body == message.body
    assert found.type == "test.Kind"
    assert found.timestamp == AT
    assert found.headers["traceparent"] == "t"
    assert found.delivery_mode == aio_pika.DeliveryMode.PERSISTENT


async def test_a_batch_is_confirmed_message_by_message(
    rabbit: RabbitServer, publisher: Publisher, topology: Topology
) -> None:
    assert await publisher.publish([outgoing(n) for n in range(500)]) == [None] * 500
    assert await count(rabbit, topology.queue) == 500


async def test_a_message_that_no_queue_takes_is_a_failure_and_the_next_try_mends_it(
    rabbit: RabbitServer, publisher: Publisher, topology: Topology
) -> None:
    assert await publisher.publish([outgoing()]) == [None]
    async with channel_to(rabbit) as channel:
        await channel.queue_delete(topology.queue)
    results = await publisher.publish([outgoing(), outgoing()])
    assert [type(result) for result in results] == [Unroutable, Unroutable]
    assert await publisher.publish([outgoing()]) == [None]
    assert await count(rabbit, topology.queue) == 1


async def test_the_queue_is_a_quorum_queue_with_a_delivery_limit_and_dead_letters(
    rabbit: RabbitServer, publisher: Publisher, topology: Topology
) -> None:
    await publisher.publish([outgoing()])
    async with channel_to(rabbit) as channel:
        with pytest.raises(aio_pika.exceptions.ChannelPreconditionFailed):
            await channel.declare_queue(topology.queue, durable=True)
    async with channel_to(rabbit) as channel:
        # The very same declaration is accepted, twice.
        await declare(channel, topology)
        await declare(channel, topology)


async def test_a_queue_that_differs_from_ours_is_said_to_be_unavailable(
    rabbit: RabbitServer, publisher: Publisher, topology: Topology
) -> None:
    async with channel_to(rabbit) as channel:
        await channel.declare_queue(topology.queue, durable=True)
    with pytest.raises(Unavailable, match="PRECONDITION_FAILED"):
        await publisher.publish([outgoing()])


async def test_without_a_broker_publishing_says_unavailable() -> None:
    publisher = Publisher("amqp://guest:guest@127.0.0.1:1/", "test-nobody")
    with pytest.raises(Unavailable):
        await publisher.publish([outgoing()])


async def test_what_is_consumed_is_acknowledged_once_it_is_handled(
    rabbit: RabbitServer, publisher: Publisher, topology: Topology
) -> None:
    inbox = Inbox()
    async with running(consumer_of(rabbit, topology, inbox)):
        messages = [outgoing(n) for n in range(50)]
        await publisher.publish(messages)
        await until(lambda: len(inbox.seen) == 50)
    assert {each.message_id for each in inbox.seen} == {each.message_id for each in messages}
    assert inbox.seen[0].headers == {"traceparent": "t"}
    assert not any(each.redelivered for each in inbox.seen)
    assert await count(rabbit, topology.queue) == 0


async def test_no_more_messages_are_in_hand_than_allowed(
    rabbit: RabbitServer, publisher: Publisher, topology: Topology
) -> None:
    release = asyncio.Event()

    async def hold(_: Incoming) -> None:
        await release.wait()

    inbox = Inbox(hold)
    consumer = consumer_of(rabbit, topology, inbox, concurrency=3)
    await publisher.publish([outgoing(n) for n in range(10)])
    async with running(consumer):
        await until(lambda: consumer.in_hand == 3)
        await asyncio.sleep(0.3)
        assert consumer.in_hand == 3
        release.set()
        await until(lambda: len(inbox.seen) == 10)


async def test_a_message_that_breaks_its_handler_goes_to_the_dead_letters_at_once(
    rabbit: RabbitServer, publisher: Publisher, topology: Topology
) -> None:
    async def break_on_bad(incoming: Incoming) -> None:
        if incoming.body == b"body 1":
            raise ValueError("cannot be parsed")

    inbox = Inbox(break_on_bad)
    messages = [outgoing(n) for n in range(3)]
    async with running(consumer_of(rabbit, topology, inbox)):
        await publisher.publish(messages)
        await until(lambda: len(inbox.seen) == 3)
        async with asyncio.timeout(20):
            while await count(rabbit, topology.dead) < 1:
                await asyncio.sleep(0.05)
    (dead,) = await drain(rabbit, topology.dead)
    assert dead.message_id == messages[1].message_id
    assert len(inbox.seen) == 3


async def test_a_message_that_meets_something_unavailable_is_held_and_tried_again_here(
    rabbit: RabbitServer, publisher: Publisher, topology: Topology
) -> None:
    tries = 0

    async def away_at_first(_: Incoming) -> None:
        nonlocal tries
        tries += 1
        if tries < 4:
            raise Unavailable("push is away")

    inbox = Inbox(away_at_first)
    async with running(consumer_of(rabbit, topology, inbox)):
        await publisher.publish([outgoing()])
        await until(lambda: tries == 4)
    assert not any(each.redelivered for each in inbox.seen)
    assert await count(rabbit, topology.queue) == 0
    assert await count(rabbit, topology.dead) == 0


async def test_stop_takes_no_more_and_finishes_what_is_in_hand(
    rabbit: RabbitServer, publisher: Publisher, topology: Topology
) -> None:
    release = asyncio.Event()

    async def hold(_: Incoming) -> None:
        await release.wait()

    inbox = Inbox(hold)
    consumer = consumer_of(rabbit, topology, inbox, concurrency=2)
    await publisher.publish([outgoing(n) for n in range(5)])
    async with running(consumer) as task:
        await until(lambda: consumer.in_hand == 2)
        consumer.stop()
        await until(lambda: not consumer.is_consuming)
        assert not task.done()
        release.set()
        await asyncio.wait_for(task, 60)
    assert len(inbox.seen) == 2
    assert await count(rabbit, topology.queue) == 3


async def test_stop_gives_a_held_message_back(
    rabbit: RabbitServer, publisher: Publisher, topology: Topology
) -> None:
    async def away(_: Incoming) -> None:
        raise Unavailable("push is away")

    inbox = Inbox(away)
    consumer = consumer_of(rabbit, topology, inbox, hold=Backoff(60, 60))
    await publisher.publish([outgoing()])
    async with running(consumer) as task:
        await until(lambda: len(inbox.seen) == 1)
        consumer.stop()
        await asyncio.wait_for(task, 60)
    assert await count(rabbit, topology.queue) == 1


async def test_a_consumer_that_the_server_cancels_notices_and_consumes_again(
    rabbit: RabbitServer, publisher: Publisher, topology: Topology
) -> None:
    inbox = Inbox()
    # The liveness check would notice as well; here it may not.
    consumer = consumer_of(rabbit, topology, inbox, check_seconds=600.0)
    async with running(consumer):
        await publisher.publish([outgoing(1)])
        await until(lambda: len(inbox.seen) == 1)
        async with channel_to(rabbit) as channel:
            await channel.queue_delete(topology.queue)
        await until(lambda: not consumer.is_consuming)
        await until(lambda: consumer.is_consuming)
        assert await publisher.publish([outgoing(2)]) == [None]
        await until(lambda: inbox.bodies == {b"body 1", b"body 2"})


@dataclass
class Idle:
    """A consumer as the liveness check sees it."""

    received: int = 0
    in_hand: int = 0


async def never_answer(_: aio_pika.abc.AbstractIncomingMessage) -> None:
    pass


async def watched(rabbit: RabbitServer, topology: Topology, served: Idle) -> None:
    async with open_connection(rabbit.url, "test-watch") as connection, asyncio.timeout(3):
        await watch_queue(connection, topology, served, 0.1)


async def test_the_liveness_check_notices_a_queue_that_forgot_its_consumer(
    rabbit: RabbitServer, publisher: Publisher, topology: Topology
) -> None:
    await publisher.publish([outgoing()])
    with pytest.raises(Unavailable, match="no consumer"):
        await watched(rabbit, topology, Idle())


async def test_the_liveness_check_notices_a_queue_that_is_gone(
    rabbit: RabbitServer, topology: Topology
) -> None:
    with pytest.raises(Unavailable, match="NOT_FOUND"):
        await watched(rabbit, topology, Idle())


async def test_the_liveness_check_notices_messages_that_wait_while_none_comes(
    rabbit: RabbitServer, publisher: Publisher, topology: Topology
) -> None:
    await publisher.publish([outgoing(n) for n in range(3)])
    async with channel_to(rabbit) as channel:
        await channel.set_qos(prefetch_count=1)
        await (await channel.get_queue(topology.queue)).consume(never_answer)
        with pytest.raises(Unavailable, match="2 messages wait and none comes"):
            await watched(rabbit, topology, Idle())
        # Whoever has a message in hand is busy, not forgotten.
        with pytest.raises(TimeoutError):
            await watched(rabbit, topology, Idle(received=1, in_hand=1))


async def test_a_worker_that_vanishes_leaves_its_messages_to_the_next(
    rabbit: RabbitServer, publisher: Publisher, topology: Topology
) -> None:
    async def hang(_: Incoming) -> None:
        await asyncio.Event().wait()

    hanging, heir = Inbox(hang), Inbox()
    await publisher.publish([outgoing(n) for n in range(4)])
    async with running(consumer_of(rabbit, topology, hanging)):
        await until(lambda: len(hanging.seen) == 4)
    async with running(consumer_of(rabbit, topology, heir)):
        await until(lambda: len(heir.seen) == 4)
    assert heir.bodies == hanging.bodies
    assert all(each.redelivered for each in heir.seen)


async def test_the_connection_is_on_a_metric(
    rabbit: RabbitServer, topology: Topology, publisher: Publisher
) -> None:
    async with running(consumer_of(rabbit, topology, Inbox())):
        labels = {"connection": "test-consumer"}
        await until(lambda: REGISTRY.get_sample_value("countersign_broker_connected", labels) == 1)
    assert REGISTRY.get_sample_value("countersign_broker_connected", labels) == 0
