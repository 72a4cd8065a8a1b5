"""Deletes of what has had its time, in small batches that hold no lock for long."""

from countersign_platform.database.pool import Database

EXPIRED_KEYS = """
DELETE FROM push.idempotency_keys k
 USING (SELECT org_id, draft_id, operation, key FROM push.idempotency_keys
         WHERE expires_at <= now()
         ORDER BY expires_at LIMIT $1 FOR UPDATE SKIP LOCKED) old
 WHERE (k.org_id, k.draft_id, k.operation, k.key)
       = (old.org_id, old.draft_id, old.operation, old.key)
   AND k.expires_at <= now()
RETURNING true
"""

OLD_TESTS = """
DELETE FROM push.connection_tests t
 USING (SELECT org_id, id FROM push.connection_tests
         WHERE expires_at <= now() - interval '1 hour'
         LIMIT $1 FOR UPDATE SKIP LOCKED) old
 WHERE t.org_id = old.org_id AND t.id = old.id
RETURNING true
"""


class SweepStore:
    """One batch at a time."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def delete_expired_keys(self, limit: int) -> int:
        """Idempotency keys past their time; how many went."""
        return len(await self._database.fetch(EXPIRED_KEYS, limit))

    async def delete_old_tests(self, limit: int) -> int:
        """Connection tests that nobody waits for since an hour; how many went."""
        return len(await self._database.fetch(OLD_TESTS, limit))
