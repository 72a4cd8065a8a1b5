"""One connection to an SFTP server, in the hands of one operation at a time."""

import time
from pathlib import PurePosixPath

import asyncssh

from countersign_export_worker.connectors.sftp_errors import NOT_THERE
from countersign_export_worker.connectors.sftp_folder import SftpFolder
from countersign_export_worker.connectors.sftp_login import NoteStep, SftpLogin

# Never made by anybody, so that renaming it shows what the server thinks of the request.
_NO_SUCH_NAME = ".countersign-no-such-file"


class SftpSession:
    """A connection with what is known about the server through it."""

    def __init__(
        self, connection: asyncssh.SSHClientConnection, client: asyncssh.SFTPClient
    ) -> None:
        self._connection = connection
        self.client = client
        self.reused = False
        self.idle_since = time.monotonic()
        # What a folder said that it is when somebody last asked, by path; to be checked.
        self.places: dict[str, str] = {}
        self._folders: dict[PurePosixPath, SftpFolder] = {}
        self._posix_rename: bool | None = None

    @classmethod
    async def open(
        cls, login: SftpLogin, note: NoteStep = lambda _name, _seconds: None
    ) -> "SftpSession":
        """Log in; raises as SftpLogin.open."""
        return cls(*await login.open(note))

    @property
    def alive(self) -> bool:
        """False once this side knows that the connection has ended."""
        return not self._connection.is_closed()

    async def folder(self, path: PurePosixPath) -> SftpFolder:
        """The folder that `path` leads to, found out once: links on the way count only then."""
        known = self._folders.get(path)
        if known is None:
            known = SftpFolder(self.client, str(await self.client.realpath(str(path))))
            self._folders[path] = known
        return known

    async def has_posix_rename(self, folder: SftpFolder) -> bool:
        """Whether renames are one atomic step; False too when the server's answer is odd."""
        if self._posix_rename is None:
            missing = folder.at(_NO_SUCH_NAME)
            try:
                await self.client.posix_rename(missing, missing)
            except NOT_THERE:
                self._posix_rename = True
            except (
                asyncssh.SFTPOpUnsupported,
                asyncssh.SFTPPermissionDenied,
                asyncssh.SFTPFailure,
            ):
                self._posix_rename = False
        return bool(self._posix_rename)

    def abort(self) -> None:
        """End it at once."""
        self._connection.abort()

    async def aclose(self) -> None:
        """Say good-bye and end it."""
        self._connection.close()
        await self._connection.wait_closed()
