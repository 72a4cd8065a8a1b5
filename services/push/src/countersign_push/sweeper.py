"""Clears away what has had its time: expired idempotency keys and old connection tests."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from countersign_push.store.sweep import SweepStore

_log = structlog.get_logger()

_BATCH = 500
_PAUSE_SECONDS = 0.05


class Sweeper:
    """Sweeps every `every` seconds, batch by batch."""

    def __init__(self, store: SweepStore, every: float) -> None:
        self._store = store
        self._every = every

    async def run(self) -> None:
        """Until cancelled; a sweep that fails is logged and the next one comes."""
        while True:
            try:
                await self.run_once()
            except Exception:  # noqa: BLE001 — whatever it was, the next sweep must come
                _log.warning("sweep_failed", exc_info=True)
            await asyncio.sleep(self._every)

    async def run_once(self) -> int:
        """Delete all that is due; how many rows went."""
        keys = await self._all(self._store.delete_expired_keys)
        tests = await self._all(self._store.delete_old_tests)
        if keys or tests:
            _log.info("swept", idempotency_keys=keys, connection_tests=tests)
        return keys + tests

    async def _all(self, delete: Callable[[int], Awaitable[int]]) -> int:
        total = 0
        while deleted := await delete(_BATCH):
            total += deleted
            if deleted < _BATCH:
                break
            await asyncio.sleep(_PAUSE_SECONDS)
        return total
