"""Consumes the queue of work: a bounded number at once, acknowledged when handled."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

import structlog
from aio_pika.abc import AbstractConnection, AbstractIncomingMessage, AbstractQueue

from countersign_core.errors import Unavailable
from countersign_platform.backoff import Backoff
from countersign_platform.broker.connection import failures_mapped, heed_cancellation, supervise
from countersign_platform.broker.liveness import watch_queue
from countersign_platform.broker.metrics import MESSAGES
from countersign_platform.broker.topology import Topology, declare

_log = structlog.get_logger(__name__)

_CANCEL_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Incoming:
    """One message. `redelivered` says that another worker may have seen it before."""

    message_id: str
    body: bytes
    headers: Mapping[str, str]
    redelivered: bool


Handler = Callable[[Incoming], Awaitable[None]]


class Consumer:
    """Hands every message to `handler`, at least once, until `stop`.

    A message is acknowledged when the handler returns. When the handler raises Unavailable,
    the message is held and tried again here after a while: giving it back would hand it to
    the next worker at once, which is no better off, and count against it. Any other error
    dead-letters it. A handler at work outlives a lost connection; its message then comes
    again, here or elsewhere.
    """

    def __init__(
        self,
        url: str,
        name: str,
        handler: Handler,
        *,
        concurrency: int = 4,
        topology: Topology | None = None,
        check_seconds: float = 15.0,
        reconnect: Backoff | None = None,
        hold: Backoff | None = None,
    ) -> None:
        """Set up; nothing connects before `run`.

        Args:
            url: of the broker.
            name: what the broker shows for the connection.
            handler: called with each message; idempotent, for any may come twice.
            concurrency: messages in hand at most, and so the prefetch. Keep it small: what
                ends a worker counts against every message that it holds.
            topology: names on the broker.
            check_seconds: how often the queue is asked whether we are being served.
            reconnect: waits between connections.
            hold: waits before a message is tried again that met something Unavailable.
        """
        self._url = url
        self._name = name
        self._handler = handler
        self._concurrency = concurrency
        self._topology = topology or Topology()
        self._check_seconds = check_seconds
        self._reconnect = reconnect or Backoff()
        self._hold = hold or Backoff(first_seconds=1.0, longest_seconds=30.0)
        self._at_work: set[asyncio.Task[None]] = set()
        self._stopping = asyncio.Event()
        self._received = 0
        self._consuming = False

    @property
    def is_consuming(self) -> bool:
        """Whether the broker serves us now; for the readiness probe."""
        return self._consuming

    @property
    def in_hand(self) -> int:
        """Messages being handled."""
        return len(self._at_work)

    @property
    def received(self) -> int:
        """Messages that came since the start."""
        return self._received

    def stop(self) -> None:
        """Take no more messages; `run` returns when those in hand are done."""
        self._stopping.set()

    async def run(self) -> None:
        """Consume until `stop`; then wait for the messages in hand.

        Cancelled, it drops what is in hand: the broker gives that to another worker.
        """
        supervisor = asyncio.create_task(
            supervise(self._url, self._name, self._consume, self._reconnect)
        )
        stopped = asyncio.create_task(self._stopping.wait())
        try:
            await asyncio.wait({supervisor, stopped}, return_when=asyncio.FIRST_COMPLETED)
            if supervisor.done():
                supervisor.result()
            await self._finish()
        finally:
            await _end(supervisor, stopped, *self._at_work)

    async def _finish(self) -> None:
        while self._at_work:
            await asyncio.wait(self._at_work)

    async def _consume(self, connection: AbstractConnection) -> None:
        channel = await connection.channel()
        await channel.set_qos(prefetch_count=self._concurrency)
        await declare(channel, self._topology)
        queue = await channel.get_queue(self._topology.queue)
        over = asyncio.Event()
        underlay = await channel.get_underlay_channel()
        underlay.on_consumer_cancel_callbacks.add(lambda _: over.set())
        channel.close_callbacks.add(lambda *_: over.set())
        connection.close_callbacks.add(lambda *_: over.set())
        tag = await queue.consume(self._receive)
        heed_cancellation()
        self._consuming = True
        try:
            await self._serve(connection, queue, tag, over)
        finally:
            self._consuming = False

    async def _serve(
        self,
        connection: AbstractConnection,
        queue: AbstractQueue,
        tag: str,
        over: asyncio.Event,
    ) -> None:
        """Until the server ends it, the queue stops serving us, or we stop."""
        watch = asyncio.create_task(
            watch_queue(connection, self._topology, self, self._check_seconds)
        )
        ended = asyncio.create_task(over.wait())
        stopped = asyncio.create_task(self._stopping.wait())
        try:
            await asyncio.wait({watch, ended, stopped}, return_when=asyncio.FIRST_COMPLETED)
            if watch.done():
                watch.result()
            if over.is_set():
                raise Unavailable("The broker ended the consumer")
            if self._stopping.is_set():
                self._consuming = False
                async with asyncio.timeout(_CANCEL_SECONDS):
                    await queue.cancel(tag)
                # The connection must stay for the acknowledgements.
                await self._finish()
        finally:
            await _end(watch, ended, stopped)

    async def _receive(self, message: AbstractIncomingMessage) -> None:
        # A task of ours: aiormq cancels its own when the channel closes.
        self._received += 1
        task = asyncio.create_task(self._handle(message))
        self._at_work.add(task)
        task.add_done_callback(self._at_work.discard)

    async def _handle(self, message: AbstractIncomingMessage) -> None:
        incoming = _incoming(message)
        try:
            handled = await self._handle_patiently(incoming)
        except Exception as error:  # noqa: BLE001 — the worker outlives every message
            _log.error("message_dead_lettered", message_id=incoming.message_id, exc_info=error)
            await self._answer(message.reject(requeue=False), "dead_lettered")
        else:
            if handled:
                await self._answer(message.ack(), "acked")
            else:
                await self._answer(message.reject(requeue=True), "given_back")

    async def _handle_patiently(self, incoming: Incoming) -> bool:
        """True when handled; False when we stop before it could be."""
        failures = 0
        while True:
            try:
                await self._handler(incoming)
            except Unavailable as error:
                failures += 1
                _log.warning(
                    "message_held",
                    message_id=incoming.message_id,
                    failures=failures,
                    error=str(error),
                )
                if await self._stops_within(self._hold.seconds(failures)):
                    return False
            else:
                return True

    async def _stops_within(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
        except TimeoutError:
            return False
        return True

    async def _answer(self, answer: Awaitable[None], outcome: str) -> None:
        try:
            with failures_mapped():
                await answer
        except Unavailable as error:
            # The connection is gone, and the message is back in the queue.
            _log.info("message_not_answered", outcome=outcome, error=str(error))
        else:
            MESSAGES.labels(outcome).inc()


def _incoming(message: AbstractIncomingMessage) -> Incoming:
    headers = {
        key: value for key, value in (message.headers or {}).items() if isinstance(value, str)
    }
    return Incoming(
        message_id=message.message_id or "",
        body=message.body,
        headers=headers,
        redelivered=bool(message.redelivered),
    )


async def _end(*tasks: asyncio.Task[object] | asyncio.Task[None]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
