"""What an operating system's error means for a delivery. The one table.

A missing folder is transient: a share that is not mounted looks just like it, and the
operator sees the code meanwhile. What is not in the table is transient as well; the limit on
attempts ends it.
"""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from countersign_export_worker.errors import (
    DeliveryError,
    PermanentDeliveryError,
    TransientDeliveryError,
)

_TRANSIENT = {
    errno.ENOSPC: ("DISK_FULL", "The disk of {folder} is full."),
    errno.EDQUOT: ("DISK_FULL", "The quota of {folder} is used up."),
    errno.ENOENT: ("PATH_MISSING", "The folder {folder} does not exist."),
    errno.ETIMEDOUT: ("TIMEOUT", "The server of {folder} did not answer in time."),
    errno.ESTALE: ("UNREACHABLE", "The share of {folder} went away."),
    errno.ENOTCONN: ("UNREACHABLE", "The share of {folder} is not connected."),
    errno.EHOSTDOWN: ("UNREACHABLE", "The server of {folder} is down."),
    errno.EHOSTUNREACH: ("UNREACHABLE", "The server of {folder} cannot be reached."),
    errno.EIO: ("IO_ERROR", "The disk of {folder} reported an error."),
}

_PERMANENT = {
    errno.EACCES: ("PERMISSION_DENIED", "The worker may not write to {folder}."),
    errno.EPERM: ("PERMISSION_DENIED", "The worker may not write to {folder}."),
    errno.EROFS: ("PERMISSION_DENIED", "{folder} is read-only."),
    errno.ENOTDIR: ("PATH_NOT_A_FOLDER", "{folder} is not a folder."),
    errno.ELOOP: ("PATH_NOT_A_FOLDER", "{folder} is a loop of links."),
    errno.ENAMETOOLONG: ("NAME_TOO_LONG", "The file name is too long for {folder}."),
    errno.EFBIG: ("FILE_TOO_LARGE", "The document is too large for {folder}."),
}


def delivery_error(error: OSError, folder: Path) -> DeliveryError:
    """What `error` at `folder` means."""
    if error.errno in _PERMANENT:
        code, text = _PERMANENT[error.errno]
        return PermanentDeliveryError(code, text.format(folder=folder))
    name = errno.errorcode.get(error.errno or 0, "unknown")
    code, text = _TRANSIENT.get(
        error.errno or 0, ("IO_ERROR", f"Working in {{folder}} failed ({name}).")
    )
    return TransientDeliveryError(code, text.format(folder=folder))


@contextmanager
def os_errors_as_delivery_errors(folder: Path) -> Iterator[None]:
    """Raise every OSError of the block as what it means for a delivery."""
    try:
        yield
    except OSError as error:
        raise delivery_error(error, folder) from error
