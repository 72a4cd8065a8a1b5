"""Connections that one end knows nothing of."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from countersign_platform.testing.ports import HOST
from countersign_platform.testing.tcp_proxy import TcpProxy


class Echo:
    """A server that says everything twice over, and counts who has left."""

    def __init__(self) -> None:
        self.gone = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(100):
                writer.write(data)
        except ConnectionError:
            pass
        self.gone.set()
        writer.close()


@pytest.fixture
async def echo() -> Echo:
    return Echo()


@pytest.fixture
async def proxy(echo: Echo) -> AsyncIterator[TcpProxy]:
    server = await asyncio.start_server(echo.serve, HOST, 0)
    async with server, TcpProxy(server.sockets[0].getsockname()[1]) as opened:
        yield opened


async def greet(proxy: TcpProxy) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection(HOST, proxy.port)
    writer.write(b"hello")
    assert await reader.readexactly(5) == b"hello"
    return reader, writer


async def test_a_client_is_not_told_that_its_server_is_gone(echo: Echo, proxy: TcpProxy) -> None:
    """The server's end is reset; what the client writes goes nowhere, and nothing comes."""
    reader, writer = await greet(proxy)
    proxy.forget_server()
    async with asyncio.timeout(60):
        await echo.gone.wait()
    writer.write(b"are you there?")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await reader.read(1)
    _, other = await greet(proxy)
    other.close()
    writer.close()


async def test_a_server_is_not_told_that_its_client_is_gone(echo: Echo, proxy: TcpProxy) -> None:
    """The client's end is reset; the server hears of it when the half-open ends are cut."""
    reader, writer = await greet(proxy)
    proxy.forget_client()
    with pytest.raises(ConnectionError):
        await reader.readexactly(1)
    assert not echo.gone.is_set()
    proxy.cut_half_open()
    async with asyncio.timeout(60):
        await echo.gone.wait()
    writer.close()
