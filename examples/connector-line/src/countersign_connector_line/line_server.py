"""An ERP that speaks the line protocol, for tests."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

HOST = "127.0.0.1"


class LineServer:
    """Keeps every document that reached it; `mode` says what it does then."""

    def __init__(self) -> None:
        self.received: list[tuple[str, bytes]] = []
        self.mode = "accept"
        self.port = 0
        self._server: asyncio.Server | None = None
        self._sessions: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Listen, on the same port as before if there was one."""
        self._server = await asyncio.start_server(self._serve, HOST, self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Cut every connection."""
        if self._server is not None:
            self._server.close()
        for session in self._sessions:
            session.cancel()
        await asyncio.gather(*self._sessions, return_exceptions=True)

    @asynccontextmanager
    async def away(self) -> AsyncIterator[None]:
        """While it is entered, nothing listens."""
        await self.stop()
        try:
            yield
        finally:
            await self.start()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        session = asyncio.current_task()
        assert session is not None
        self._sessions.add(session)
        try:
            with suppress(OSError, EOFError, asyncio.CancelledError):
                await self._answer(reader, writer)
        finally:
            self._sessions.discard(session)
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        words = (await reader.readuntil(b"\n")).decode().split()
        match words:
            case ["PUT", export_id, length]:
                answer = await self._take(export_id, await reader.readexactly(int(length)))
            case ["ASK", export_id]:
                answer = "YES" if export_id in dict(self.received) else "NO"
            case _:
                answer = "HELLO"
        writer.write(f"{answer}\n".encode())
        await writer.drain()

    async def _take(self, export_id: str, document: bytes) -> str:
        self.received.append((export_id, document))
        if self.mode == "swallow":
            await asyncio.Event().wait()
        return "OK" if self.mode == "accept" else "NO unknown customer"
