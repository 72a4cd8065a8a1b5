"""Reports of many exports in one statement: the same compare-and-set for each of them.

The rows are locked first, in one order, so that two statements cannot deadlock; what holds
then holds until the end. An export whose lease is not the current one is not among them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import asyncpg

from countersign_core.errors import Unavailable
from countersign_platform.database.pool import Database
from countersign_platform.shared_calls import AskApart
from countersign_push.act import Act
from countersign_push.lease import Lease
from countersign_push.store.reports import draft_follows
from countersign_push.store.to_archive import archive_row, insert_to_archive

# OFFSET 0 keeps the planner from looking at the arrays' lengths, and so from planning anew
# (docs/decisions/0046).
_REPORTED = """
WITH reported AS (
    SELECT rows.* FROM (SELECT {arrays} OFFSET 0) arrays
     CROSS JOIN LATERAL unnest({names}) AS rows (org_id, id, fence, {columns})
), held AS MATERIALIZED (
    SELECT r.*
      FROM (SELECT set_config('lock_timeout', $1, true)) AS patience, reported r
      JOIN push.exports e ON e.org_id = r.org_id AND e.id = r.id AND e.fence = r.fence
     WHERE e.status = 'PENDING' AND e.leased_until IS NOT NULL {also}
     ORDER BY e.org_id, e.id
       FOR NO KEY UPDATE OF e
)"""

_IS_HELD = """e.org_id = r.org_id AND e.id = r.id AND e.fence = r.fence
       AND e.status = 'PENDING' AND e.leased_until IS NOT NULL"""


def _reported(columns: dict[str, str], also: str = "") -> str:
    types = ["uuid", "uuid", "bigint", *columns.values()]
    return _REPORTED.format(
        arrays=", ".join(f"${n}::{kind}[] AS c{n}" for n, kind in enumerate(types, start=2)),
        names=", ".join(f"c{n}" for n, _ in enumerate(types, start=2)),
        columns=", ".join(columns),
        also=also,
    )


STAGED_TOGETHER = f"""
{_reported({"staged_name": "text", "digest": "bytea"}, also="AND e.staged_name IS NULL")}
UPDATE push.exports e
   SET staged_name = r.staged_name, staged_fence = r.fence, document_sha256 = r.digest
  FROM held r
 WHERE {_IS_HELD} AND e.staged_name IS NULL
RETURNING e.org_id, e.id
"""

SENT_TOGETHER = f"""
{
    _reported(
        {
            "evidence": "text",
            "act_id": "uuid",
            "act": "bytea",
            "headers": "jsonb",
            "archive_id": "uuid",
        }
    )
}, done AS (
    UPDATE push.exports e
       SET status = 'SENT', sent_at = now(), evidence = r.evidence, next_attempt_at = NULL,
           leased_until = NULL, outcome_unknown_since = NULL, finished_at = now(),
           ack_due_at = now() + make_interval(secs => c.ack_sla_seconds)
      FROM held r, push.erp_connections c
     WHERE {_IS_HELD} AND c.org_id = e.org_id AND c.id = e.connection_id
    RETURNING e.org_id, e.draft_id, e.id, e.sent_at, e.document_sha256, e.archived_at,
              r.act_id, r.act, r.headers, r.archive_id
), recorded AS (
    INSERT INTO push.outbox (org_id, id, lane, payload, headers)
    SELECT org_id, act_id, 'audit', act, headers FROM done
), kept AS ({insert_to_archive("done", "archive_id")}
)
SELECT done.org_id, done.id, draft.version IS NOT NULL AS draft_moved
  FROM done
  LEFT JOIN LATERAL approval.move_draft(done.org_id, done.draft_id, '{{PUSHING}}', 'PUSHED') draft
         ON true
"""

# How long exports wait together for a lock on one of them.
_PATIENCE = "100ms"

_Export = tuple[UUID, UUID]


@dataclass(frozen=True, slots=True)
class Staged:
    """A token to be put on record."""

    lease: Lease
    staged_name: str
    document_sha256: bytes


@dataclass(frozen=True, slots=True)
class Sent:
    """A delivery to be put on record."""

    lease: Lease
    evidence: str
    act: Act


class TogetherStore:
    """Applies many reports at once; as ReportStore, False means that one changed nothing.

    Raises:
        AskApart: one of them waits for a lock or broke a constraint; none happened.
        Unavailable: the database is away.
    """

    def __init__(self, database: Database, *, archived: bool = False) -> None:
        """`archived`: what is delivered is to be put into the archive."""
        self._database = database
        self._archived = archived

    async def staged(self, reports: Sequence[Staged]) -> Sequence[bool | Exception]:
        """As ReportStore.staged for each."""
        rows = [(*_key(each.lease), each.staged_name, each.document_sha256) for each in reports]
        done = await self._run(STAGED_TOGETHER, rows)
        return _answers(reports, done)

    async def sent(self, reports: Sequence[Sent]) -> Sequence[bool | Exception]:
        """As ReportStore.sent for each."""
        rows = [
            (*_key(each.lease), each.evidence, *each.act.columns(), self._archive_row(each.lease))
            for each in reports
        ]
        done = await self._run(SENT_TOGETHER, rows)
        for row in done:
            draft_follows(row["id"], moved=row["draft_moved"])
        return _answers(reports, done)

    def _archive_row(self, lease: Lease) -> UUID | None:
        return archive_row(lease.org_id, lease.export_id) if self._archived else None

    async def _run(self, statement: str, rows: Sequence[tuple[Any, ...]]) -> list[asyncpg.Record]:
        # Of two reports of one export, as after a lost reply, only the first goes along.
        first = {row[:2]: row for row in reversed(rows)}
        columns = map(list, zip(*first.values(), strict=True))
        try:
            return await self._database.fetch(statement, _PATIENCE, *columns)
        except Unavailable as away:
            cause = away.__cause__
            if isinstance(cause, asyncpg.LockNotAvailableError | asyncpg.DeadlockDetectedError):
                raise AskApart from away
            raise
        except asyncpg.PostgresError as broken:
            raise AskApart from broken


def _answers(
    reports: Sequence[Staged] | Sequence[Sent], done: Sequence[asyncpg.Record]
) -> list[bool | Exception]:
    changed = {(row["org_id"], row["id"]) for row in done}
    answers: list[bool | Exception] = []
    asked: set[_Export] = set()
    for each in reports:
        export = (each.lease.org_id, each.lease.export_id)
        answers.append(AskApart() if export in asked else export in changed)
        asked.add(export)
    return answers


def _key(lease: Lease) -> tuple[UUID, UUID, int]:
    return lease.org_id, lease.export_id, lease.fence
