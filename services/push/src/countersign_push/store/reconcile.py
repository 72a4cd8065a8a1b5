"""Exports that nobody works on although they are due: found, offered anew, counted."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from countersign_platform.database.pool import Database

_FREE = """e.status = 'PENDING' AND e.next_attempt_at <= now()
       AND (e.leased_until IS NULL OR e.leased_until <= now())"""

# Due since the last offer (put off, released, or its lease ran out), or offered long ago and
# still not taken: the message may be lost, or wait in a long queue.
CANDIDATES = f"""
SELECT e.org_id, e.id, e.fence, e.offered_at
  FROM push.erp_connections c
 CROSS JOIN LATERAL (
       SELECT e.org_id, e.id, e.fence, e.offered_at
         FROM push.exports e
        WHERE e.org_id = c.org_id AND e.connection_id = c.id AND {_FREE}
          AND (e.offered_at < greatest(e.next_attempt_at, e.leased_until)
               OR e.offered_at <= now() - make_interval(secs => $1))
        ORDER BY e.next_attempt_at
        LIMIT $3) e
 WHERE c.status <> 'PAUSED'
 ORDER BY e.offered_at
 LIMIT $2
"""

# Of one connection, in one round. A message makes a worker deliver until nothing is due, so a
# few are enough; ten thousand would stand before everybody else's in the queue.
_MOST_OF_ONE_CONNECTION = 32

# The time of the offer before is the compare-and-set: of several replicas one wins, and the
# others skip what it has locked.
OFFER = f"""
WITH asked AS (
    SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::timestamptz[], $4::uuid[], $5::bytea[])
        AS a (org_id, export_id, offered_at, work_id, work)
), won AS MATERIALIZED (
    SELECT a.*
      FROM asked a
      JOIN push.exports e ON e.org_id = a.org_id AND e.id = a.export_id
     WHERE e.offered_at = a.offered_at AND {_FREE}
       FOR NO KEY UPDATE OF e SKIP LOCKED
), offered AS (
    UPDATE push.exports e SET offered_at = now()
      FROM won
     WHERE e.org_id = won.org_id AND e.id = won.export_id
    RETURNING e.org_id, won.work_id, won.work, e.request_id, e.traceparent
), told AS (
    INSERT INTO push.outbox (org_id, id, lane, payload, headers)
    SELECT org_id, work_id, 'work', work,
           jsonb_strip_nulls(jsonb_build_object(
               'x-request-id', request_id, 'traceparent', traceparent))
      FROM offered
        ON CONFLICT (org_id, id) DO NOTHING
)
SELECT count(*) FROM offered
"""

FIGURES = """
SELECT count(*) AS pending,
       count(*) FILTER (WHERE greatest(e.next_attempt_at, e.leased_until)
                              <= now() - make_interval(secs => $1)) AS stuck,
       count(e.outcome_unknown_since) AS held,
       coalesce(extract(epoch FROM now() - min(e.created_at)), 0)::float8 AS oldest_seconds
  FROM push.exports e
 WHERE e.status = 'PENDING'
"""


@dataclass(frozen=True, slots=True)
class Candidate:
    """An export that should be offered anew; `offered_at` is when it last was."""

    org_id: UUID
    export_id: UUID
    fence: int
    offered_at: datetime


@dataclass(frozen=True, slots=True)
class Offer:
    """A fresh work message for a candidate: a serialized ExportRequested."""

    candidate: Candidate
    work_id: UUID
    work: bytes


@dataclass(frozen=True, slots=True)
class PendingFigures:
    """How many exports are pending, stuck and held, and how old the oldest pending one is."""

    pending: int
    stuck: int
    held: int
    oldest_seconds: float


class ReconcileStore:
    """Exports of every org."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def candidates(self, offered_before: float, limit: int) -> list[Candidate]:
        """Due exports that were not offered since they became due, or not for so many seconds."""
        rows = await self._database.fetch(
            CANDIDATES, offered_before, limit, _MOST_OF_ONE_CONNECTION
        )
        return [
            Candidate(row["org_id"], row["id"], row["fence"], row["offered_at"]) for row in rows
        ]

    async def offer(self, offers: Sequence[Offer]) -> int:
        """Put them into the outbox; how many of them were not offered by others meanwhile."""
        offered: int = await self._database.fetchval(
            OFFER,
            [offer.candidate.org_id for offer in offers],
            [offer.candidate.export_id for offer in offers],
            [offer.candidate.offered_at for offer in offers],
            [offer.work_id for offer in offers],
            [offer.work for offer in offers],
        )
        return offered

    async def figures(self, stuck_after_seconds: float) -> PendingFigures:
        """What the gauges show."""
        row = await self._database.fetchrow(FIGURES, stuck_after_seconds)
        assert row is not None
        return PendingFigures(**dict(row))
