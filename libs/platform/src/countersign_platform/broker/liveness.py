"""Asks the queue itself whether we are being served."""

import asyncio
from typing import Protocol

from aio_pika.abc import AbstractConnection

from countersign_core.errors import Unavailable
from countersign_platform.broker.connection import failures_mapped, heed_cancellation
from countersign_platform.broker.metrics import STUCK
from countersign_platform.broker.topology import Topology, find_queue

_ANSWER_SECONDS = 10.0


class Served(Protocol):
    """A consumer, as far as it is watched."""

    @property
    def received(self) -> int:
        """Messages that came since the start."""

    @property
    def in_hand(self) -> int:
        """Messages being handled."""


async def watch_queue(
    connection: AbstractConnection, topology: Topology, served: Served, every_seconds: float
) -> None:
    """Check for ever.

    An open connection proves little: a server can have forgotten the consumer. The proof is
    that the queue answers, knows a consumer, and does not keep messages from an idle one.

    Raises:
        Unavailable: the queue does not answer, is gone, knows no consumer, or had messages at
            two checks in a row while nothing came and nothing was in hand.
    """
    kept_at_last_check = False
    received = served.received
    while True:
        await asyncio.sleep(every_seconds)
        waiting, consumers = await _ask(connection, topology)
        if consumers == 0:
            raise Unavailable("The queue has no consumer")
        idle = served.in_hand == 0 and served.received == received
        if waiting and idle and kept_at_last_check:
            STUCK.inc()
            raise Unavailable(f"{waiting} messages wait and none comes")
        kept_at_last_check = bool(waiting) and idle
        received = served.received


async def _ask(connection: AbstractConnection, topology: Topology) -> tuple[int, int]:
    """Messages waiting, and consumers. On a channel of its own: a missing queue closes it."""
    with failures_mapped():
        async with asyncio.timeout(_ANSWER_SECONDS), connection.channel() as channel:
            queue = await find_queue(channel, topology)
    heed_cancellation()
    result = queue.declaration_result
    return result.message_count or 0, result.consumer_count or 0
