"""The ERP's answers on an SFTP server; ack_files says what an answer is."""

import asyncio
from collections.abc import Sequence

import asyncssh

from countersign_export_worker.connectors.ack_files import (
    MAX_BYTES,
    MOST,
    AckMode,
    is_ack_name,
    malformed,
    read_ack,
    unsettled,
)
from countersign_export_worker.connectors.sftp_errors import NOT_THERE
from countersign_export_worker.connectors.sftp_folder import SftpFolder, is_regular
from countersign_export_worker.ports import AckFile

PROCESSED, ERROR = "processed", "error"
# Requests of so many files are under way at once; each file is open meanwhile.
_AT_ONCE = 16


async def read_acks(folder: SftpFolder, mode: AckMode) -> Sequence[AckFile]:
    """The answers that wait, first name first."""
    entries = [entry async for entry in folder.entries() if is_ack_name(entry[0])]
    entries.sort(key=lambda entry: entry[0])
    free = asyncio.Semaphore(_AT_ONCE)

    async def read(name: str, attributes: asyncssh.SFTPAttrs) -> AckFile | None:
        async with free:
            return await _read_one(folder, name, attributes, mode)

    found = await asyncio.gather(*(read(*entry) for entry in entries[:MOST]))
    return [ack for ack in found if ack is not None]


async def _read_one(
    folder: SftpFolder, name: str, attributes: asyncssh.SFTPAttrs, mode: AckMode
) -> AckFile | None:
    if not is_regular(attributes) or (attributes.size or 0) > MAX_BYTES:
        return malformed(name)
    data = await folder.read(name, MAX_BYTES)
    if data is None:
        return None
    try:
        return read_ack(name, data, mode)
    except ValueError:
        return unsettled(name, attributes.size, attributes.mtime)


async def file_ack(
    client: asyncssh.SFTPClient, folder: SftpFolder, name: str, *, into: str, mode: int
) -> None:
    """Move an answer into a folder beside; nothing happens when it is gone already."""
    place = SftpFolder(client, folder.at(into))
    try:
        await client.rename(folder.at(name), place.at(name))
    except NOT_THERE:
        # The answer, or the place: made only now, as it is nearly always there.
        if await folder.has(name):
            await place.make(mode)
            await client.rename(folder.at(name), place.at(name))
    except asyncssh.SFTPFailure:
        # The same answer has come before: the newer one stays.
        if not (await folder.has(name) and await place.remove(name)):
            raise
        await client.rename(folder.at(name), place.at(name))
