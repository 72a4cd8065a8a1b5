"""Seals: who needs one, those that were made, and how far the archive has them."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, cast
from uuid import UUID

from asyncpg.pool import PoolConnectionProxy

from countersign_audit.chain import Row
from countersign_audit.event import Head
from countersign_audit.ports import SealedSoFar
from countersign_audit.seals import NO_SEAL, Checkpoint, Seal, Tombstone, seal_hash
from countersign_audit.store.trail import ROWS
from countersign_platform.database.pool import Database

_COLUMNS = """
s.org_id, s.number, s.kind, s.seq, s.link_hash, s.count, s.month, s.from_seq, s.prev_hash,
s.made_at, s.previous, s.key_id, s.signature
"""

_SEALS = f"""
SELECT {_COLUMNS} FROM audit.seals s
 WHERE s.org_id = $1 AND s.number > $2 ORDER BY s.number LIMIT $3
"""

_SEAL_HEAD = "SELECT number, seal_hash FROM audit.seal_heads WHERE org_id = $1"

_REMOVED_SEQ = "SELECT removed_seq FROM audit.seal_heads WHERE org_id = $1"

_CLAIM = """
SELECT org_id, number, seal_hash, seq, link_hash, removed_seq, head_seq, now
  FROM audit.claim_checkpoint($1, $2, $3)
"""

_RECORD = "SELECT audit.record_checkpoint($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"

_UNARCHIVED = f"""
SELECT {_COLUMNS} FROM audit.seal_heads h JOIN audit.seals s
    ON s.org_id = h.org_id AND s.number > h.archived
 WHERE h.number > h.archived AND h.org_id <> ALL ($2)
 ORDER BY s.org_id, s.number LIMIT $1
"""

_COUNT_UNARCHIVED = "SELECT coalesce(sum(number - archived), 0)::bigint FROM audit.seal_heads"

_MARK_ARCHIVED = "SELECT audit.mark_archived($1, $2)"


class SealStore:
    """Seals in PostgreSQL; gives ports.SealReader, ports.CheckpointLog and ports.ArchiveQueue."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def seals(self, org_id: UUID, above_number: int, limit: int) -> Sequence[Seal]:
        """As ports.SealReader."""
        return list(map(_seal, await self._database.fetch(_SEALS, org_id, above_number, limit)))

    async def seal_head(self, org_id: UUID) -> Head:
        """As ports.SealReader."""
        row = await self._database.fetchrow(_SEAL_HEAD, org_id)
        return Head(0, NO_SEAL) if row is None else Head(row["number"], row["seal_hash"])

    async def removed_seq(self, org_id: UUID) -> int:
        """As ports.SealReader."""
        return int(await self._database.fetchval(_REMOVED_SEQ, org_id) or 0)

    @asynccontextmanager
    async def claim(
        self, events: int, seconds: float, but_not: Sequence[UUID]
    ) -> AsyncIterator["Claim | None"]:
        """As ports.CheckpointLog."""
        async with self._database.transaction() as connection:
            row = await connection.fetchrow(_CLAIM, events, seconds, list(but_not))
            yield None if row is None else Claim(connection, _so_far(row))

    async def unarchived(self, limit: int, but_not: Sequence[UUID]) -> Sequence[Seal]:
        """As ports.ArchiveQueue."""
        rows = await self._database.fetch(_UNARCHIVED, limit, list(but_not))
        return list(map(_seal, rows))

    async def count_unarchived(self) -> int:
        """As ports.ArchiveQueue."""
        return int(await self._database.fetchval(_COUNT_UNARCHIVED))

    async def mark_archived(self, org_id: UUID, number: int) -> None:
        """As ports.ArchiveQueue."""
        await self._database.execute(_MARK_ARCHIVED, org_id, number)


class Claim:
    """An org that is ours until the transaction ends; a ports.ClaimedOrg."""

    def __init__(self, connection: PoolConnectionProxy, so_far: SealedSoFar) -> None:
        self._connection = connection
        self.so_far = so_far

    async def rows(self, first: int, last: int) -> Sequence[Row]:
        """As ports.ClaimedOrg."""
        rows = await self._connection.fetch(ROWS, self.so_far.org_id, first, last)
        return cast("Sequence[Row]", rows)

    async def record(self, checkpoint: Checkpoint) -> None:
        """As ports.ClaimedOrg."""
        await self._connection.execute(
            _RECORD,
            checkpoint.org_id,
            checkpoint.number,
            checkpoint.previous,
            checkpoint.seq,
            checkpoint.count,
            checkpoint.head_hash,
            checkpoint.made_at,
            checkpoint.key_id,
            seal_hash(checkpoint),
            checkpoint.signature,
        )


def _so_far(row: Any) -> SealedSoFar:
    return SealedSoFar(
        org_id=row["org_id"],
        number=row["number"],
        seal_hash=row["seal_hash"],
        link=Head(row["seq"], row["link_hash"]),
        removed_seq=row["removed_seq"],
        head_seq=row["head_seq"],
        now=row["now"],
    )


def _seal(row: Any) -> Seal:
    common = {
        name: row[name] for name in ("org_id", "number", "previous", "count", "key_id", "signature")
    }
    if row["kind"] == "checkpoint":
        return Checkpoint(
            **common, seq=row["seq"], head_hash=row["link_hash"], made_at=row["made_at"]
        )
    return Tombstone(
        **common,
        month=row["month"],
        from_seq=row["from_seq"],
        to_seq=row["seq"],
        prev_hash=row["prev_hash"],
        last_hash=row["link_hash"],
        removed_at=row["made_at"],
    )
