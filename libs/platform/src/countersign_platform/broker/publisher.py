"""Publishes so that success means: the broker keeps it, in a queue."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import cast

from aio_pika import DeliveryMode
from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractExchange
from aio_pika.exceptions import PublishError
from aiormq import Channel as UnderlayChannel
from aiormq import spec

from countersign_core.errors import Unavailable
from countersign_platform.broker.connection import (
    close,
    connect,
    failures_mapped,
    heed_cancellation,
)
from countersign_platform.broker.topology import EXPORT_REQUESTED, Topology, declare

_CONTENT_TYPE = "application/x-protobuf"


class Unroutable(Exception):
    """The broker found no queue for the message and returned it."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One message; `message_id` is unique, and the same whenever it is published again."""

    message_id: str
    body: bytes
    kind: str
    created_at: datetime
    headers: Mapping[str, str] = field(default_factory=dict)


class Publisher:
    """Connects when it first publishes, and anew after a failure.

    Publish from one task at a time; messages of one call are in flight together.
    """

    def __init__(
        self,
        url: str,
        name: str,
        *,
        topology: Topology | None = None,
        confirm_seconds: float = 10.0,
    ) -> None:
        """`name` is what the broker shows; `confirm_seconds` bounds a call of `publish`."""
        self._url = url
        self._name = name
        self._topology = topology or Topology()
        self._confirm_seconds = confirm_seconds
        self._connection: AbstractConnection | None = None
        self._channel: AbstractChannel | None = None
        self._exchange: AbstractExchange | None = None

    async def publish(self, messages: Sequence[Outgoing]) -> Sequence[Exception | None]:
        """Publish all; one result per message, None once the broker has it in a queue.

        A message without a queue is Unroutable; what is not confirmed is Unavailable and may
        or may not have arrived.

        Raises:
            Unavailable: there is no connection.
        """
        exchange = await self._open()
        with failures_mapped():
            results = await self._publish_all(exchange.name, messages)
        if any(results):
            # Whatever was wrong, a queue that is gone included, a new start declares anew.
            await self.close()
        return results

    async def close(self) -> None:
        """Drop the connection; the next publish makes one."""
        connection, self._connection = self._connection, None
        self._channel = self._exchange = None
        if connection is not None:
            await close(connection)

    async def _open(self) -> AbstractExchange:
        if self._exchange is not None and self._is_open():
            return self._exchange
        await self.close()
        self._connection = await connect(self._url, self._name)
        with failures_mapped():
            async with asyncio.timeout(self._confirm_seconds):
                self._channel = await self._connection.channel(
                    publisher_confirms=True, on_return_raises=True
                )
                self._exchange = await declare(self._channel, self._topology)
        heed_cancellation()
        return self._exchange

    def _is_open(self) -> bool:
        return not any(each is None or each.is_closed for each in (self._connection, self._channel))

    async def _publish_all(
        self, exchange: str, messages: Sequence[Outgoing]
    ) -> list[Exception | None]:
        assert self._channel is not None
        # A layer below aio_pika's publish, which has each message wait until the one before it
        # is on the wire.
        channel = cast("UnderlayChannel", await self._channel.get_underlay_channel())
        waits = [asyncio.create_task(_publish(channel, exchange, each)) for each in messages]
        try:
            await asyncio.wait(waits, timeout=self._confirm_seconds)
        finally:
            for each in waits:
                each.cancel()
        confirmations = await asyncio.gather(*waits, return_exceptions=True)
        return [_result(each) for each in confirmations]


async def _publish(channel: UnderlayChannel, exchange: str, outgoing: Outgoing) -> None:
    """Returns when the broker has confirmed."""
    await channel.basic_publish(
        outgoing.body,
        exchange=exchange,
        routing_key=EXPORT_REQUESTED,
        properties=_properties(outgoing),
        mandatory=True,
        wait=False,
    )


def _properties(outgoing: Outgoing) -> spec.Basic.Properties:
    return spec.Basic.Properties(
        content_type=_CONTENT_TYPE,
        delivery_mode=DeliveryMode.PERSISTENT,
        message_id=outgoing.message_id,
        message_type=outgoing.kind,
        timestamp=outgoing.created_at,
        headers=dict(outgoing.headers),
    )


def _result(confirmation: object) -> Exception | None:
    if not isinstance(confirmation, BaseException):
        return None
    if isinstance(confirmation, PublishError):
        return Unroutable("No queue is bound for the message")
    if isinstance(confirmation, TypeError | ValueError):
        # The message cannot be written as AMQP; the broker never saw it.
        return confirmation
    # A negative confirm, a lost connection, no answer: the broker's affair, not the message's.
    return Unavailable(f"The broker did not confirm: {confirmation!r}")
