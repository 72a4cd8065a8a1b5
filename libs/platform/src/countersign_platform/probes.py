"""What the platform asks a process over HTTP: is it alive, is it ready, what are its figures."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

import structlog
from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

READY_TIMEOUT_SECONDS = 5.0

Ready = Callable[[], Awaitable[Mapping[str, bool]]]

_log = structlog.get_logger(__name__)


class ProbeServer:
    """Serves /metrics, /healthz and /readyz on `listen` ("host:port").

    `ready` answers what this process needs and whether it has it, for example
    `{"database": True, "broker": False}`; without it the process is ready once it serves.
    """

    def __init__(self, listen: str, ready: Ready | None = None) -> None:
        self._host, _, port = listen.rpartition(":")
        self._port = int(port)
        self._ready = ready
        self._runner: web.AppRunner | None = None

    async def start(self) -> int:
        """Begins to serve; the port that was bound."""
        app = web.Application()
        app.router.add_get("/metrics", _metrics)
        app.router.add_get("/healthz", _healthz)
        app.router.add_get("/readyz", self._readyz)
        runner = web.AppRunner(app, access_log=None, handle_signals=False)
        await runner.setup()
        site = web.TCPSite(runner, self._host.strip("[]"), self._port)
        await site.start()
        self._runner = runner
        port = int(runner.addresses[0][1])
        _log.info("probes_started", port=port)
        return port

    async def stop(self) -> None:
        """Stops serving."""
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()

    async def _readyz(self, _request: web.Request) -> web.Response:
        state = await self._state()
        missing = sorted(name for name, has in state.items() if not has)
        body = {"ready": not missing, "not_ready": missing}
        return web.json_response(body, status=503 if missing else 200)

    async def _state(self) -> Mapping[str, bool]:
        if self._ready is None:
            return {}
        try:
            async with asyncio.timeout(READY_TIMEOUT_SECONDS):
                return await self._ready()
        except TimeoutError:
            return {"check_in_time": False}
        except Exception as error:  # noqa: BLE001 — a check that fails means not ready
            _log.warning("ready_check_failed", exc_info=error)
            return {"check": False}


async def _metrics(_request: web.Request) -> web.Response:
    return web.Response(body=generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})


async def _healthz(_request: web.Request) -> web.Response:
    return web.Response(text="ok\n")
