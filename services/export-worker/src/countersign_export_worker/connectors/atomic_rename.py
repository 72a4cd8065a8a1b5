"""Rename a file within one file system: atomic, and never over another file.

Linux has it as one call (renameat2 with RENAME_NOREPLACE), macOS as renameatx_np. Some file
systems know neither (NFS, some FUSE): there the target is looked for first. What that leaves
open is a file that a stranger creates in between under a name with our export's id in it.
"""

import ctypes
import errno
import os
import sys
from collections.abc import Callable

_LINUX_NOREPLACE = 1
_MACOS_EXCL = 4
_NOT_SUPPORTED = frozenset({errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP})

_Rename = Callable[[int, bytes, int, bytes, int], int]


def rename_new(folder: int, source: str, target: str, into: int | None = None) -> None:
    """Rename `source` in the open directory `folder` to `target`, there or in `into`.

    Raises:
        FileNotFoundError: no such source.
        FileExistsError: the target exists; the source is untouched.
        OSError: anything else.
    """
    into = folder if into is None else into
    if _EXCLUSIVE_RENAME is not None:
        call, flag = _EXCLUSIVE_RENAME
        if call(folder, os.fsencode(source), into, os.fsencode(target), flag) == 0:
            return
        number = ctypes.get_errno()
        if number not in _NOT_SUPPORTED:
            raise OSError(number, os.strerror(number), source, None, target)
    _look_then_rename(folder, source, target, into)


def _look_then_rename(folder: int, source: str, target: str, into: int) -> None:
    if is_there(into, target):
        os.stat(source, dir_fd=folder, follow_symlinks=False)
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), target)
    os.rename(source, target, src_dir_fd=folder, dst_dir_fd=into)


def is_there(folder: int, name: str) -> bool:
    """Whether the open directory has an entry of that name, a dangling link included."""
    try:
        os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


def _exclusive_rename() -> tuple[_Rename, int] | None:
    name, flag = (
        ("renameatx_np", _MACOS_EXCL)
        if sys.platform == "darwin"
        else ("renameat2", _LINUX_NOREPLACE)
    )
    call = getattr(ctypes.CDLL(None, use_errno=True), name, None)
    if call is None:  # a C library before 2018
        return None
    call.argtypes = (ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_uint)
    call.restype = ctypes.c_int
    return call, flag


_EXCLUSIVE_RENAME = _exclusive_rename()
