"""Brings seals to the archive: each one, in order, for as long as it takes."""

from enum import Enum, auto
from uuid import UUID

import structlog

from countersign_audit.metrics import ARCHIVE_FAILURES, SEALS_NOT_ARCHIVED
from countersign_audit.ports import ArchiveQueue, SealArchive
from countersign_audit.seals import Seal
from countersign_core.errors import Unavailable
from countersign_platform.archive.port import ArchiveConflict

# Seals held in memory at a time.
BATCH = 200

_log = structlog.get_logger(__name__)


class SealArchiver:
    """Two replicas that bring the same seal write the same object: no harm is done."""

    def __init__(self, queue: ArchiveQueue, archive: SealArchive) -> None:
        self._queue = queue
        self._archive = archive

    async def bring_all(self) -> int:
        """Everything that waits; how many were brought. What fails is left for the next time.

        Raises:
            Unavailable: the database is away.
        """
        brought = 0
        stuck: set[UUID] = set()
        while seals := await self._queue.unarchived(BATCH, list(stuck)):
            # What follows a stuck seal must not overtake it.
            for seal in (each for each in seals if each.org_id not in stuck):
                outcome = await self._put(seal)
                if outcome is _Outcome.AWAY:
                    return await self._counted(brought)
                if outcome is _Outcome.STUCK:
                    stuck.add(seal.org_id)
                    continue
                await self._queue.mark_archived(seal.org_id, seal.number)
                brought += 1
        return await self._counted(brought)

    async def _put(self, seal: Seal) -> "_Outcome":
        try:
            await self._archive.put(seal)
        except Unavailable as error:
            why, outcome = str(error), _Outcome.AWAY
        except ArchiveConflict as error:
            why, outcome = str(error), _Outcome.STUCK
        else:
            return _Outcome.KEPT
        ARCHIVE_FAILURES.inc()
        _log.warning("seal_not_archived", seal=seal.name, org_id=str(seal.org_id), why=why)
        return outcome

    async def _counted(self, brought: int) -> int:
        SEALS_NOT_ARCHIVED.set(await self._queue.count_unarchived())
        return brought


class _Outcome(Enum):
    KEPT = auto()
    # The archive cannot be asked now.
    AWAY = auto()
    # It has something else under the seal's name.
    STUCK = auto()
