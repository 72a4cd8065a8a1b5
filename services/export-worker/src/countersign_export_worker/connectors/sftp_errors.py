"""What an error of SSH, SFTP or the network means for a delivery. The one table.

SFTP version 3 has few codes: a full disk, a name that exists and a broken disk are all
"Failure". Who gets IO_ERROR from here asks the server further.
A missing folder is permanent, unlike a local one: no share of ours can be unmounted there.
"""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import asyncssh

from countersign_export_worker.errors import (
    DeliveryError,
    PermanentDeliveryError,
    TransientDeliveryError,
)

LOST = (
    asyncssh.SFTPConnectionLost,
    asyncssh.SFTPNoConnection,
    asyncssh.DisconnectError,
    asyncssh.ChannelOpenError,
    ConnectionError,
    asyncio.IncompleteReadError,
)
SFTP_ERRORS = (asyncssh.Error, OSError, TimeoutError, asyncio.IncompleteReadError)
NOT_THERE = (asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath)

_FULL = ("DISK_FULL", "The disk of {where} is full.")

_Row = tuple[tuple[type[BaseException], ...], type[DeliveryError], str, str]
# The first row that fits counts.
_TABLE: tuple[_Row, ...] = (
    (LOST, TransientDeliveryError, "CONNECTION_LOST", "The connection to {where} was lost."),
    ((TimeoutError,), TransientDeliveryError, "TIMEOUT", "{where} did not answer in time."),
    (
        (asyncssh.SFTPPermissionDenied, asyncssh.SFTPWriteProtect),
        PermanentDeliveryError,
        "PERMISSION_DENIED",
        "The server does not permit it in {where}.",
    ),
    (NOT_THERE, PermanentDeliveryError, "PATH_MISSING", "{where} does not exist."),
    (
        (asyncssh.SFTPNotADirectory,),
        PermanentDeliveryError,
        "PATH_NOT_A_FOLDER",
        "{where} is not a folder.",
    ),
    (
        (asyncssh.SFTPNoSpaceOnFilesystem, asyncssh.SFTPQuotaExceeded),
        TransientDeliveryError,
        *_FULL,
    ),
)


def delivery_error(error: BaseException, where: str) -> DeliveryError:
    """What `error`, met while working at `where` ("host:/folder"), means."""
    for kinds, make, code, text in _TABLE:
        if isinstance(error, kinds):
            return make(code, text.format(where=where))
    reason = getattr(error, "reason", "") or type(error).__name__
    return TransientDeliveryError("IO_ERROR", f"Working in {where} failed ({reason}).")


def connect_error(error: BaseException, server: str, username: str) -> DeliveryError:
    """What `error`, met while connecting to `server` ("host:port"), means."""
    if isinstance(error, asyncssh.PermissionDenied):
        return PermanentDeliveryError(
            "AUTHENTICATION_FAILED", f"{server} does not let {username} in with these secrets."
        )
    if isinstance(error, TimeoutError):
        return TransientDeliveryError("TIMEOUT", f"{server} did not answer in time.")
    if isinstance(error, socket.gaierror):
        return TransientDeliveryError("UNREACHABLE", f"The name in {server} cannot be resolved.")
    if isinstance(error, OSError):
        reason = error.strerror or type(error).__name__
        return TransientDeliveryError("UNREACHABLE", f"{server} cannot be reached ({reason}).")
    reason = getattr(error, "reason", "") or type(error).__name__
    return TransientDeliveryError("UNREACHABLE", f"{server} does not serve SFTP ({reason}).")


def disk_full(where: str) -> DeliveryError:
    """The error for a server that has no space left, as far as it says."""
    code, text = _FULL
    return TransientDeliveryError(code, text.format(where=where))


@contextmanager
def sftp_errors_as_delivery_errors(where: str) -> Iterator[None]:
    """Raise every error of the block that comes from outside as what it means."""
    try:
        yield
    except SFTP_ERRORS as error:
        raise delivery_error(error, where) from error
