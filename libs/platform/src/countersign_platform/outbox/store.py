"""Every statement that works on an outbox, each one round trip and one short transaction.

A relay leases rows, sends them outside any transaction, and settles afterwards. A relay that
dies in between leaves a lease behind that runs out by the database's clock.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

import asyncpg

from countersign_platform.database.pool import Database
from countersign_platform.outbox.row import OutboxRow
from countersign_platform.outbox.sender import is_charged_for_good
from countersign_platform.outbox.table import plain_name

_LONGEST_ERROR = 500

_LEASE = """
WITH due AS (
    SELECT org_id, id FROM {outbox}
     WHERE lane = $1 AND quarantined_at IS NULL
       AND next_attempt_at <= now() AND (leased_until IS NULL OR leased_until <= now())
     ORDER BY seq LIMIT $2
       FOR UPDATE SKIP LOCKED
)
UPDATE {outbox} o SET leased_until = clock_timestamp() + make_interval(secs => $3)
  FROM due WHERE o.org_id = due.org_id AND o.id = due.id
RETURNING o.org_id, o.id, o.seq, o.lane, o.payload, o.headers, o.created_at, o.attempts,
          o.leased_until
"""

_DELETE = """
DELETE FROM {outbox} o USING unnest($1::uuid[], $2::uuid[]) AS sent (org_id, id)
 WHERE o.org_id = sent.org_id AND o.id = sent.id
"""

# Only the holder of the lease gives it back: after it ran out, another relay has the row.
_GIVE_BACK = """
UPDATE {outbox} o SET leased_until = NULL
  FROM unnest($1::uuid[], $2::uuid[], $3::timestamptz[]) AS mine (org_id, id, lease)
 WHERE o.org_id = mine.org_id AND o.id = mine.id AND o.leased_until = mine.lease
"""

_CHARGE = """
UPDATE {outbox} o
   SET attempts = o.attempts + 1, leased_until = NULL, last_error = failed.error,
       next_attempt_at = clock_timestamp() + make_interval(secs =>
           least($6::float8, $5::float8 * 2 ^ least(o.attempts, 30)) * (0.5 + random() / 2)),
       quarantined_at = CASE WHEN failed.for_good AND o.attempts + 1 >= $7
                             THEN clock_timestamp() END
  FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::bool[], $8::timestamptz[])
       AS failed (org_id, id, error, for_good, lease)
 WHERE o.org_id = failed.org_id AND o.id = failed.id AND o.leased_until = failed.lease
RETURNING o.id, o.attempts, o.quarantined_at
"""

_MEASURE = """
SELECT lane, count(*) FILTER (WHERE quarantined_at IS NULL) AS waiting,
       count(*) FILTER (WHERE quarantined_at IS NOT NULL) AS quarantined,
       coalesce(extract(epoch FROM now() - min(created_at)
                FILTER (WHERE quarantined_at IS NULL)), 0)::float8 AS oldest_seconds
  FROM {outbox} GROUP BY lane
"""

_QUARANTINED = """
SELECT org_id, id, lane, created_at, attempts, quarantined_at, last_error FROM {outbox}
 WHERE quarantined_at IS NOT NULL ORDER BY seq LIMIT $1
"""

_RELEASE = """
UPDATE {outbox} SET quarantined_at = NULL, attempts = 0, next_attempt_at = now()
 WHERE quarantined_at IS NOT NULL AND ($1::uuid[] IS NULL OR id = ANY ($1))
RETURNING id
"""


@dataclass(frozen=True, slots=True)
class RowPolicy:
    """What happens to a row that is refused.

    Attributes:
        first_wait_seconds: before the second try; doubles with every refusal.
        longest_wait_seconds: never longer than this.
        attempts: refusals until the row is quarantined.
    """

    first_wait_seconds: float = 1.0
    longest_wait_seconds: float = 300.0
    attempts: int = 20


class OutboxStore:
    """The outbox of one schema."""

    def __init__(self, database: Database, schema: str) -> None:
        self._database = database
        self._outbox = f"{plain_name(schema)}.outbox"
        self.schema = schema

    async def lease(self, lane: str, limit: int, seconds: float) -> list[OutboxRow]:
        """Up to `limit` due rows of the lane, oldest first, ours for `seconds`."""
        records = await self._database.fetch(self._sql(_LEASE), lane, limit, seconds)
        return sorted((OutboxRow(**dict(record)) for record in records), key=lambda row: row.seq)

    async def delete(self, rows: Sequence[OutboxRow]) -> None:
        """Forget rows that the other side has, whoever holds them by now."""
        await self._database.execute(self._sql(_DELETE), *_keys(rows))

    async def give_back(self, rows: Sequence[OutboxRow]) -> None:
        """End the lease of rows that nobody tried, or that met no receiver."""
        leases = [row.leased_until for row in rows]
        await self._database.execute(self._sql(_GIVE_BACK), *_keys(rows), leases)

    async def charge(
        self, failed: Sequence[tuple[OutboxRow, Exception]], policy: RowPolicy
    ) -> list[UUID]:
        """Count a refusal on each row and let it wait; returns the ids now in quarantine."""
        rows = [row for row, _ in failed]
        records = await self._database.fetch(
            self._sql(_CHARGE),
            *_keys(rows),
            [_words(error) for _, error in failed],
            [is_charged_for_good(error) for _, error in failed],
            policy.first_wait_seconds,
            policy.longest_wait_seconds,
            policy.attempts,
            [row.leased_until for row in rows],
        )
        return [record["id"] for record in records if record["quarantined_at"] is not None]

    async def measure(self) -> list[asyncpg.Record]:
        """Per lane: waiting, quarantined, oldest_seconds. A lane without rows is left out."""
        return await self._database.fetch(self._sql(_MEASURE))

    async def quarantined(self, limit: int = 100) -> list[asyncpg.Record]:
        """What is in quarantine, oldest first: org_id, id, lane, attempts, last_error, times."""
        return await self._database.fetch(self._sql(_QUARANTINED), limit)

    async def release(self, ids: Iterable[UUID] | None = None) -> int:
        """Let quarantined rows try again from the start, all or those named; says how many."""
        chosen = None if ids is None else list(ids)
        return len(await self._database.fetch(self._sql(_RELEASE), chosen))

    def _sql(self, statement: str) -> str:
        return statement.format(outbox=self._outbox)


def _keys(rows: Sequence[OutboxRow]) -> tuple[list[UUID], list[UUID]]:
    return [row.org_id for row in rows], [row.id for row in rows]


def _words(error: Exception) -> str:
    # Text in PostgreSQL holds no NUL.
    return f"{type(error).__name__}: {error}".replace("\x00", "")[:_LONGEST_ERROR]
