"""ERP connections: every change is one statement with its audit row."""

from collections.abc import Mapping
from dataclasses import astuple
from typing import Any
from uuid import UUID

import asyncpg

from countersign_core.errors import CountersignError
from countersign_core.reasons import Reason
from countersign_platform.database.pool import Database
from countersign_push.act import Act
from countersign_push.connection import (
    BreakerState,
    Connection,
    ConnectionHealth,
    ConnectionStatus,
    DeliveryTerms,
)
from countersign_push.store.work import ConnectionRow, sealed

_COLUMNS = """org_id, id, name, connector_type, config, secrets, secrets_key_id, secret_names,
       status, version, created_at, updated_at, last_test_at, last_test_result,
       max_attempts, first_delay_seconds, longest_delay_seconds, concurrency,
       ack_sla_seconds, ack_poll_seconds,
       -- A worker that has been silent for so long says nothing about now.
       CASE WHEN breaker_seen_at > now() - interval '15 minutes' THEN breaker END AS breaker,
       breaker_since, breaker_error"""

_TERMS = ", ".join(DeliveryTerms.__slots__)

_RECORDED = """
    INSERT INTO push.outbox (org_id, id, lane, payload, headers)
    SELECT org_id, $3, 'audit', $4, $5 FROM done"""

CREATE = f"""
WITH done AS (
    INSERT INTO push.erp_connections (
           org_id, id, name, connector_type, config, secrets, secrets_key_id, secret_names,
           created_by, last_test_at, last_test_result, {_TERMS})
    VALUES ($1, $2, $6, $7, $8, $9, $10, $11, $12,
            CASE WHEN $13::jsonb IS NOT NULL THEN now() END, $13::jsonb,
            $14, $15, $16, $17, $18, $19)
    RETURNING {_COLUMNS}
), recorded AS ({_RECORDED}
)
SELECT * FROM done
"""

CHANGE = f"""
WITH done AS (
    UPDATE push.erp_connections
       SET name = $6, config = $7, secret_names = $10,
           -- Secrets that are not meant to change may have been sealed anew meanwhile.
           secrets = CASE WHEN $20 THEN $8 ELSE secrets END,
           secrets_key_id = CASE WHEN $20 THEN $9 ELSE secrets_key_id END,
           status = $11, version = version + 1, updated_at = now(),
           last_test_at = CASE WHEN $13::jsonb IS NULL THEN last_test_at ELSE now() END,
           last_test_result = coalesce($13::jsonb, last_test_result),
           ({_TERMS}) = ($14, $15, $16, $17, $18, $19)
     WHERE org_id = $1 AND id = $2 AND version = $12
    RETURNING {_COLUMNS}
), recorded AS ({_RECORDED}
)
SELECT * FROM done
"""

READ = f"SELECT {_COLUMNS} FROM push.erp_connections WHERE org_id = $1 AND id = $2"

LIST = f"""
SELECT {_COLUMNS} FROM push.erp_connections WHERE org_id = $1 ORDER BY created_at DESC, id DESC
"""

READ_ACTIVE = """
SELECT id FROM push.erp_connections
 WHERE org_id = $1 AND connector_type = $2 AND status <> 'DISABLED'
"""

# A connection that was switched off is swept a day longer: for leftovers and late answers.
DROPZONES = """
SELECT org_id, id, connector_type, config, secrets, secrets_key_id, version, concurrency
  FROM push.erp_connections c
 WHERE c.status <> 'DISABLED' OR c.updated_at > now() - interval '1 day'
    OR EXISTS (SELECT FROM push.exports e
                WHERE e.org_id = c.org_id AND e.connection_id = c.id AND e.status = 'PENDING')
 ORDER BY org_id, id
"""


NOTE_HEALTH = """
UPDATE push.erp_connections
   SET breaker_since = CASE WHEN breaker IS DISTINCT FROM $3 THEN now() ELSE breaker_since END,
       breaker = $3, breaker_error = $4, breaker_seen_by = $5, breaker_seen_at = now()
 WHERE org_id = $1 AND id = $2
"""


class ConnectionStore:
    """Connections of one org at a time, and the dropzones and health of all."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(
        self, made: Connection, created_by: str, test: Mapping[str, Any] | None, act: Act
    ) -> Connection:
        """Insert it ACTIVE; `test` is what a test before the save found.

        Raises:
            CountersignError: CONNECTION_ALREADY_ACTIVE.
        """
        row = await self._write(
            CREATE,
            made,
            act,
            made.name,
            made.connector_type,
            made.config,
            *_sealed_columns(made),
            list(made.secret_names),
            created_by,
            test,
            *astuple(made.terms),
        )
        assert row is not None
        return _connection(row)

    async def change(
        self, before: Connection, after: Connection, test: Mapping[str, Any] | None, act: Act
    ) -> Connection | None:
        """Replace what can change; None when it is no longer at the version of `before`.

        Raises:
            CountersignError: CONNECTION_ALREADY_ACTIVE.
        """
        row = await self._write(
            CHANGE,
            after,
            act,
            after.name,
            after.config,
            *_sealed_columns(after),
            list(after.secret_names),
            after.status.value,
            before.version,
            test,
            *astuple(after.terms),
            after.secrets != before.secrets,
        )
        return None if row is None else _connection(row)

    async def read(self, org_id: UUID, connection_id: UUID) -> Connection | None:
        """One connection of the org."""
        row = await self._database.fetchrow(READ, org_id, connection_id)
        return None if row is None else _connection(row)

    async def all(self, org_id: UUID) -> list[Connection]:
        """All connections of the org, newest first."""
        return [_connection(row) for row in await self._database.fetch(LIST, org_id)]

    async def dropzones(self) -> list[ConnectionRow]:
        """Every connection, of any org, that may hold files of ours."""
        return [
            ConnectionRow(
                org_id=row["org_id"],
                id=row["id"],
                connector_type=row["connector_type"],
                config=row["config"],
                secrets=sealed(row),
                version=row["version"],
                concurrency=row["concurrency"],
            )
            for row in await self._database.fetch(DROPZONES)
        ]

    async def note_health(
        self, org_id: UUID, connection_id: UUID, health: ConnectionHealth, worker_id: str
    ) -> None:
        """What a worker saw of the server; no change of the connection itself."""
        error = {"code": health.failure, "message": health.message} if health.failure else None
        await self._database.execute(
            NOTE_HEALTH, org_id, connection_id, health.breaker.value, error, worker_id
        )

    async def _write(
        self, statement: str, connection: Connection, act: Act, *values: Any
    ) -> asyncpg.Record | None:
        try:
            return await self._database.fetchrow(
                statement, connection.org_id, connection.id, *act.columns(), *values
            )
        except asyncpg.UniqueViolationError as violation:
            if violation.constraint_name != "an_org_has_one_active_connection_per_type":
                raise
            raise await self._already_active(connection) from violation

    async def _already_active(self, connection: Connection) -> CountersignError:
        active = await self._database.fetchval(
            READ_ACTIVE, connection.org_id, connection.connector_type
        )
        return CountersignError(
            Reason.CONNECTION_ALREADY_ACTIVE,
            f"An active {connection.connector_type} connection exists",
            connector_type=connection.connector_type,
            erp_connection_id=str(active or ""),
        )


def _sealed_columns(connection: Connection) -> tuple[bytes | None, str | None]:
    if connection.secrets is None:
        return None, None
    return connection.secrets.data, connection.secrets.key_id


def _connection(row: Mapping[str, Any]) -> Connection:
    return Connection(
        org_id=row["org_id"],
        id=row["id"],
        name=row["name"],
        connector_type=row["connector_type"],
        config=row["config"],
        secret_names=tuple(row["secret_names"]),
        status=ConnectionStatus(row["status"]),
        version=row["version"],
        secrets=sealed(row),
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        last_test_at=row["last_test_at"],
        last_test_result=row["last_test_result"],
        terms=DeliveryTerms(**{name: row[name] for name in DeliveryTerms.__slots__}),
        health=_health(row),
    )


def _health(row: Mapping[str, Any]) -> ConnectionHealth | None:
    if row["breaker"] is None:
        return None
    error = row["breaker_error"] or {}
    return ConnectionHealth(
        breaker=BreakerState(row["breaker"]),
        since=row["breaker_since"],
        failure=error.get("code", ""),
        message=error.get("message", ""),
    )
