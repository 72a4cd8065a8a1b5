"""Connection tests: asked for by people, run by workers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from countersign_platform.database.pool import Database
from countersign_push.act import Act
from countersign_push.secret_box import Sealed

ASK = """
INSERT INTO push.connection_tests (
       org_id, id, connection_id, connection_version, access, access_key_id, requested_by,
       requested_call, expires_at, connector_type)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, now() + make_interval(secs => $9), $10)
"""

_WAITING = """finished_at IS NULL AND expires_at > now()
           AND (leased_until IS NULL OR leased_until <= now())"""

# While connectors are rolled out, only some workers have them: what somebody has announced is
# left to those; anything else fails at once, with the reason.
_SERVED = """(cardinality($3::text[]) = 0 OR w.connector_type IS NULL
           OR w.connector_type = ANY ($3)
           OR NOT EXISTS (SELECT FROM push.connectors c
                           WHERE c.connector_type = w.connector_type))"""

CLAIM = f"""
UPDATE push.connection_tests t
   SET leased_by = $1, leased_until = now() + make_interval(secs => $2)
  FROM (SELECT org_id, id FROM push.connection_tests w
         WHERE {_WAITING}
           AND {_SERVED}
         ORDER BY requested_at LIMIT 1 FOR UPDATE SKIP LOCKED) next
 WHERE t.org_id = next.org_id AND t.id = next.id
RETURNING t.*
"""

COUNT_WAITING = f"""
SELECT count(*) FROM (SELECT FROM push.connection_tests WHERE {_WAITING} LIMIT $1) waiting
"""

READ = "SELECT * FROM push.connection_tests WHERE org_id = $1 AND id = $2"

FINISH = """
WITH done AS (
    UPDATE push.connection_tests
       SET finished_at = now(), result = $6, access = '', leased_until = NULL
     WHERE org_id = $1 AND id = $2 AND finished_at IS NULL
    RETURNING org_id, connection_id, connection_version
), kept AS (
    UPDATE push.erp_connections c SET last_test_at = now(), last_test_result = $6
      FROM done
     WHERE c.org_id = done.org_id AND c.id = done.connection_id
       AND c.version = done.connection_version
), recorded AS (
    INSERT INTO push.outbox (org_id, id, lane, payload, headers)
    SELECT org_id, $3, 'audit', $4, $5 FROM done
)
SELECT true FROM done
"""


@dataclass(frozen=True, slots=True)
class ConnectionTest:
    """A test; `access` holds the sealed connection until there is a `result`.

    `requested_call` tells where the request came from: request_id, traceparent, ip, user_agent.
    """

    org_id: UUID
    id: UUID
    connection_id: UUID
    connection_version: int | None
    access: Sealed
    requested_by: str
    requested_call: Mapping[str, str]
    connector_type: str
    result: Mapping[str, Any] | None = None


class ConnectionTestStore:
    """Tests of every org."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def ask(self, test: ConnectionTest, expires_in: float) -> None:
        """Put a test up for `expires_in` seconds."""
        await self._database.execute(
            ASK,
            test.org_id,
            test.id,
            test.connection_id,
            test.connection_version,
            test.access.data,
            test.access.key_id,
            test.requested_by,
            dict(test.requested_call),
            expires_in,
            test.connector_type,
        )

    async def claim(
        self, worker_id: str, lease_seconds: float, connector_types: Sequence[str]
    ) -> ConnectionTest | None:
        """Lease the test that waits longest, of those that these connectors can serve."""
        row = await self._database.fetchrow(CLAIM, worker_id, lease_seconds, list(connector_types))
        return None if row is None else _test(row)

    async def count_waiting(self, limit: int) -> int:
        """How many tests wait for a worker, counted no further than `limit`."""
        count: int = await self._database.fetchval(COUNT_WAITING, limit)
        return count

    async def read(self, org_id: UUID, test_id: UUID) -> ConnectionTest | None:
        """One test; None when it never was or was swept."""
        row = await self._database.fetchrow(READ, org_id, test_id)
        return None if row is None else _test(row)

    async def finish(self, test: ConnectionTest, result: Mapping[str, Any], act: Act) -> bool:
        """Keep the result, on the connection too if what was tested is what is stored."""
        finished = await self._database.fetchval(
            FINISH, test.org_id, test.id, *act.columns(), dict(result)
        )
        return finished is not None


def _test(row: Mapping[str, Any]) -> ConnectionTest:
    return ConnectionTest(
        org_id=row["org_id"],
        id=row["id"],
        connection_id=row["connection_id"],
        connection_version=row["connection_version"],
        access=Sealed(row["access_key_id"], row["access"]),
        requested_by=row["requested_by"],
        requested_call=row["requested_call"],
        connector_type=row["connector_type"] or "",
        result=row["result"],
    )
