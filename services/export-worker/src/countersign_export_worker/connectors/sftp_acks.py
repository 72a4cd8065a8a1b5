"""The ERP's answers on an SFTP server; ack_files says what an answer is."""

import time
from collections.abc import Sequence

import asyncssh

from countersign_export_worker.connectors.ack_files import (
    MAX_BYTES,
    MOST,
    SETTLED_SECONDS,
    AckMode,
    is_ack_name,
    malformed,
    read_ack,
)
from countersign_export_worker.connectors.sftp_errors import NOT_THERE
from countersign_export_worker.connectors.sftp_folder import SftpFolder, is_regular
from countersign_export_worker.ports import AckFile

PROCESSED, ERROR = "processed", "error"
# What tells whether a file is still being written: its length and its time.
_State = tuple[int | None, int | None]


class SftpAcks:
    """Reads answers; remembers those that make no sense yet.

    How long such a file has been as it is, this side's clock tells: the server's may be wrong.
    """

    def __init__(self, mode: AckMode, *, settled_seconds: float = SETTLED_SECONDS) -> None:
        self._mode = mode
        self._settled_seconds = settled_seconds
        self._odd: dict[str, tuple[_State, float]] = {}

    async def read(self, folder: SftpFolder) -> Sequence[AckFile]:
        """The answers that wait, first name first; unsettled ones are left for the next look."""
        entries = [entry async for entry in folder.entries() if is_ack_name(entry[0])]
        entries.sort(key=lambda entry: entry[0])
        found: list[AckFile] = []
        for name, attributes in entries[:MOST]:
            ack = await self._read_one(folder, name, attributes)
            if ack is not None:
                found.append(ack)
        self._forget_all_but({name for name, _ in entries})
        return found

    async def _read_one(
        self, folder: SftpFolder, name: str, attributes: asyncssh.SFTPAttrs
    ) -> AckFile | None:
        if not is_regular(attributes) or (attributes.size or 0) > MAX_BYTES:
            return malformed(name)
        data = await folder.read(name, MAX_BYTES)
        if data is None:
            return None
        try:
            return read_ack(name, data, self._mode)
        except ValueError:
            return malformed(name) if self._is_settled(name, attributes) else None

    def _is_settled(self, name: str, attributes: asyncssh.SFTPAttrs) -> bool:
        now = time.monotonic()
        state = (attributes.size, attributes.mtime)
        known, since = self._odd.get(name, (state, now))
        if known != state:
            since = now
        self._odd[name] = (state, since)
        return now - since >= self._settled_seconds

    def _forget_all_but(self, names: set[str]) -> None:
        self._odd = {name: seen for name, seen in self._odd.items() if name in names}


async def file_ack(
    client: asyncssh.SFTPClient, folder: SftpFolder, name: str, *, into: str, mode: int
) -> None:
    """Move an answer into a folder beside; nothing happens when it is gone already."""
    place = SftpFolder(client, folder.at(into))
    await place.make(mode)
    try:
        await client.rename(folder.at(name), place.at(name))
    except NOT_THERE:
        if await folder.has(name):
            raise
    except asyncssh.SFTPFailure:
        # The same answer has come before: the newer one stays.
        if not (await folder.has(name) and await place.remove(name)):
            raise
        await client.rename(folder.at(name), place.at(name))
