"""Live status changes for any number of watchers: one poller per org that is watched here."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

from countersign_approval.metrics import WATCHERS
from countersign_approval.org_feed import OrgFeed
from countersign_approval.ports import StatusChanges
from countersign_approval.status_change import StatusChange

_CATCH_UP_AT_ONCE = 500
# Changes kept for watchers that are slow; about 1 MB per org that is watched.
_RING_SIZE = 4096

# None is a sign of life.
Watched = StatusChange | None


class StatusFeed:
    """At least once, oldest first; nothing is left out."""

    def __init__(
        self,
        changes: StatusChanges,
        *,
        poll_seconds: float,
        heartbeat_seconds: float,
        ring_size: int = _RING_SIZE,
    ) -> None:
        self._changes = changes
        self._poll_seconds = poll_seconds
        self._heartbeat_seconds = heartbeat_seconds
        self._ring_size = ring_size
        self._feeds: dict[UUID, OrgFeed] = {}

    async def watch(self, org_id: UUID, cursor: int | None) -> AsyncGenerator[Watched, None]:
        """Changes behind `cursor` (None: from now on) and a None in every quiet while.

        The first None says that the watch is on: what changes after it will be shown. After
        `cursor` some changes from shortly before it come again.

        Raises:
            Unavailable: the database is away.
        """
        async with self._following(org_id) as feed:
            position, last = feed.head, feed.settled_id
            yield None
            if cursor is not None:
                async for change in self._catch_up(org_id, cursor):
                    last = change.id
                    yield change
            while True:
                found = feed.behind(position)
                if found is None:
                    position = feed.head
                    async for change in self._catch_up(org_id, last):
                        last = max(last, change.id)
                        yield change
                    continue
                for change in found:
                    position += 1
                    last = max(last, change.id)
                    yield change
                if not await feed.news(position, self._heartbeat_seconds):
                    yield None

    async def _catch_up(self, org_id: UUID, cursor: int) -> AsyncIterator[StatusChange]:
        start = await self._changes.safe_start(org_id, cursor)
        while True:
            page = await self._changes.behind(org_id, start, _CATCH_UP_AT_ONCE)
            for change in page:
                yield change
            if len(page) < _CATCH_UP_AT_ONCE:
                return
            start = page[-1].id

    @asynccontextmanager
    async def _following(self, org_id: UUID) -> AsyncIterator[OrgFeed]:
        feed = self._feeds.get(org_id)
        if feed is None:
            feed = self._feeds[org_id] = OrgFeed(
                org_id,
                self._changes,
                poll_seconds=self._poll_seconds,
                ring_size=self._ring_size,
            )
        feed.watchers += 1
        WATCHERS.inc()
        try:
            await feed.begun()
            yield feed
        finally:
            WATCHERS.dec()
            feed.watchers -= 1
            if feed.watchers == 0:
                self._feeds.pop(org_id, None)
                await feed.stop()
