"""Who looks for a connection's answers, and when: one worker at a time, by the database's clock."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from countersign_platform.database.pool import Database
from countersign_push.store.work import ConnectionRow, connection_row

# A dropzone without an ack_path has nowhere to look; other connectors know for themselves. A
# connection that was switched off is looked at a day longer, and for as long as exports await
# an answer that has a term.
CLAIM = """
WITH due AS (
    SELECT c.org_id, c.id
      FROM push.erp_connections c
     WHERE c.ack_poll_due_at <= now()
       AND (c.ack_poll_leased_until IS NULL OR c.ack_poll_leased_until <= now())
       AND (c.connector_type <> 'DROPZONE_JSON_V1' OR coalesce(c.config ->> 'ack_path', '') <> '')
       AND (c.status <> 'DISABLED' OR c.updated_at > now() - interval '1 day'
            OR EXISTS (SELECT FROM push.exports e
                        WHERE e.org_id = c.org_id AND e.connection_id = c.id
                          AND e.status = 'SENT' AND e.ack_due_at IS NOT NULL))
     ORDER BY c.ack_poll_due_at
     LIMIT $3
       FOR NO KEY UPDATE SKIP LOCKED
)
UPDATE push.erp_connections c
   SET ack_poll_leased_by = $1, ack_poll_leased_until = now() + make_interval(secs => $2)
  FROM due
 WHERE c.org_id = due.org_id AND c.id = due.id
RETURNING c.org_id, c.id AS connection_id, c.connector_type, c.config, c.secrets,
          c.secrets_key_id, c.version AS connection_version, c.concurrency, c.max_attempts,
          c.acks_unsettled, extract(epoch FROM now()) AS at
"""

# An answer that is as it was keeps the moment since when it is so.
REPORT = """
UPDATE push.erp_connections c
   SET ack_poll_leased_until = NULL,
       acks_unsettled = (
           SELECT coalesce(jsonb_object_agg(name, CASE
                      WHEN c.acks_unsettled -> name ->> 'state' = state
                      THEN c.acks_unsettled -> name
                      ELSE jsonb_build_object('state', state, 'since', extract(epoch FROM now()))
                      END), '{}')
             FROM unnest($6::text[], $7::text[]) AS seen (name, state)),
       ack_poll_due_at = now() + CASE WHEN $4 THEN interval '0' ELSE
           make_interval(secs => coalesce(c.ack_poll_seconds, $5::float8)) END
 WHERE c.org_id = $1 AND c.id = $2 AND c.ack_poll_leased_by = $3
   AND c.ack_poll_leased_until IS NOT NULL
"""


@dataclass(frozen=True, slots=True)
class Unsettled:
    """An answer that made no sense at the last look; for so many seconds it was as it is."""

    state: str
    seconds: float


@dataclass(frozen=True, slots=True)
class PollRow:
    """A connection to look at, secrets sealed, with what was unsettled there, by name."""

    connection: ConnectionRow
    unsettled: Mapping[str, Unsettled]


class AckPollStore:
    """Leases on looks for answers."""

    def __init__(
        self, database: Database, *, lease_seconds: float, interval_seconds: float
    ) -> None:
        """`interval_seconds` between looks, where the connection has no term of its own."""
        self._database = database
        self._lease_seconds = lease_seconds
        self._interval_seconds = interval_seconds

    async def claim(self, worker_id: str, limit: int) -> list[PollRow]:
        """Up to `limit` connections that are due, now this worker's."""
        rows = await self._database.fetch(CLAIM, worker_id, self._lease_seconds, limit)
        return [PollRow(connection_row(row, row["org_id"]), _unsettled(row)) for row in rows]

    async def report(
        self,
        org_id: UUID,
        connection_id: UUID,
        worker_id: str,
        *,
        more: bool,
        unsettled: Mapping[str, str],
    ) -> None:
        """End a look; nothing happens when it is another worker's by now.

        `unsettled`: the states of answers that were left where they are, by name.
        """
        await self._database.execute(
            REPORT,
            org_id,
            connection_id,
            worker_id,
            more,
            self._interval_seconds,
            list(unsettled),
            list(unsettled.values()),
        )


def _unsettled(row: Mapping[str, Any]) -> dict[str, Unsettled]:
    return {
        name: Unsettled(seen["state"], float(row["at"]) - seen["since"])
        for name, seen in row["acks_unsettled"].items()
    }
