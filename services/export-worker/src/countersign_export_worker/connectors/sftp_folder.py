"""What is done to files in one folder of an SFTP server. Names are names, never paths.

The folder's path is what the server made of the configured one (realpath), so that nothing
leads out of it. Every method raises asyncssh's errors; whoever calls translates them.
"""

import asyncio
import stat
from collections.abc import AsyncIterator
from contextlib import suppress

import asyncssh

from countersign_export_worker.connectors.sftp_errors import NOT_THERE
from countersign_export_worker.errors import PermanentDeliveryError, TransientDeliveryError

_WRITE_NEW = asyncssh.FXF_WRITE | asyncssh.FXF_CREAT | asyncssh.FXF_EXCL


class SftpFolder:
    """A folder, by its canonical path, through one connection."""

    def __init__(self, client: asyncssh.SFTPClient, path: str) -> None:
        self._client = client
        self.path = path

    def at(self, name: str) -> str:
        """The path of a name in here.

        Raises:
            PermanentDeliveryError: BAD_FILE_NAME when it would lead elsewhere.
        """
        if name in {"", ".", ".."} or "/" in name or "\0" in name:
            raise PermanentDeliveryError("BAD_FILE_NAME", f"{name!r} is not a plain file name.")
        return f"{self.path.rstrip('/')}/{name}"

    async def attributes(self, name: str) -> asyncssh.SFTPAttrs | None:
        """Of the entry itself, not of what it links to; None when there is none."""
        try:
            return await self._client.lstat(self.at(name))
        except NOT_THERE:
            return None

    async def has(self, name: str) -> bool:
        """Whether there is an entry of that name, a dangling link included."""
        return await self.attributes(name) is not None

    async def write_new(self, name: str, data: bytes, mode: int) -> bool:
        """Create `name` with `data` and `mode`, whatever the server's umask.

        True when the server has it on disk, False when it has no fsync. On an error a part of
        the file may stand there.

        Raises:
            asyncssh.SFTPFailure: among other things when the name exists; links count.
        """
        path = self.at(name)
        async with self._client.open(
            path, _WRITE_NEW, asyncssh.SFTPAttrs(permissions=mode), encoding=None
        ) as file:
            await file.write(data)
            # Most servers made the file with this mode: then one round trip is enough.
            synced, attributes = await asyncio.gather(_sync(file), file.stat())
            if not _has_mode(attributes, mode):
                await self._set_mode(file, mode)
                synced = await _sync(file)
        if attributes.size != len(data):
            raise TransientDeliveryError(
                "IO_ERROR",
                f"{path} has {attributes.size} bytes of {len(data)} after it was written.",
            )
        return synced

    async def read(self, name: str, limit: int) -> bytes | None:
        """A plain file's bytes; None when there is no such file, or it is a link or too long."""
        attributes = await self.attributes(name)
        if attributes is None or not is_regular(attributes):
            return None
        try:
            async with self._client.open(self.at(name), "rb") as file:
                # One request more than the length: asking for `limit` would be dozens of them.
                data = await file.read(min(attributes.size or 0, limit) + 1)
                if len(data) <= limit and len(data) != attributes.size:
                    data = await file.read(limit + 1, 0)
        except NOT_THERE:
            return None
        assert isinstance(data, bytes)
        return data if len(data) <= limit else None

    async def read_exactly(self, name: str, size: int) -> bytes | None:
        """As `read`, of a file of that size; without the request that looks for its end."""
        attributes = await self.attributes(name)
        if attributes is None or not is_regular(attributes) or attributes.size != size:
            return None
        try:
            async with self._client.open(self.at(name), "rb") as file:
                data = await file.read(size)
        except NOT_THERE:
            return None
        assert isinstance(data, bytes)
        return data

    async def remove(self, name: str) -> bool:
        """Delete it; False when it was not there."""
        try:
            await self._client.remove(self.at(name))
        except NOT_THERE:
            return False
        return True

    async def entries(self) -> AsyncIterator[tuple[str, asyncssh.SFTPAttrs]]:
        """Every name in here, with its attributes."""
        async for entry in self._client.scandir(self.path):
            name = entry.filename
            text = name if isinstance(name, str) else name.decode(errors="replace")
            if text not in {".", ".."}:
                yield text, entry.attrs

    async def make(self, mode: int) -> None:
        """Create the folder itself, if it is missing; an existing one keeps its mode."""
        with suppress(asyncssh.SFTPFailure, asyncssh.SFTPFileAlreadyExists):
            await self._client.mkdir(self.path)
            await self._client.setstat(self.path, asyncssh.SFTPAttrs(permissions=mode))

    async def has_room_for(self, size: int) -> bool:
        """False only when the server says that its disk has not that many bytes left."""
        try:
            space = await self._client.statvfs(self.path)
        except asyncssh.SFTPError:
            return True
        no_entries = space.files > 0 and space.favail == 0
        return space.bavail * space.frsize >= size and not no_entries

    async def _set_mode(self, file: asyncssh.SFTPClientFile, mode: int) -> None:
        # Servers without permissions say that they do not know the request.
        with suppress(asyncssh.SFTPOpUnsupported):
            await file.setstat(asyncssh.SFTPAttrs(permissions=mode))


async def _sync(file: asyncssh.SFTPClientFile) -> bool:
    try:
        await file.fsync()
    except asyncssh.SFTPOpUnsupported:
        return False
    return True


def _has_mode(attributes: asyncssh.SFTPAttrs, mode: int) -> bool:
    return attributes.permissions is not None and stat.S_IMODE(attributes.permissions) == mode


def is_regular(attributes: asyncssh.SFTPAttrs) -> bool:
    """Whether it is a plain file: no folder, no link."""
    if attributes.type == asyncssh.FILEXFER_TYPE_REGULAR:
        return True
    return attributes.permissions is not None and stat.S_ISREG(attributes.permissions)
