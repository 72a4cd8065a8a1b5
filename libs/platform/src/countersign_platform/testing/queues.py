"""The queues that services declare, between two tests."""

from countersign_platform.broker.connection import open_connection
from countersign_platform.broker.topology import Topology
from countersign_platform.testing.rabbit_server import RabbitServer


async def forget_queues(server: RabbitServer) -> None:
    """Delete the queues of the usual names with all messages; whoever connects declares them."""
    topology = Topology()
    async with open_connection(server.url, "test-forget") as connection:
        channel = await connection.channel()
        # Deleting what is not there is no error.
        await channel.queue_delete(topology.queue)
        await channel.queue_delete(topology.dead)
