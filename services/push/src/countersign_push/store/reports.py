"""What workers report, each a compare-and-set on the fence.

The draft's move and the audit row are part of the same statement.

A lease is out while `leased_until` is set; being put off, released or finished clears it. So
a report that was delayed on the network changes nothing after a later one of the same lease.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

import structlog

from countersign_platform.database.pool import Database
from countersign_push.act import Act
from countersign_push.lease import AttemptError, Lease
from countersign_push.lease_terms import LeaseTerms
from countersign_push.store.to_archive import archive_row, insert_to_archive

_log = structlog.get_logger()

_HELD_BY_LEASE = """e.org_id = $1 AND e.id = $2 AND e.fence = $3
       AND e.status = 'PENDING' AND e.leased_until IS NOT NULL"""

_ERROR = """jsonb_build_object(
               'code', $4::text, 'message', $5::text, 'attempt', e.attempt,
               'at', to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'))"""

# $6 base, $7 cap, $8 jitter, in seconds, where the connection has no terms of its own; the
# exponent is bounded so that it cannot overflow.
_BACKOFF = """now() + make_interval(secs =>
               least(coalesce(c.longest_delay_seconds, $7::float8),
                     coalesce(c.first_delay_seconds, $6::float8)
                     * power(2, least(e.attempt - 1, 40)))
               * (1 - $8::float8 * random()))"""

_OF_CONNECTION = """c.org_id = e.org_id AND c.id = e.connection_id"""

_FINISHED = """next_attempt_at = NULL, leased_until = NULL, outcome_unknown_since = NULL,
           finished_at = now()"""

_RECORDED = """
    INSERT INTO push.outbox (org_id, id, lane, payload, headers)
    SELECT org_id, {id}, 'audit', {payload}, {headers} FROM done"""

STAGED = f"""
UPDATE push.exports e SET staged_name = $4, staged_fence = $3, document_sha256 = $5
 WHERE {_HELD_BY_LEASE} AND e.staged_name IS NULL
RETURNING true
"""

SENT = f"""
WITH done AS (
    UPDATE push.exports e
       SET status = 'SENT', sent_at = now(), evidence = $4, {_FINISHED},
           ack_due_at = now() + make_interval(secs => c.ack_sla_seconds)
      FROM push.erp_connections c
     WHERE {_HELD_BY_LEASE} AND {_OF_CONNECTION}
    RETURNING e.org_id, e.draft_id, e.id, e.sent_at, e.document_sha256, e.archived_at
), recorded AS ({_RECORDED.format(id="$5", payload="$6", headers="$7")}
), kept AS ({insert_to_archive("done", "$8")}
)
SELECT draft.version IS NOT NULL AS draft_moved
  FROM done
  LEFT JOIN LATERAL approval.move_draft(done.org_id, done.draft_id, '{{PUSHING}}', 'PUSHED') draft
         ON true
"""

FAILED = f"""
WITH done AS (
    UPDATE push.exports e SET status = 'FAILED', error_json = {_ERROR}, {_FINISHED}
     WHERE {_HELD_BY_LEASE} AND (e.staged_name IS NULL OR $9)
    RETURNING e.org_id, e.draft_id
), recorded AS ({_RECORDED.format(id="$6", payload="$7", headers="$8")}
)
SELECT draft.version IS NOT NULL AS draft_moved
  FROM done
  LEFT JOIN LATERAL approval.move_draft(done.org_id, done.draft_id, '{{PUSHING}}', 'ERROR') draft
         ON true
"""

# A held export stays held: being put off again does not tell what became of it. A token that
# was taken back ($9) is none any more, and that does tell. $10: the ERP's own wish, in seconds.
DEFERRED = f"""
UPDATE push.exports e
   SET error_json = {_ERROR}, leased_until = NULL,
       next_attempt_at = greatest({_BACKOFF}, now() + make_interval(secs => $10::float8)),
       staged_name = CASE WHEN NOT $9 THEN e.staged_name END,
       staged_fence = CASE WHEN NOT $9 THEN e.staged_fence END,
       document_sha256 = CASE WHEN NOT $9 THEN e.document_sha256 END,
       outcome_unknown_since = CASE WHEN NOT $9 THEN e.outcome_unknown_since END
  FROM push.erp_connections c
 WHERE {_HELD_BY_LEASE} AND {_OF_CONNECTION}
RETURNING e.next_attempt_at
"""

HELD = f"""
UPDATE push.exports e
   SET error_json = {_ERROR}, next_attempt_at = {_BACKOFF}, leased_until = NULL,
       outcome_unknown_since = coalesce(e.outcome_unknown_since, now())
  FROM push.erp_connections c
 WHERE {_HELD_BY_LEASE} AND {_OF_CONNECTION} AND e.staged_name IS NOT NULL
RETURNING e.next_attempt_at
"""

RENEW = f"""
UPDATE push.exports e SET leased_until = now() + make_interval(secs => $4)
 WHERE {_HELD_BY_LEASE}
RETURNING e.leased_until
"""

RELEASE = f"""
UPDATE push.exports e
   SET attempt = e.attempt - 1, next_attempt_at = now(), leased_until = NULL
 WHERE {_HELD_BY_LEASE}
RETURNING true
"""


class ReportStore:
    """Applies reports; a falsy answer means that the compare-and-set changed nothing."""

    def __init__(self, database: Database, terms: LeaseTerms, *, archived: bool = False) -> None:
        """`archived`: what is delivered is to be put into the archive."""
        self._database = database
        self._terms = terms
        self._archived = archived

    async def staged(self, lease: Lease, staged_name: str, document_sha256: bytes) -> bool:
        """Put the token on record."""
        return (
            await self._database.fetchval(STAGED, *_key(lease), staged_name, document_sha256)
            is not None
        )

    async def sent(self, lease: Lease, evidence: str, act: Act) -> bool:
        """PENDING → SENT, draft → PUSHED."""
        row = archive_row(lease.org_id, lease.export_id) if self._archived else None
        return await self._finish(SENT, lease, evidence, *act.columns(), row)

    async def failed(self, lease: Lease, error: AttemptError, act: Act, *, withdrawn: bool) -> bool:
        """PENDING → FAILED, draft → ERROR; a staged export only if it was `withdrawn`."""
        return await self._finish(
            FAILED, lease, error.code, error.message, *act.columns(), withdrawn
        )

    async def deferred(
        self, lease: Lease, error: AttemptError, *, withdrawn: bool, retry_after_seconds: float
    ) -> datetime | None:
        """Put the export off; when it is due again. `withdrawn`: nothing is staged any more."""
        return await self._put_off(DEFERRED, lease, error, withdrawn, retry_after_seconds)

    async def held(self, lease: Lease, error: AttemptError) -> datetime | None:
        """Put a staged export off with its outcome unknown; when it is due again."""
        return await self._put_off(HELD, lease, error)

    async def renewed(self, lease: Lease) -> datetime | None:
        """Extend the lease; its new end."""
        end: datetime | None = await self._database.fetchval(
            RENEW, *_key(lease), self._terms.lease_seconds
        )
        return end

    async def released(self, lease: Lease) -> bool:
        """Give the lease back and uncount the attempt."""
        return await self._database.fetchval(RELEASE, *_key(lease)) is not None

    async def _finish(self, statement: str, lease: Lease, *values: Any) -> bool:
        row = await self._database.fetchrow(statement, *_key(lease), *values)
        if row is not None:
            draft_follows(lease.export_id, moved=row["draft_moved"])
        return row is not None

    async def _put_off(
        self, statement: str, lease: Lease, error: AttemptError, *more: Any
    ) -> datetime | None:
        terms = self._terms
        backoff = (terms.backoff_base, terms.backoff_cap, terms.backoff_jitter)
        due: datetime | None = await self._database.fetchval(
            statement, *_key(lease), error.code, error.message, *backoff, *more
        )
        return due


def draft_follows(export_id: UUID, *, moved: bool) -> None:
    """Say so if a draft did not move with its export."""
    if not moved:
        # The export's truth stands; a draft that is not PUSHING beside it is a defect.
        _log.error("draft_did_not_follow_its_export", export_id=str(export_id))


def _key(lease: Lease) -> tuple[Any, ...]:
    return lease.org_id, lease.export_id, lease.fence
