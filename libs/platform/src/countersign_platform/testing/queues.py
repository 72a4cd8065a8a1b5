"""The queues that services declare, between two tests."""

import asyncio

from aio_pika.abc import AbstractChannel
from aio_pika.exceptions import ChannelNotFoundEntity

from countersign_platform.broker.connection import open_connection
from countersign_platform.broker.topology import Topology, find_queue
from countersign_platform.testing.rabbit_server import RabbitServer

# A process that was killed is noticed at once, one whose machine is slow a little later.
_CONSUMERS_GONE_SECONDS = 15.0


class StrayConsumerError(RuntimeError):
    """Something that outlived its test would take the messages of the next."""

    def __init__(self) -> None:
        super().__init__(
            "a consumer of an earlier test is still there; what lives longer than a test"
            " needs a virtual host of its own"
        )


async def forget_queues(
    server: RabbitServer, patience_seconds: float = _CONSUMERS_GONE_SECONDS
) -> None:
    """Delete the queues of the usual names with all messages; whoever connects declares them.

    Raises:
        StrayConsumerError: somebody still consumes.
    """
    topology = Topology()
    async with open_connection(server.url, "test-forget") as connection:
        await _wait_unconsumed(await connection.channel(), topology, patience_seconds)
        channel = await connection.channel()
        # Deleting what is not there is no error.
        await channel.queue_delete(topology.queue)
        await channel.queue_delete(topology.dead)


async def _wait_unconsumed(channel: AbstractChannel, topology: Topology, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            while (await find_queue(channel, topology)).declaration_result.consumer_count:  # noqa: ASYNC110 — nobody tells
                await asyncio.sleep(0.05)
    except ChannelNotFoundEntity:
        return
    except TimeoutError:
        raise StrayConsumerError from None
