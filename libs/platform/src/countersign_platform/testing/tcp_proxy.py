"""A network that can be broken on command, between a client and a server of a test."""

import asyncio
import contextlib
import socket
import struct
from types import TracebackType
from typing import Self

from countersign_platform.testing.ports import HOST

_CHUNK_BYTES = 16 * 1024
# Linger on, for no time: closing the socket then resets the connection.
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class TcpProxy:
    """Forwards connections to `port` on this machine until it is told otherwise.

    `delay_seconds` holds back every chunk. `stall` lets connections come in and says nothing
    more; `cut` ends those there are; `cut_after` ends them once so much was sent; `forget_server`
    and `forget_client` leave them half open.
    """

    def __init__(self, port: int) -> None:
        self._target = port
        self._server: asyncio.Server | None = None
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._pairs: dict[asyncio.Task[None], tuple[asyncio.StreamWriter, ...]] = {}
        self._half_open: set[asyncio.StreamWriter] = set()
        self._left: int | None = None
        self._counting_replies = False
        self.delay_seconds = 0.0
        self.accepted = 0

    @property
    def port(self) -> int:
        """Where clients connect."""
        assert self._server is not None
        return int(self._server.sockets[0].getsockname()[1])

    @property
    def connected(self) -> int:
        """How many connections are open."""
        return len(self._pairs)

    def stall(self) -> None:
        """Forward nothing any more: the far end of a cable that was pulled."""
        self._flowing.clear()

    def resume(self) -> None:
        """Forward again, what came meanwhile included."""
        self._flowing.set()

    def cut(self) -> None:
        """Reset every connection that is open."""
        for writers in self._pairs.values():
            for writer in writers:
                _reset(writer)

    def forget_server(self) -> None:
        """End every connection at the server alone: clients hear nothing, ever."""
        self._forget(kept=0, ended=1)

    def forget_client(self) -> None:
        """The same the other way round: servers hear nothing, ever."""
        self._forget(kept=1, ended=0)

    def cut_half_open(self) -> None:
        """Reset what `forget_server` and `forget_client` have left."""
        for writer in list(self._half_open):
            _reset(writer)

    def cut_after(self, count: int, *, replies: bool = False) -> None:
        """Reset every connection, once, when `count` more bytes came from clients.

        `replies`: from the server. What reaches the count is not forwarded.
        """
        self._left = count
        self._counting_replies = replies

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, HOST, 0)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._server is not None
        self._server.close()
        self.cut()
        for task in list(self._pairs):
            task.cancel()
        await asyncio.gather(*self._pairs, return_exceptions=True)

    async def _accept(self, near: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        self.accepted += 1
        task = asyncio.current_task()
        assert task is not None
        self._pairs[task] = (back,)
        with contextlib.suppress(OSError, asyncio.CancelledError):
            await self._flowing.wait()
            far, forth = await asyncio.open_connection(HOST, self._target)
            self._pairs[task] = (back, forth)
            await asyncio.gather(self._pump(near, forth), self._pump(far, back, replies=True))
        for writer in self._pairs.pop(task):
            self._half_open.discard(writer)
            writer.transport.abort()

    def _forget(self, *, kept: int, ended: int) -> None:
        for writers in self._pairs.values():
            if len(writers) > max(kept, ended):
                self._half_open.add(writers[kept])
                _reset(writers[ended])

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, replies: bool = False
    ) -> None:
        while data := await self._read(reader, writer):
            if writer.is_closing():
                continue  # half open: what comes goes nowhere
            await self._flowing.wait()
            if self.delay_seconds:
                await asyncio.sleep(self.delay_seconds)
            if replies is self._counting_replies and self._is_enough(len(data)):
                self.cut()
                return
            with contextlib.suppress(ConnectionError):
                writer.write(data)
                await writer.drain()
        if writer not in self._half_open:
            writer.transport.abort()

    async def _read(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        try:
            return await reader.read(_CHUNK_BYTES)
        except OSError:
            if writer in self._half_open:
                return b""
            raise

    def _is_enough(self, count: int) -> bool:
        if self._left is None:
            return False
        self._left -= count
        if self._left > 0:
            return False
        self._left = None
        return True


def _reset(writer: asyncio.StreamWriter) -> None:
    if not writer.is_closing():
        connection = writer.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
    writer.transport.abort()
