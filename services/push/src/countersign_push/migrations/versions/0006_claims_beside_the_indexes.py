"""A claim and a token on record touch no index: a row of `exports` has room for its versions."""

from alembic import op

revision = "push_0006"
down_revision = "push_0005"

# An update that changes no indexed column, on a page with room, writes no index entry (HOT). The
# digest is in no index any more: it comes with the token, before an export can be delivered.
EXPORTS = "ALTER TABLE push.exports SET (fillfactor = 50)"
OUT_OF_THE_WAY = "DROP INDEX CONCURRENTLY IF EXISTS push.exports_to_archive"
INDEX = """
CREATE INDEX CONCURRENTLY exports_to_archive ON push.exports (sent_at, id)
    WHERE sent_at IS NOT NULL AND archived_at IS NULL
"""
OLD_INDEX = "DROP INDEX CONCURRENTLY IF EXISTS push.exports_not_archived"


def upgrade() -> None:
    """The running version works on with it; nobody waits for a lock meanwhile."""
    op.execute(EXPORTS)
    with op.get_context().autocommit_block():
        for statement in (OUT_OF_THE_WAY, INDEX, OLD_INDEX):
            op.execute(statement)
