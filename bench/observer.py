"""Sees files appear under their final names, by the kernel's own word (inotify)."""

import ctypes
import os
import struct
import threading
import time
from pathlib import Path
from typing import Self

_MOVED_TO, _NONBLOCK = 0x80, os.O_NONBLOCK
_EVENT = struct.Struct("iIII")
_POLL_SECONDS = 0.002


class FolderObserver:
    """Between enter and exit; `seen` is the wall clock's time by name."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._library = ctypes.CDLL(None, use_errno=True)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self.seen: dict[str, float] = {}

    def __enter__(self) -> Self:
        self._descriptor = self._library.inotify_init1(_NONBLOCK)
        path = os.fsencode(self._folder)
        if self._library.inotify_add_watch(self._descriptor, path, _MOVED_TO) < 0:
            raise OSError(ctypes.get_errno(), "inotify_add_watch")
        self._thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._stop.set()
        self._thread.join()
        os.close(self._descriptor)

    def _watch(self) -> None:
        while not self._stop.wait(_POLL_SECONDS):
            try:
                data = os.read(self._descriptor, 1 << 16)
            except BlockingIOError:
                continue
            now = time.time()
            at = 0
            while at < len(data):
                *_, length = _EVENT.unpack_from(data, at)
                name = data[at + _EVENT.size : at + _EVENT.size + length].rstrip(b"\0")
                self.seen.setdefault(os.fsdecode(name), now)
                at += _EVENT.size + length
