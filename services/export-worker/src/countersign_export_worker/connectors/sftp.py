"""A dropzone on an SFTP server.

Several deliveries use a few connections (see sftp_pool), each of them for one operation at a
time; small files that wait at the same time are one operation. A connection that turns out dead
at its first use after a rest is replaced once; every step bears being carried out twice (see
ErpConnectorPort). Importing this module loads asyncssh, a third of a second: only who opens such
a connection does.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import TypeVar

from countersign_export_worker.connectors.sftp_acks import ERROR, PROCESSED, file_ack, read_acks
from countersign_export_worker.connectors.sftp_check import SftpCheck
from countersign_export_worker.connectors.sftp_drop import SftpDrop
from countersign_export_worker.connectors.sftp_errors import (
    LOST,
    sftp_errors_as_delivery_errors,
)
from countersign_export_worker.connectors.sftp_login import SftpLogin
from countersign_export_worker.connectors.sftp_pool import SftpPool
from countersign_export_worker.connectors.sftp_session import SftpSession
from countersign_export_worker.connectors.sftp_settings import SftpSettings
from countersign_export_worker.errors import DeliveryError
from countersign_export_worker.file_names import DropName
from countersign_export_worker.ports import AckFile, CheckReport, Whereabouts
from countersign_platform.turns import SMALL_BYTES, turns

_T = TypeVar("_T")
# For what goes around a login and a transfer: a slot in the pool, the tidying after an error.
_MARGIN_SECONDS = 10.0


class SftpConnector:
    """ErpConnectorPort over SFTP."""

    is_direct = False

    def __init__(self, settings: SftpSettings) -> None:
        self._settings = settings
        self._login = SftpLogin(settings.server)
        self._pool = SftpPool(self._login, limit=settings.connections)
        self._stages = turns(self._stage_alone, self._stage_together)
        self._publishes = turns(self._publish_alone, self._publish_together)

    @property
    def patience_seconds(self) -> float:
        """See ConnectorPort: a login and a transfer, each of which ends by itself before."""
        settings = self._settings
        return settings.server.connect_timeout + settings.transfer_timeout + _MARGIN_SECONDS

    async def stage(self, name: DropName, document: bytes) -> DropName:
        """See ErpConnectorPort; small files that are staged at the same time share a connection."""
        try:
            if len(document) > SMALL_BYTES:
                return await self._stage_alone((name, document))
            return await self._stages.ask((name, document))
        except DeliveryError:
            # Before the caller hears of it: a late removal could hit a file staged anew.
            await self._tidy(name)
            raise

    async def publish(self, staged: DropName) -> None:
        """See ErpConnectorPort; likewise."""
        await self._publishes.ask(staged)

    async def withdraw(self, staged: DropName) -> None:
        """See ErpConnectorPort."""
        await self._drop(lambda drop: drop.withdraw(staged))

    async def trace(self, staged: DropName) -> Whereabouts:
        """See ErpConnectorPort."""
        return await self._drop(lambda drop: drop.trace(staged))

    async def discard(self, name: DropName) -> None:
        """See ErpConnectorPort."""
        await self._drop(lambda drop: drop.discard(name))

    async def list_leftovers(self) -> Sequence[DropName]:
        """See ErpConnectorPort."""
        return await self._drop(lambda drop: drop.list_leftovers())

    async def test_connection(self) -> CheckReport:
        """See ErpConnectorPort; over a connection of its own, so that every step is taken."""
        return await SftpCheck(self._login, self._settings).run()

    async def poll_acks(self) -> Sequence[AckFile]:
        """See ErpConnectorPort."""
        path = self._settings.options.ack_path
        if path is None:
            return ()

        async def read(session: SftpSession) -> Sequence[AckFile]:
            return await read_acks(await session.folder(path), self._settings.options.ack_mode)

        return await self._run(read)

    async def file_ack(self, ack: AckFile, *, understood: bool) -> None:
        """See ErpConnectorPort."""
        path = self._settings.options.ack_path
        if path is None:
            return

        async def move(session: SftpSession) -> None:
            await file_ack(
                session.client,
                await session.folder(path),
                ack.name,
                into=PROCESSED if understood else ERROR,
                mode=self._settings.options.folder_mode,
            )

        await self._run(move)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._pool.aclose()

    async def _stage_alone(self, file: tuple[DropName, bytes]) -> DropName:
        return await self._drop(lambda drop: drop.stage(*file))

    async def _stage_together(
        self, files: Sequence[tuple[DropName, bytes]]
    ) -> Sequence[DropName | Exception]:
        return await self._drop(lambda drop: drop.stage_all(files))

    async def _publish_alone(self, staged: DropName) -> None:
        await self._drop(lambda drop: drop.publish(staged))

    async def _publish_together(self, staged: Sequence[DropName]) -> Sequence[Exception | None]:
        return await self._drop(lambda drop: drop.publish_all(staged))

    async def _tidy(self, name: DropName) -> None:
        """Remove what an error left of a staged file, if the server can be reached now."""
        with suppress(DeliveryError, TimeoutError):
            async with asyncio.timeout(self._settings.server.connect_timeout):
                await self._drop(lambda drop: drop.remove_part(name))

    async def _drop(self, act: Callable[[SftpDrop], Awaitable[_T]]) -> _T:
        async def on_session(session: SftpSession) -> _T:
            return await act(await SftpDrop.reach(session, self._settings))

        return await self._run(on_session)

    async def _run(self, act: Callable[[SftpSession], Awaitable[_T]]) -> _T:
        with sftp_errors_as_delivery_errors(str(self._settings)):
            return await self._on_a_connection(act)

    async def _on_a_connection(self, act: Callable[[SftpSession], Awaitable[_T]]) -> _T:
        reused = False
        try:
            async with self._pool.session() as session:
                reused = session.reused
                return await self._in_time(act(session))
        except LOST:
            if not reused:
                raise
        # The server closed it while it rested: the others that rest are no better.
        self._pool.forget_idle()
        async with self._pool.session() as session:
            return await self._in_time(act(session))

    async def _in_time(self, work: Awaitable[_T]) -> _T:
        async with asyncio.timeout(self._settings.transfer_timeout):
            return await work
