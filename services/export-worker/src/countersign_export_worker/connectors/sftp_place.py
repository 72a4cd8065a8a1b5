"""What tells a folder on an SFTP server from another one at the same path: a marker file.

SFTP shows no inode numbers, so the folder gets an identity of its own: 16 hexadecimal digits
in a hidden file, made by whoever stages there first and kept for ever. See
docs/decisions/0014. Who deletes it delays the exports that were staged before (FOLDER_CHANGED)
until their tokens are found or an administrator settles them.
"""

import asyncio
import re
import secrets

import asyncssh

from countersign_export_worker.connectors.sftp_folder import SftpFolder
from countersign_export_worker.errors import TransientDeliveryError

MARKER = ".countersign-place"
_CONTENT = re.compile(rb"([0-9a-f]{16})\n")
_CONTENT_BYTES = 17
_MODE = 0o644
# A marker is created and written in two requests: how long to wait for the second.
_LOOKS, _PAUSE_SECONDS = 10, 0.1


async def read_place(folder: SftpFolder) -> str | None:
    """The folder's identity; None when it has none."""
    content = await folder.read_exactly(MARKER, _CONTENT_BYTES)
    match = None if content is None else _CONTENT.fullmatch(content)
    return None if match is None else match[1].decode()


async def settle_place(folder: SftpFolder) -> str:
    """The folder's identity, given to it here if it has none."""
    for _ in range(_LOOKS):
        place = await read_place(folder)
        if place is not None:
            return place
        if await folder.has(MARKER):
            await asyncio.sleep(_PAUSE_SECONDS)
        elif (place := await _mark(folder)) is not None:
            return place
    # Whoever made it died before writing it, a second ago or long since.
    await folder.remove(MARKER)
    raise folder_changed(folder)


def folder_changed(folder: SftpFolder) -> TransientDeliveryError:
    """The error for a folder that is not the one that a file was staged in."""
    return TransientDeliveryError(
        "FOLDER_CHANGED",
        f"{folder.path} is not the folder that the file was staged in"
        f" ({MARKER} is missing or says something else).",
    )


async def _mark(folder: SftpFolder) -> str | None:
    """A new identity; None when somebody else was faster."""
    place = secrets.token_hex(8)
    try:
        await folder.write_new(MARKER, f"{place}\n".encode(), _MODE)
    except asyncssh.SFTPFailure:
        content = await folder.attributes(MARKER)
        if content is None:
            raise
        return None
    return place
