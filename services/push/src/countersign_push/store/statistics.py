"""Sums over the exports of an org."""

from uuid import UUID

import asyncpg

from countersign_core.errors import FieldError, InvalidRequest
from countersign_platform.database.pool import Database
from countersign_push.export_figures import ExportFigures, Stretch, WaitingFigures

FIGURES = """
SELECT e.day, e.connection_id,
       count(*) AS pushed,
       count(*) FILTER (WHERE e.status IN ('SENT', 'ACKED')) AS delivered,
       count(*) FILTER (WHERE e.status = 'ACKED') AS acked,
       count(*) FILTER (WHERE e.status = 'FAILED') AS failed,
       count(*) FILTER (WHERE e.status = 'PENDING') AS waiting,
       percentile_disc(0.5) WITHIN GROUP (ORDER BY e.took) AS median,
       percentile_disc(0.95) WITHIN GROUP (ORDER BY e.took) AS p95
  FROM (SELECT (created_at AT TIME ZONE $4)::date AS day, connection_id, status,
               sent_at - created_at AS took
          FROM push.exports
         WHERE org_id = $1 AND created_at >= $2 AND created_at < $3
           -- Known before any row is read: an org without exports hears of a wrong zone, too.
           AND (now() AT TIME ZONE $4) IS NOT NULL) e
 GROUP BY GROUPING SETS ((e.day, e.connection_id), (e.day), (e.connection_id), ())
 ORDER BY e.day NULLS LAST, e.connection_id NULLS LAST
"""

WAITING = """
SELECT connection_id,
       count(*) FILTER (WHERE status = 'PENDING') AS waiting,
       count(*) FILTER (WHERE status = 'PENDING' AND error_json IS NOT NULL) AS retrying,
       count(*) FILTER (WHERE outcome_unknown_since IS NOT NULL) AS held,
       min(created_at) FILTER (WHERE status = 'PENDING') AS oldest_since,
       count(*) FILTER (WHERE status = 'SENT') AS ack_overdue
  FROM push.exports
 WHERE org_id = $1 AND (status = 'PENDING' OR (status = 'SENT' AND ack_due_at < now()))
 GROUP BY connection_id
 ORDER BY connection_id
"""


class StatisticsStore:
    """Sums of one org at a time."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def figures(self, org_id: UUID, stretch: Stretch) -> list[ExportFigures]:
        """By day and connection, by day, by connection, and all; nothing where nothing was pushed.

        Raises:
            InvalidRequest: the database knows no such time zone.
        """
        arguments = (org_id, stretch.start, stretch.end, stretch.time_zone)
        try:
            rows = await self._database.fetch(FIGURES, *arguments)
        except asyncpg.InvalidParameterValueError as error:
            raise InvalidRequest([FieldError("time_zone", "is no time zone")]) from error
        return [ExportFigures(**dict(row)) for row in rows if row["pushed"]]

    async def waiting(self, org_id: UUID) -> list[WaitingFigures]:
        """One per connection on which something waits."""
        rows = await self._database.fetch(WAITING, org_id)
        return [WaitingFigures(**dict(row)) for row in rows]
