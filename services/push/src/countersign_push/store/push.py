"""The statement that pushes: the draft's move, the export, the key and both outbox rows.

One round trip for one draft or for five hundred. Whoever loses the race on a draft's row lock
moves nothing: the statement's snapshot is older than the winner's commit and cannot see the
winner's export or key, so push_findings reads them in a second statement. What one snapshot
cannot rule out a constraint refuses, and with it the whole statement: a key that came
meanwhile, an active export, an export that was retried already.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg

from countersign_core.errors import Unavailable
from countersign_core.lifecycle import ExportStatus
from countersign_platform.database.pool import Database
from countersign_push.errors import PushCollision
from countersign_push.push_intent import Operation, PushIntent
from countersign_push.push_refusal import Replay

_PUSH = """
WITH asked (draft_id, export_id, connection_id, expected_version, reason,
            request_sha256, work_id, work, act_id, act) AS (
    {asked}
), known AS MATERIALIZED (
    SELECT a.*, replay.replayed_id, replay.replayed_status, replay.same_request,
           replay.lifetime_seconds, choice.usable, choice.chosen_id, last.last_id, last.last_status
      FROM asked a
     CROSS JOIN LATERAL (
           SELECT count(*) AS usable, (array_agg(c.id))[1] AS chosen_id
             FROM push.erp_connections c
            WHERE c.org_id = $1 AND c.status <> 'DISABLED'
              AND (a.connection_id IS NULL OR c.id = a.connection_id)) choice
      LEFT JOIN LATERAL (
           SELECT e.id AS replayed_id, e.status AS replayed_status,
                  k.request_sha256 = a.request_sha256 AS same_request,
                  extract(epoch FROM k.expires_at - now())::float8 AS lifetime_seconds
             FROM push.idempotency_keys k
             JOIN push.exports e ON e.org_id = k.org_id AND e.id = k.export_id
            WHERE k.org_id = $1 AND k.draft_id = a.draft_id AND k.operation = $2 AND k.key = $3
              AND k.expires_at > now() LIMIT 1) replay ON true
      LEFT JOIN LATERAL (
           SELECT e.id AS last_id, e.status AS last_status
             FROM push.exports e
            WHERE $2 = 'retry' AND e.org_id = $1 AND e.draft_id = a.draft_id
            ORDER BY e.created_at DESC, e.id DESC LIMIT 1) last ON true
     -- Every batch locks its drafts in one order, so that two batches cannot deadlock.
     ORDER BY a.draft_id
), free AS MATERIALIZED (
    SELECT * FROM known
     WHERE usable = 1 AND replayed_id IS NULL AND ($2 = 'push' OR last_status = 'FAILED')
), moved AS MATERIALIZED (
    SELECT free.*, draft.content_version, draft.content_sha256, draft.approved_at
      FROM free
     CROSS JOIN LATERAL approval.move_draft(
           $1, free.draft_id, CASE $2 WHEN 'push' THEN '{{APPROVED}}' ELSE '{{ERROR}}' END::text[],
           'PUSHING', $4, free.expected_version) draft
), exported AS (
    INSERT INTO push.exports (
           org_id, id, draft_id, connection_id, org_slug, content_version, content_sha256,
           approved_at, file_name, retry_of, retry_reason, created_by, request_id, traceparent)
    SELECT $1, export_id, draft_id, chosen_id, $5, content_version, content_sha256, approved_at,
           format('sales_order_%s_%s_%s.json', draft_id,
                  to_char(now() AT TIME ZONE 'UTC', 'YYYYMMDD"T"HH24MISS"Z"'),
                  left(export_id::text, 8)),
           last_id, nullif(reason, ''), $4, $6, $7
      FROM moved
), keyed AS (
    INSERT INTO push.idempotency_keys AS k (
           org_id, draft_id, operation, key, request_sha256, export_id, expires_at)
    SELECT $1, draft_id, $2, $3, request_sha256, export_id, now() + $9
      FROM moved WHERE $3 IS NOT NULL
        ON CONFLICT (org_id, draft_id, operation, key) DO UPDATE
       SET request_sha256 = excluded.request_sha256, created_at = now(),
           expires_at = excluded.expires_at,
           -- Only an expired key may be taken over. One that came since this statement began
           -- makes NULL here, which NOT NULL refuses together with everything above.
           export_id = CASE WHEN k.expires_at <= now() THEN excluded.export_id END
), told AS (
    INSERT INTO push.outbox (org_id, id, lane, payload, headers)
    SELECT $1, row.id, row.lane, row.payload, $8
      FROM moved
     CROSS JOIN LATERAL (VALUES (work_id, 'work', work), (act_id, 'audit', act))
        AS row (id, lane, payload)
)
SELECT known.export_id AS asked_id, moved.export_id IS NOT NULL AS made,
       known.replayed_id, known.replayed_status, known.same_request, known.lifetime_seconds
  FROM known LEFT JOIN moved USING (draft_id)
"""

# One body, two sources: the planner makes a better plan for one row of scalars than for an
# array of one (measured: 0.85 against 1.1 ms).
PUSH_ONE = _PUSH.format(
    asked="SELECT $10::uuid, $11::uuid, $12::uuid, $13::bigint, $14::text,"
    " $15::bytea, $16::uuid, $17::bytea, $18::uuid, $19::bytea"
)
PUSH_MANY = _PUSH.format(
    asked="SELECT * FROM unnest($10::uuid[], $11::uuid[], $12::uuid[], $13::bigint[],"
    " $14::text[], $15::bytea[], $16::uuid[], $17::bytea[], $18::uuid[], $19::bytea[])"
)

# A race that a constraint decided; any other violation is a defect and stays one.
_RACES = frozenset(
    {
        "a_draft_has_at_most_one_active_export",
        "an_export_is_retried_at_most_once",
        "export_id",  # NOT NULL of idempotency_keys: the key came meanwhile
    }
)


@dataclass(frozen=True, slots=True)
class PushItem:
    """One draft of a push, with the ids and messages that its rows will have.

    `work` is a serialized ExportRequested, `act` a serialized AuditEvent.
    """

    intent: PushIntent
    export_id: UUID
    request_sha256: bytes
    work_id: UUID
    work: bytes
    act_id: UUID
    act: bytes


@dataclass(frozen=True, slots=True)
class PushBatch:
    """What the statement takes: one operation, by one caller, on drafts of one org."""

    org_id: UUID
    org_slug: str
    operation: Operation
    key: str | None
    key_lifetime: timedelta
    pusher: str
    request_id: str
    traceparent: str | None
    headers: dict[str, str]
    items: Sequence[PushItem]

    def only(self, items: Sequence[PushItem]) -> "PushBatch":
        """The same push of fewer drafts."""
        return replace(self, items=items)


@dataclass(frozen=True, slots=True)
class Pushed:
    """The export was made."""


class PushStore:
    """Pushes drafts."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def push(self, batch: PushBatch) -> dict[UUID, Pushed | Replay | None]:
        """All of `batch` in one statement, by export id; None: nothing moved.

        Raises:
            PushCollision: a constraint decided a race; nothing of the batch happened.
        """
        try:
            rows = await self._run(batch)
        except (asyncpg.UniqueViolationError, asyncpg.NotNullViolationError) as violation:
            if {violation.constraint_name, violation.column_name} & _RACES:
                raise PushCollision from violation
            raise
        except Unavailable as away:
            if isinstance(away.__cause__, asyncpg.DeadlockDetectedError):
                raise PushCollision from away
            raise
        return {row["asked_id"]: _answer(row) for row in rows}

    async def _run(self, batch: PushBatch) -> list[asyncpg.Record]:
        items = [_item_arguments(item) for item in batch.items]
        if len(items) == 1:
            return await self._database.fetch(PUSH_ONE, *_arguments(batch), *items[0])
        columns = map(list, zip(*items, strict=True))
        return await self._database.fetch(PUSH_MANY, *_arguments(batch), *columns)


def _arguments(batch: PushBatch) -> list[Any]:
    return [
        batch.org_id,
        batch.operation,
        batch.key,
        batch.pusher,
        batch.org_slug,
        batch.request_id,
        batch.traceparent,
        batch.headers,
        batch.key_lifetime,
    ]


def _item_arguments(item: PushItem) -> tuple[Any, ...]:
    return (
        item.intent.draft_id,
        item.export_id,
        item.intent.connection_id,
        item.intent.expected_version,
        item.intent.reason,
        item.request_sha256,
        item.work_id,
        item.work,
        item.act_id,
        item.act,
    )


def _answer(row: asyncpg.Record) -> Pushed | Replay | None:
    return Pushed() if row["made"] else replay_of(row)


def replay_of(row: asyncpg.Record) -> Replay | None:
    """The replay in a row of either statement; None when the key points at nothing."""
    if row["replayed_id"] is None:
        return None
    return Replay(
        export_id=row["replayed_id"],
        status=ExportStatus(row["replayed_status"]),
        same_request=row["same_request"],
        lifetime_seconds=row["lifetime_seconds"],
    )
