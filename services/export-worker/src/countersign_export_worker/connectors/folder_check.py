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
from countersign_export_worker.connectors.dropzone_options import DropzoneOptions
from countersign_export_worker.connectors.folder_files import (
    Drop,
    make_folder,
    open_drop,
    open_folder,
    read_regular,
)
from countersign_export_worker.connectors.os_errors import delivery_error
from countersign_export_worker.ports import CheckReport, CheckStep

_PROBE = b"countersign connection test\n"


def check_folder(options: DropzoneOptions) -> CheckReport:
    """Run every step up to the first failure."""
    return _FolderCheck(options).run()


class _FolderCheck:
    def __init__(self, options: DropzoneOptions) -> None:
        self._options = options
        self._path = Path(options.export_path)
        self._written = f".countersign-test.{uuid4()}.tmp"
        self._renamed = f"{self._written}.renamed"
        self._steps: list[CheckStep] = []
        self._clock_difference_ms = 0.0

    def run(self) -> CheckReport:
        try:
            with open_drop(self._options, make=True) as drop:
                self._note("connect", time.perf_counter(), str(self._path))
                self._run_in(drop)
            if self._options.ack_path is not None:
                self._step("answers", self._look_at_answers)
        except OSError as error:
            return self._failed(error)
        return CheckReport(
            ok=True,
            steps=tuple(self._steps),
            capabilities={"atomic_rename": "true", "fsync": "true"},
            clock_difference_ms=self._clock_difference_ms,
        )

    def _run_in(self, drop: Drop) -> None:
        written, final = drop.temporary, drop.final
        try:
            self._step("write", lambda: self._write(written))
            self._step("fsync", lambda: self._sync(written))
            self._step("rename", lambda: rename_new(written, self._written, self._renamed, final))
            self._step("read_back", lambda: self._read_back(final))
            self._step("delete", lambda: os.unlink(self._renamed, dir_fd=final))
        finally:
            for folder, name in ((written, self._written), (final, self._renamed)):
                with suppress(OSError):
                    os.unlink(name, dir_fd=folder)

    def _look_at_answers(self) -> None:
        with open_folder(Path(str(self._options.ack_path))) as folder:
            with os.scandir(folder) as entries:
                next(entries, None)
            for name in ("processed", "error"):
                make_folder(folder, name, self._options.folder_mode)
                if not os.access(name, os.W_OK | os.X_OK, dir_fd=folder):
                    raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), name)

    def _step(self, name: str, act: Callable[[], object]) -> None:
        begun = time.perf_counter()
        try:
            act()
        except OSError as error:
            problem = os.strerror(error.errno or 0)
            if error.errno == errno.EXDEV:
                problem = "temporary_path is not on the file system of export_path"
            self._note(name, begun, problem, ok=False)
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
