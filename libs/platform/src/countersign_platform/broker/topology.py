"""What must exist on the broker; declared by whoever connects first, the same by everyone."""

from dataclasses import dataclass

from aio_pika import ExchangeType
from aio_pika.abc import AbstractChannel, AbstractExchange, AbstractQueue

EXPORT_REQUESTED = "export.requested"

# A message that ends so many workers is not given to another one. Without the argument there
# is no limit before RabbitMQ 4.0. The database counts attempts; this only guards workers.
_DELIVERY_LIMIT = 10
_MOST_DEAD_LETTERS = 100_000


@dataclass(frozen=True, slots=True)
class Topology:
    """Names on the broker. Tests that share a broker give each its own prefix."""

    prefix: str = "countersign"

    @property
    def exchange(self) -> str:
        """Where requests for work are published."""
        return f"{self.prefix}.work"

    @property
    def queue(self) -> str:
        """What workers consume."""
        return f"{self.prefix}.exports"

    @property
    def dead(self) -> str:
        """Exchange and queue of the messages that no worker could take."""
        return f"{self.prefix}.dead"


async def declare(channel: AbstractChannel, topology: Topology) -> AbstractExchange:
    """Declare everything; returns the exchange to publish to.

    Raises:
        aio_pika.exceptions.ChannelPreconditionFailed: something of that name exists and differs.
    """
    await _declare_dead(channel, topology)
    exchange = await channel.declare_exchange(topology.exchange, ExchangeType.DIRECT, durable=True)
    queue = await channel.declare_queue(
        topology.queue,
        durable=True,
        arguments={
            "x-queue-type": "quorum",
            "x-delivery-limit": _DELIVERY_LIMIT,
            "x-dead-letter-exchange": topology.dead,
            # Dead letters are not lost on the way; that needs a queue that refuses when full.
            "x-dead-letter-strategy": "at-least-once",
            "x-overflow": "reject-publish",
        },
    )
    await queue.bind(exchange, EXPORT_REQUESTED)
    return exchange


async def find_queue(channel: AbstractChannel, topology: Topology) -> AbstractQueue:
    """The queue of work with its counts, asked of the queue itself.

    Raises:
        aio_pika.exceptions.ChannelNotFoundEntity: it is gone; the channel is closed.
    """
    return await channel.declare_queue(topology.queue, passive=True)


async def _declare_dead(channel: AbstractChannel, topology: Topology) -> None:
    exchange = await channel.declare_exchange(topology.dead, ExchangeType.FANOUT, durable=True)
    queue = await channel.declare_queue(
        topology.dead,
        durable=True,
        arguments={"x-queue-type": "quorum", "x-max-length": _MOST_DEAD_LETTERS},
    )
    await queue.bind(exchange)
