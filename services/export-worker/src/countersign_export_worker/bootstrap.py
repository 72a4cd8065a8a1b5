"""The one place that builds what the worker is made of."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Protocol

import grpc.aio
import structlog

from countersign_export_worker.ack_poller import AckPoller
from countersign_export_worker.connection_tests import ConnectionTests
from countersign_export_worker.connector_announcer import ConnectorAnnouncer
from countersign_export_worker.connectors.access import Connectors
from countersign_export_worker.connectors.idle import IdleConnectors
from countersign_export_worker.connectors.registry import (
    ConnectorRegistry,
    OpenConnector,
    installed_connectors,
)
from countersign_export_worker.desk import DeliveryDesk
from countersign_export_worker.document_check import DocumentCheck
from countersign_export_worker.health_reports import HealthReports
from countersign_export_worker.intake.broker_intake import BrokerIntake
from countersign_export_worker.intake.poll_intake import PollIntake
from countersign_export_worker.ports import WorkPort
from countersign_export_worker.settings import WorkerSettings
from countersign_export_worker.slots import Slots
from countersign_export_worker.sweeper import Sweeper
from countersign_export_worker.work_client import WorkClient
from countersign_platform.auth.service_token import ServiceToken
from countersign_platform.probes import ProbeServer
from countersign_platform.rpc.channel import open_channel

_log = structlog.get_logger()


class Intake(Protocol):
    """One of the two wake-up calls."""

    @property
    def is_ready(self) -> bool:
        """Whether it can be woken."""

    def stop(self) -> None:
        """Take nothing more in hand."""

    async def run(self) -> None:
        """Until stopped and done, or cancelled."""


class Round(Protocol):
    """What a worker does beside delivering."""

    async def run(self) -> None:
        """Until cancelled."""


class Worker:
    """The running worker: `start` once, `stop` once."""

    def __init__(
        self,
        *,
        settings: WorkerSettings,
        channel: grpc.aio.Channel,
        client: WorkClient,
        registry: ConnectorRegistry,
        slots: Slots,
        intake: Intake,
        rounds: tuple[Round, ...],
    ) -> None:
        self._settings = settings
        self._channel = channel
        self._client = client
        self._registry = registry
        self._slots = slots
        self._intake = intake
        self._rounds = rounds
        self._probes = ProbeServer(settings.probe_listen, self._ready)
        self._working: asyncio.Task[None] | None = None
        self._making_rounds: list[asyncio.Task[None]] = []

    async def start(self) -> int:
        """Work; answers with the probes' port."""
        self._working = asyncio.create_task(self._intake.run())
        self._making_rounds = [asyncio.create_task(each.run()) for each in self._rounds]
        return await self._probes.start()

    async def stop(self) -> None:
        """Take nothing more, finish what is begun within drain_seconds, give back the rest."""
        self._intake.stop()
        self._slots.close()
        await self._end(*self._making_rounds)
        if self._working is not None:
            _, late = await asyncio.wait({self._working}, timeout=self._settings.drain_seconds)
            if late:
                _log.warning("deliveries_cut_short", count=self._slots.in_hand)
            await self._end(self._working)
        await self._registry.aclose()
        await self._channel.close()
        await self._probes.stop()

    async def run_until(self, stop: asyncio.Event) -> None:
        """Return when `stop` is set; raise what ended the intake, if it ends before."""
        assert self._working is not None
        stopped = asyncio.create_task(stop.wait())
        await asyncio.wait({self._working, stopped}, return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        if self._working.done():
            await self._working

    async def _ready(self) -> Mapping[str, bool]:
        return {
            "push": self._client.reachable is True,
            "intake": self._intake.is_ready,
        }

    async def _end(self, *tasks: asyncio.Task[None]) -> None:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _unchanged_work(work: WorkPort) -> WorkPort:
    return work


def _unchanged_connector(open_connector: OpenConnector) -> OpenConnector:
    return open_connector


async def build(
    settings: WorkerSettings,
    *,
    wrap_work: Callable[[WorkPort], WorkPort] = _unchanged_work,
    wrap_connector: Callable[[OpenConnector], OpenConnector] = _unchanged_connector,
) -> Worker:
    """The worker, not working yet. Tests wrap its two ports, to break it at chosen steps."""
    loop = asyncio.get_running_loop()
    channel = open_channel(
        settings.push_target, token=ServiceToken(settings.service_token_file).value
    )
    installed = installed_connectors()
    client = WorkClient(channel, settings.worker_id, sorted(installed))
    work = wrap_work(client)
    registry = ConnectorRegistry(
        {name: wrap_connector(each.open_connector) for name, each in installed.items()}
    )
    health = HealthReports(work)
    connectors = Connectors(
        registry,
        clock=loop.time,
        seconds=settings.operation_timeout_seconds,
        on_breaker=health.note,
    )
    slots = Slots(settings.concurrency, settings.connection_concurrency)
    desk = DeliveryDesk(work, connectors=connectors, slots=slots, check_document=DocumentCheck())
    return Worker(
        settings=settings,
        channel=channel,
        client=client,
        registry=registry,
        slots=slots,
        intake=_intake(settings, desk, slots),
        rounds=(
            ConnectionTests(work, connectors, wait_seconds=settings.claim_wait_seconds),
            Sweeper(work, connectors, seconds=settings.sweep_interval_seconds),
            AckPoller(work, connectors, seconds=settings.ack_ask_seconds),
            ConnectorAnnouncer(work, installed),
            IdleConnectors(registry, seconds=settings.connector_idle_seconds),
            health,
        ),
    )


def _intake(settings: WorkerSettings, desk: DeliveryDesk, slots: Slots) -> Intake:
    if settings.broker_url is not None:
        return BrokerIntake(
            settings.broker_url.get_secret_value(), desk, prefetch=settings.prefetch
        )
    return PollIntake(desk, slots, wait_seconds=settings.claim_wait_seconds)
