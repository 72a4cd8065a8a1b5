"""The archive lane: what was delivered is put into the archive, then marked as archived.

Killed in between, the next relay puts the same bytes under the same key again and marks.
"""

import asyncio
from collections.abc import Sequence
from uuid import UUID

import structlog

from countersign_core.errors import CountersignError, NotFound, Unavailable
from countersign_core.reasons import Reason
from countersign_platform.archive.port import Archive, ArchiveConflict
from countersign_platform.off_loop import off_loop
from countersign_platform.outbox.lane import LanePolicy
from countersign_platform.outbox.row import OutboxRow
from countersign_platform.outbox.store import RowPolicy
from countersign_push.archived_document import document_key, rebuilt
from countersign_push.metrics import ARCHIVED
from countersign_push.store.archive import ArchiveStore
from countersign_push.store.exports import ExportStore, WithContent
from countersign_push.store.to_archive import exported_in

_log = structlog.get_logger(__name__)

# Documents in memory at once: few, until they are seen to be small.
_FEW, _MANY, _SMALL_CHARACTERS = 8, 32, 64 * 1024
# A document that cannot be archived does not get better by waiting: somebody must look.
_REFUSALS = 3

Key = tuple[UUID, UUID]


def archive_policy(timeout_seconds: float) -> LanePolicy:
    """The lane's policy; `timeout_seconds` is the longest that one call of the archive takes."""
    return LanePolicy(
        batch=_MANY,
        # Sending may take half of it; a round that meets an archive that is away is the last.
        lease_seconds=max(30.0, 6 * timeout_seconds),
        row=RowPolicy(attempts=_REFUSALS),
    )


class ArchiveSender:
    """Builds, puts, marks."""

    def __init__(self, archive: Archive, exports: ExportStore, store: ArchiveStore) -> None:
        self._archive = archive
        self._exports = exports
        self._store = store
        self._at_once = _FEW

    async def send(self, rows: Sequence[OutboxRow]) -> Sequence[Exception | None]:
        """One result per row; None once the bytes are in the archive and that is on record."""
        results: list[Exception | None] = []
        while len(results) < len(rows):
            start = len(results)
            results += await self._send_together(rows[start : start + self._at_once])
            away = next((each for each in results if isinstance(each, Unavailable)), None)
            if away is not None:
                return [*results, *[away] * (len(rows) - len(results))]
        return results

    async def _send_together(self, rows: Sequence[OutboxRow]) -> list[Exception | None]:
        keys = [(row.org_id, exported_in(row.payload)) for row in rows]
        try:
            found = await self._exports.many_with_content(keys)
        except Unavailable as away:
            return [away] * len(rows)
        longest = max((len(content or "") for _, content in found.values()), default=0)
        self._at_once = _MANY if longest <= _SMALL_CHARACTERS else _FEW
        results = await asyncio.gather(*(self._keep(key, found.get(key)) for key in keys))
        kept = [key for key, error in zip(keys, results, strict=True) if error is None]
        if kept:
            await self._store.mark(kept)
            ARCHIVED.labels("archived").inc(len(kept))
        return results

    async def _keep(self, key: Key, found: WithContent | None) -> Exception | None:
        try:
            await self._put(found)
        except Unavailable as error:
            return error
        except ArchiveConflict as error:
            return _refused("conflict", *key, error)
        except CountersignError as error:
            return _refused("unbuildable", *key, error)
        return None

    async def _put(self, found: WithContent | None) -> None:
        if found is None:
            raise NotFound(Reason.EXPORT_NOT_FOUND, "There is no such export")
        export, content = found
        if export.archived_at is None:
            document = await off_loop(len(content or ""), rebuilt, export, content)
            await self._archive.put(document_key(export), document)


def _refused(outcome: str, org_id: UUID, export_id: UUID, error: Exception) -> Exception:
    ARCHIVED.labels(outcome).inc()
    _log.error(
        "document_not_archived",
        outcome=outcome,
        org_id=str(org_id),
        export_id=str(export_id),
        error=str(error),
    )
    return error
