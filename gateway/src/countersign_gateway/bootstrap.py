"""The one place that builds the gateway's parts."""

import asyncio
from collections.abc import Mapping

import structlog

from countersign_gateway.app import build_app
from countersign_gateway.server import HttpServer
from countersign_gateway.services import Services, open_services
from countersign_gateway.settings import GatewaySettings
from countersign_platform.auth.verifier import TokenVerifier
from countersign_platform.probes import ProbeServer

_log = structlog.get_logger(__name__)


class Service:
    """The gateway with everything it needs; `start`, and `stop` at the end."""

    def __init__(self, settings: GatewaySettings, services: Services) -> None:
        self._services = services
        self._drain = asyncio.Event()
        self._verifier = TokenVerifier.from_settings(settings)
        app = build_app(settings, services, self._verifier, self.ready, self._drain)
        self._server = HttpServer(app, settings.listen, drain_seconds=settings.drain_seconds)
        self._probes = ProbeServer(settings.probe_listen, self.ready)
        self.port = 0
        self.probe_port = 0

    async def start(self) -> int:
        """Listens; the port that was bound."""
        self.port = await self._server.start()
        self.probe_port = await self._probes.start()
        _log.info("gateway_started", port=self.port, probe_port=self.probe_port)
        return self.port

    async def stop(self) -> None:
        """Drains: not ready, event streams end, requests in flight finish."""
        self._drain.set()
        await self._server.stop()
        await self._services.close()
        await self._probes.stop()
        _log.info("gateway_stopped")

    async def ready(self) -> Mapping[str, bool]:
        """Whether tokens can be verified, and requests are still taken."""
        return {
            "token_keys": await self._verifier.ready(),
            "not_draining": not self._drain.is_set(),
        }


async def build(settings: GatewaySettings) -> Service:
    """The gateway, not started yet."""
    return Service(settings, open_services(settings))
