"""How long it takes until nothing shows any more that something was wrong."""

import asyncio
import time
from collections.abc import Iterable

import aiohttp

from countersign_chaos.clients.act import Action
from countersign_chaos.clients.clerk import Clerk
from countersign_chaos.clients.load import Load
from countersign_chaos.zones.observer import Observer

_LOOK_SECONDS = 0.1
# Of what has no file yet, so many are asked about at a time: it may have failed.
_ASKED = 5
_GIVE_UP_SECONDS = 90.0
_FINISHED = {"SENT", "ACKED", "FAILED"}


class Healing:
    """Measures from the moment that a cause is gone."""

    def __init__(self, load: Load, observer: Observer) -> None:
        self._load = load
        self._observer = observer

    async def seconds(self) -> float:
        """Until all that was acknowledged before now is delivered (or FAILED), and on record."""
        began = time.time()
        for clerk in self._load.clerks.values():
            await self._delivered(clerk, began)
            await self._on_record(clerk, began)
        return time.time() - began

    async def _delivered(self, clerk: Clerk, before: float) -> None:
        waiting = {
            export for export, pushed in clerk.acknowledged.items() if pushed.at <= before
        } - self._observer.exports
        while waiting and time.time() < before + _GIVE_UP_SECONDS:
            await asyncio.sleep(_LOOK_SECONDS)
            waiting -= self._observer.exports
            waiting -= await self._finished(clerk, sorted(waiting)[:_ASKED])

    async def _finished(self, clerk: Clerk, exports: Iterable[str]) -> set[str]:
        found = set()
        for export in exports:
            act = clerk.act(Action.PUSH, "admin")
            try:
                row = await self._load.rest.read(act, f"/erp-exports/{export}")
            except (aiohttp.ClientError, TimeoutError, OSError):
                break
            if row["status"] in _FINISHED:
                found.add(export)
        return found

    async def _on_record(self, clerk: Clerk, before: float) -> None:
        pushed = [each for each in clerk.acknowledged.values() if each.at <= before]
        while pushed and time.time() < before + _GIVE_UP_SECONDS:
            act = clerk.act(Action.PUSH, "admin")
            query = {"draft_order_id": pushed[-1].draft_id, "action": "DRAFT_PUSHED"}
            try:
                page = await self._load.rest.read(act, "/audit-log", **query)
            except (aiohttp.ClientError, TimeoutError, OSError):
                page = {"events": []}
            if page["events"]:
                return
            await asyncio.sleep(_LOOK_SECONDS)
