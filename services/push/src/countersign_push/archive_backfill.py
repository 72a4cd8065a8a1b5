"""Finds delivered exports that are not archived, and has them archived.

They were delivered before there was an archive, or by a version without one. Any number of
replicas may run this: the rows that it writes have derived ids.
"""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from uuid import UUID

import structlog

from countersign_push.store.archive import ArchiveStore

_log = structlog.get_logger(__name__)

_PAGE = 500
# More would wait in the outbox for no good: the archive takes them one by one.
_MOST_WAITING = 2000
_PAUSE_SECONDS = 1.0
_FIRST = (datetime(1970, 1, 1, tzinfo=UTC), UUID(int=0))


class ArchiveBackfill:
    """Looks through all of them every `every` seconds, page by page."""

    def __init__(self, store: ArchiveStore, wake_relay: Callable[[], None], every: float) -> None:
        self._store = store
        self._wake_relay = wake_relay
        self._every = every
        self._after = _FIRST

    async def run(self) -> None:
        """Until cancelled; a page that fails is logged and tried again."""
        while True:
            more = False
            try:
                more = await self.run_once()
            except Exception:  # noqa: BLE001 — whatever it was, the next page must come
                _log.warning("archive_backfill_failed", exc_info=True)
            await asyncio.sleep(_PAUSE_SECONDS if more else self._every)

    async def run_once(self) -> bool:
        """One page; whether another one may follow at once."""
        if await self._store.waiting(_MOST_WAITING) == _MOST_WAITING:
            return False
        missed = await self._store.missed(self._after, _PAGE)
        if missed and (asked := await self._store.ask(missed)):
            _log.info("archive_asked_for_missed_documents", count=asked)
            self._wake_relay()
        more = len(missed) == _PAGE
        self._after = (missed[-1].sent_at, missed[-1].id) if more else _FIRST
        return more
