"""A server that a test starts must not outlive the test run, however the run ends."""

import subprocess
from types import TracebackType
from typing import Self

# Reads until end of file, which is when the process that holds the other end is gone.
_WATCH = 'cat >/dev/null; kill -s "$1" -- "-$0" 2>/dev/null'


class Leash:
    """Ends the process group `pid` when this process ends without having let go of it.

    A watcher holds the reading end of a pipe; a killed test run closes the writing end. Works
    where PR_SET_PDEATHSIG does not: after a change of user, from any thread, outside Linux.
    """

    def __init__(self, pid: int, signal_name: str = "KILL") -> None:
        self._watcher = subprocess.Popen(  # noqa: S603 — our own command line
            ["/bin/sh", "-c", _WATCH, str(pid), signal_name],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def release(self) -> None:
        """Let go: the process may outlive this one, or has ended already."""
        self._watcher.kill()
        self._watcher.wait()
        if self._watcher.stdin is not None:
            self._watcher.stdin.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()
