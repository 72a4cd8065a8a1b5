"""The connection test of an SFTP server: what a delivery does, step by step.

Works under names that neither an ERP nor the sweeper looks at, and leaves nothing.
"""

import asyncio
import stat
import time
from collections.abc import Awaitable
from contextlib import suppress
from pathlib import PurePosixPath
from typing import TypeVar
from uuid import uuid4

import asyncssh

from countersign_export_worker.connectors.sftp_acks import ERROR, PROCESSED
from countersign_export_worker.connectors.sftp_errors import (
    SFTP_ERRORS,
    disk_full,
    sftp_errors_as_delivery_errors,
)
from countersign_export_worker.connectors.sftp_folder import SftpFolder
from countersign_export_worker.connectors.sftp_login import (
    AUTHENTICATE,
    CONNECT,
    HOST_KEY,
    RESOLVE,
    START_SFTP,
    SftpLogin,
)
from countersign_export_worker.connectors.sftp_session import SftpSession
from countersign_export_worker.connectors.sftp_settings import SftpSettings
from countersign_export_worker.errors import (
    DeliveryError,
    PermanentDeliveryError,
    TransientDeliveryError,
)
from countersign_export_worker.ports import CheckReport, CheckStep

_T = TypeVar("_T")
_PROBE = b"countersign connection test\n"
_LOGIN_STEPS = (RESOLVE, CONNECT, HOST_KEY, AUTHENTICATE, START_SFTP)
_TIDY_SECONDS = 5.0
# A file system's clock moves by ticks: a file may be said to be older than it is.
_TICK_SECONDS = 0.02


class SftpCheck:
    """One run of the test, over a connection of its own."""

    def __init__(self, login: SftpLogin, settings: SftpSettings) -> None:
        self._login = login
        self._settings = settings
        self._written = f".countersign-test.{uuid4()}.tmp"
        self._renamed = f"{self._written}.renamed"
        self._steps: list[CheckStep] = []
        self._capabilities: dict[str, str] = {}
        self._write_began = 0.0
        self._clock_difference_ms = 0.0

    async def run(self) -> CheckReport:
        """Every step up to the first failure."""
        try:
            session = await self._log_in()
            try:
                with sftp_errors_as_delivery_errors(str(self._settings)):
                    await self._work(session)
            finally:
                session.abort()
        except DeliveryError as error:
            return self._report(error)
        return self._report(None)

    async def _log_in(self) -> SftpSession:
        begun = time.perf_counter()
        try:
            return await SftpSession.open(self._login, self._note_done)
        except DeliveryError as error:
            # The step that did not end is the one after the last that did.
            self._note(_LOGIN_STEPS[len(self._steps)], begun, error.message, ok=False)
            raise

    async def _work(self, session: SftpSession) -> None:
        final = await self._step(
            "find_folder", self._find(session, self._settings.options.export_path)
        )
        temporary = await session.folder(self._settings.options.temporary_path)
        try:
            if temporary is not final:
                await temporary.make(self._settings.options.folder_mode)
            await self._deliver(session, temporary, final)
            await self._look_around(session, final)
            if self._settings.options.ack_path is not None:
                await self._step("answers", self._answers(session, self._settings.options.ack_path))
        finally:
            with suppress(TimeoutError, *SFTP_ERRORS):
                async with asyncio.timeout(_TIDY_SECONDS):
                    await temporary.remove(self._written)
                    await final.remove(self._renamed)

    async def _deliver(
        self, session: SftpSession, temporary: SftpFolder, final: SftpFolder
    ) -> None:
        file = await self._step("write", self._write(session, temporary))
        try:
            await self._step("fsync", self._sync(file))
            self._clock_difference_ms = _difference_ms(await file.stat(), self._write_began)
        finally:
            await file.close()
        await self._step("rename", self._rename(session, temporary, final))
        await self._step("read_back", self._read_back(final))
        await self._step("delete", final.remove(self._renamed))

    async def _find(self, session: SftpSession, path: PurePosixPath) -> SftpFolder:
        folder = await session.folder(path)
        attributes = await session.client.stat(folder.path)
        if attributes.permissions is not None and not stat.S_ISDIR(attributes.permissions):
            raise PermanentDeliveryError("PATH_NOT_A_FOLDER", f"{folder.path} is not a folder.")
        return folder

    async def _write(self, session: SftpSession, folder: SftpFolder) -> asyncssh.SFTPClientFile:
        self._write_began = time.time()
        try:
            file = await session.client.open(
                folder.at(self._written),
                asyncssh.FXF_WRITE | asyncssh.FXF_CREAT | asyncssh.FXF_EXCL,
                asyncssh.SFTPAttrs(permissions=self._settings.options.file_mode),
                encoding=None,
            )
            await file.write(_PROBE)
        except asyncssh.SFTPFailure as error:
            if not await folder.has_room_for(len(_PROBE)):
                raise disk_full(str(self._settings)) from error
            raise
        return file

    async def _sync(self, file: asyncssh.SFTPClientFile) -> str:
        try:
            await file.fsync()
        except asyncssh.SFTPOpUnsupported:
            self._capabilities["fsync"] = "false"
            return "The server does not offer it."
        self._capabilities["fsync"] = "true"
        return ""

    async def _rename(self, session: SftpSession, temporary: SftpFolder, final: SftpFolder) -> None:
        atomic = await session.has_posix_rename(temporary)
        rename = session.client.posix_rename if atomic else session.client.rename
        await rename(temporary.at(self._written), final.at(self._renamed))
        self._capabilities["posix_rename"] = _text(atomic)

    async def _read_back(self, folder: SftpFolder) -> None:
        if await folder.read(self._renamed, limit=len(_PROBE)) != _PROBE:
            raise TransientDeliveryError("IO_ERROR", "Something else was read than was written.")

    async def _look_around(self, session: SftpSession, folder: SftpFolder) -> None:
        # SFTP has no way to sync a folder: a rename is on disk when the server's system says so.
        self._capabilities["folder_fsync"] = "false"
        try:
            await session.client.statvfs(folder.path)
        except asyncssh.SFTPError:
            self._capabilities["statvfs"] = "false"
        else:
            self._capabilities["statvfs"] = "true"

    async def _answers(self, session: SftpSession, path: PurePosixPath) -> None:
        folder = await session.folder(path)
        async for _ in folder.entries():
            break
        # Answers are moved away, for which the folder itself must be ours to change.
        for name in (PROCESSED, ERROR):
            await SftpFolder(session.client, folder.at(name)).make(
                self._settings.options.folder_mode
            )
        await session.client.mkdir(folder.at(self._written))
        await session.client.rmdir(folder.at(self._written))

    async def _step(self, name: str, act: Awaitable[_T]) -> _T:
        begun = time.perf_counter()
        try:
            with sftp_errors_as_delivery_errors(str(self._settings)):
                async with asyncio.timeout(self._settings.transfer_timeout):
                    result = await act
        except DeliveryError as error:
            self._note(name, begun, error.message, ok=False)
            raise
        self._note(name, begun, result if isinstance(result, str) else "")
        return result

    def _note(self, name: str, begun: float, detail: str, *, ok: bool = True) -> None:
        self._steps.append(CheckStep(name, ok, detail, (time.perf_counter() - begun) * 1000))

    def _note_done(self, name: str, seconds: float) -> None:
        self._steps.append(CheckStep(name, ok=True, detail="", duration_ms=seconds * 1000))

    def _report(self, failure: DeliveryError | None) -> CheckReport:
        return CheckReport(
            ok=failure is None,
            failure="" if failure is None else failure.code,
            message="" if failure is None else failure.message,
            steps=tuple(self._steps),
            capabilities=self._capabilities,
            clock_difference_ms=self._clock_difference_ms,
        )


def _difference_ms(attributes: asyncssh.SFTPAttrs, write_began: float) -> float:
    """How far the server's clock is ahead; SFTP tells whole seconds, so 0 up to one second."""
    if attributes.mtime is None:
        return 0.0
    earliest, latest = attributes.mtime, attributes.mtime + 1.0
    if latest + _TICK_SECONDS < write_began:
        return (latest - write_began) * 1000
    return max(0.0, earliest - time.time()) * 1000


def _text(value: bool) -> str:
    return "true" if value else "false"
