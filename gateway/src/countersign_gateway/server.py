"""uvicorn inside our own process: our signals, our sockets, our logs."""

import asyncio
import contextlib
import socket
from collections.abc import Iterator

import uvicorn
from starlette.types import ASGIApp

_BACKLOG = 2048
_IDLE_CONNECTION_SECONDS = 75


class HttpServer:
    """`start` listens; `stop` lets requests in flight finish, `drain_seconds` at the most."""

    def __init__(self, app: ASGIApp, listen: str, *, drain_seconds: float) -> None:
        self._listen = listen
        config = uvicorn.Config(
            app,
            http="httptools",
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="warning",
            access_log=False,
            # X-Forwarded-For is read by us, from trusted proxies only.
            proxy_headers=False,
            server_header=False,
            backlog=_BACKLOG,
            # Longer than a load balancer's, so that it is never us who hang up on a request.
            timeout_keep_alive=_IDLE_CONNECTION_SECONDS,
            timeout_graceful_shutdown=max(1, round(drain_seconds)),
        )
        self._server = _Server(config)
        self._serving: asyncio.Task[None] | None = None

    async def start(self) -> int:
        """Listens; the port that was bound."""
        bound = _bind(self._listen)
        port = int(bound.getsockname()[1])
        self._serving = asyncio.create_task(self._server.serve(sockets=[bound]))
        listening = asyncio.create_task(self._server.listening.wait())
        await asyncio.wait({self._serving, listening}, return_when=asyncio.FIRST_COMPLETED)
        listening.cancel()
        if self._serving.done():
            self._serving.result()
        return port

    async def stop(self) -> None:
        """Takes no more connections and waits for the requests in flight."""
        serving, self._serving = self._serving, None
        if serving is not None:
            self._server.should_exit = True
            await serving


class _Server(uvicorn.Server):
    """Says when it listens, and leaves signals to the process."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()


def _bind(listen: str) -> socket.socket:
    host, _, port = listen.rpartition(":")
    address = (host.strip("[]"), int(port))
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    return socket.create_server(address, family=family, backlog=_BACKLOG)
