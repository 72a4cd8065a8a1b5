"""The connection test of a local folder: what a delivery does, step by step.

Blocking. Works under a name that neither an ERP nor the sweeper looks at, and leaves nothing.
"""

import errno
import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

from countersign_export_worker.connectors.atomic_rename import rename_new
from countersign_export_worker.connectors.folder_files import open_folder, read_regular
from countersign_export_worker.connectors.os_errors import delivery_error
from countersign_export_worker.ports import CheckReport, CheckStep

_PROBE = b"countersign connection test\n"


def check_folder(path: Path) -> CheckReport:
    """Run every step up to the first failure."""
    return _FolderCheck(path).run()


class _FolderCheck:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._written = f".countersign-test.{uuid4()}.tmp"
        self._renamed = f"{self._written}.renamed"
        self._steps: list[CheckStep] = []
        self._clock_difference_ms = 0.0

    def run(self) -> CheckReport:
        try:
            with open_folder(self._path) as folder:
                self._note("connect", time.perf_counter(), str(self._path))
                self._run_in(folder)
        except OSError as error:
            return self._failed(error)
        return CheckReport(
            ok=True,
            steps=tuple(self._steps),
            capabilities={"atomic_rename": "true", "fsync": "true"},
            clock_difference_ms=self._clock_difference_ms,
        )

    def _run_in(self, folder: int) -> None:
        try:
            self._step("write", lambda: self._write(folder))
            self._step("fsync", lambda: self._sync(folder))
            self._step("rename", lambda: rename_new(folder, self._written, self._renamed))
            self._step("read_back", lambda: self._read_back(folder))
            self._step("delete", lambda: os.unlink(self._renamed, dir_fd=folder))
        finally:
            for name in (self._written, self._renamed):
                with suppress(OSError):
                    os.unlink(name, dir_fd=folder)

    def _step(self, name: str, act: Callable[[], object]) -> None:
        begun = time.perf_counter()
        try:
            act()
        except OSError as error:
            self._note(name, begun, os.strerror(error.errno or 0), ok=False)
            raise
        self._note(name, begun, "")

    def _note(self, name: str, begun: float, detail: str, *, ok: bool = True) -> None:
        self._steps.append(CheckStep(name, ok, detail, (time.perf_counter() - begun) * 1000))

    def _failed(self, error: OSError) -> CheckReport:
        cause = delivery_error(error, self._path)
        if not self._steps:
            self._note("connect", time.perf_counter(), os.strerror(error.errno or 0), ok=False)
        return CheckReport(
            ok=False, failure=cause.code, message=cause.message, steps=tuple(self._steps)
        )

    def _write(self, folder: int) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        handle = os.open(self._written, flags, 0o600, dir_fd=folder)
        try:
            os.write(handle, _PROBE)
            os.fsync(handle)
            self._clock_difference_ms = (os.fstat(handle).st_mtime - time.time()) * 1000
        finally:
            os.close(handle)

    def _sync(self, folder: int) -> None:
        os.fsync(folder)

    def _read_back(self, folder: int) -> None:
        if read_regular(folder, self._renamed, limit=len(_PROBE)) != _PROBE:
            raise OSError(errno.EIO, "read back something else than was written")
