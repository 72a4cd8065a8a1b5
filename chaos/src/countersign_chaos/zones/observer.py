"""Sees every file that appears under a final name, however soon it is gone again.

inotify reports each rename or link to a final name, also one that replaces another file; and
only the ERP here takes files away, after this has read and logged them.
"""

import asyncio
import hashlib
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from asyncinotify import Event, Inotify, Mask, Watch

from countersign_chaos.journal import Journal
from countersign_chaos.zones.zone import Zone

FINAL = "sales_order_"
_APPEARED = Mask.MOVED_TO | Mask.CREATE

Appeared = Callable[[Zone, Path], None]


class Observer:
    """Logs one line per appearance: zone, name, what the document says of itself, its digest."""

    def __init__(self, journal: Journal, appeared: Appeared) -> None:
        """`appeared` is told after the line is written; the ERP."""
        self._journal = journal
        self._appeared = appeared
        self._inotify = Inotify()
        self._zones: dict[Watch, Zone] = {}
        self._task: asyncio.Task[None] | None = None
        self._files: dict[str, asyncio.Future[Path]] = {}
        self.exports: set[str] = set()
        self.overflowed = False

    def watch(self, zone: Zone) -> None:
        """See what appears in this zone from now on."""
        self._zones[self._inotify.add_watch(zone.folder, _APPEARED)] = zone

    def forget(self, zone: Zone) -> None:
        """Look at this zone no more."""
        for watch, watched in list(self._zones.items()):
            if watched is zone:
                self._inotify.rm_watch(watch)
                del self._zones[watch]

    async def first_file(self, zone: Zone) -> Path:
        """The first file that appears in this zone."""
        return await self._first(zone)

    def start(self) -> None:
        """Look until `close`."""
        self._task = asyncio.create_task(self._look())

    async def close(self) -> None:
        """Look no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self._inotify.close()

    async def _look(self) -> None:
        async for event in self._inotify:
            if event.mask & Mask.Q_OVERFLOW:
                self.overflowed = True
            self._see(event)

    def _see(self, event: Event) -> None:
        zone = None if event.watch is None else self._zones.get(event.watch)
        if zone is None or event.name is None or not str(event.name).startswith(FINAL):
            return
        path = zone.folder / event.name
        seen = describe(path)
        self._journal.write(
            {"at": time.time(), "zone": zone.name, "org": str(zone.org), "name": path.name} | seen
        )
        if "export_id" in seen:
            self.exports.add(seen["export_id"])
        first = self._first(zone)
        if not first.done():
            first.set_result(path)
        self._appeared(zone, path)

    def _first(self, zone: Zone) -> asyncio.Future[Path]:
        loop = asyncio.get_running_loop()
        return self._files.setdefault(zone.name, loop.create_future())


def describe(path: Path) -> dict[str, Any]:
    """What a document says of itself, and the SHA-256 of its bytes; or why it cannot be read."""
    try:
        data = path.read_bytes()
        document = json.loads(data)
        return {
            "export_id": document["meta"]["export_id"],
            "draft_id": document["draft_order_id"],
            "content_sha256": document["meta"]["content_sha256"],
            "sha256": hashlib.sha256(data).hexdigest(),
        }
    except (OSError, ValueError, KeyError, TypeError) as error:
        return {"unreadable": f"{type(error).__name__}: {error}"}
