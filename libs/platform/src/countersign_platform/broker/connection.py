"""Plain connections under our own supervision.

aio-pika's RobustConnection restores what it remembers, ignores a server that cancels a
consumer, and can wait for ever after a disconnect: a worker that lives and consumes nothing.
Here a connection that broke is dropped, and everything on it is made anew.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager

import aio_pika
import structlog
from aio_pika.abc import AbstractConnection, TimeoutType
from aio_pika.exceptions import AMQPError
from pamqp.exceptions import PAMQPException

from countersign_core.errors import Unavailable
from countersign_platform.backoff import Backoff
from countersign_platform.broker.metrics import CONNECTED

_log = structlog.get_logger(__name__)

_CONNECT_SECONDS = 10.0
_CLOSE_SECONDS = 5.0
# Both sides give a silent peer up after about this long.
_HEARTBEAT_SECONDS = 15

Session = Callable[[AbstractConnection], Awaitable[None]]

# aiormq raises RuntimeError for states it does not expect, such as a closed writer, and
# StopAsyncIteration when the peer is gone before the next frame of the opening; a timeout is an
# OSError.
_AWAY = (AMQPError, PAMQPException, OSError, RuntimeError, StopAsyncIteration)


class _Connection(aio_pika.Connection):
    """One that is closed when it could not be opened; aio-pika leaves that to the collector."""

    async def connect(self, timeout: TimeoutType = None) -> None:  # noqa: ASYNC109 — its signature
        try:
            await super().connect(timeout)
        except BaseException:
            await self.close()
            raise


@contextmanager
def failures_mapped() -> Iterator[None]:
    """Raise Unavailable for whatever says that the broker, or the way to it, is not in order."""
    try:
        yield
    except Unavailable:
        raise
    except Exception as error:
        if not _is_away(error):
            raise
        raise Unavailable(f"The broker is not available: {error!r}") from error


def heed_cancellation() -> None:
    """Call it after calls of the library; what it says of a cancelled task is not to be used.

    aiormq loses a cancellation that reaches it while a channel closes: the call returns as if
    nothing were, and a task that goes on from there would never end.

    Raises:
        asyncio.CancelledError: the task was cancelled, and nobody has told it.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


@asynccontextmanager
async def open_connection(url: str, name: str) -> AsyncIterator[AbstractConnection]:
    """A connection, closed at the end. `name` is what the broker shows for it.

    Raises:
        Unavailable: no connection within ten seconds.
    """
    connection = await connect(url, name)
    try:
        yield connection
    finally:
        await close(connection)


async def connect(url: str, name: str) -> AbstractConnection:
    """As `open_connection`, for an owner that closes it by `close`."""
    with failures_mapped():
        connection = await aio_pika.connect(
            url,
            timeout=_CONNECT_SECONDS,
            connection_class=_Connection,
            heartbeat=_HEARTBEAT_SECONDS,
            client_properties={"connection_name": name},
        )
    CONNECTED.labels(name).set(1)
    connection.close_callbacks.add(lambda *_: CONNECTED.labels(name).set(0))
    return connection


async def close(connection: AbstractConnection) -> None:
    """Close, in good order where the broker still answers, within five seconds."""
    try:
        async with asyncio.timeout(_CLOSE_SECONDS):
            await connection.close()
    except Exception as error:
        if not _is_away(error):
            raise
        _log.info("broker_connection_not_closed_in_order", error=repr(error))
        # Its transport is gone by now: this only says so.
        await connection.close()


async def supervise(url: str, name: str, session: Session, backoff: Backoff) -> None:
    """Run `session` on a fresh connection, and again whenever it ends. Until cancelled.

    A session ends by returning, which means that its connection is of no more use, or by
    Unavailable. It shall not swallow cancellation.
    """
    failures = 0
    loop = asyncio.get_running_loop()
    while True:
        started = loop.time()
        try:
            async with open_connection(url, name) as connection:
                _log.info("broker_connected", connection=name)
                with failures_mapped():
                    await session(connection)
        except Unavailable as error:
            _log.warning("broker_session_ended", connection=name, error=str(error))
        # A session that lasted was a success, whatever ended it.
        lasted = loop.time() - started > backoff.longest_seconds
        failures = 1 if lasted else failures + 1
        await asyncio.sleep(backoff.seconds(failures))


def _is_away(error: Exception) -> bool:
    # aiormq raises a bare Exception in a call whose connection ends for a reason it does not know.
    return isinstance(error, _AWAY) or type(error) is Exception
