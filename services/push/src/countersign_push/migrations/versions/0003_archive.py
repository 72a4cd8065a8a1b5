"""The archive: who built a document's bytes, and which documents are not kept yet."""

from alembic import op

revision = "push_0003"
down_revision = "push_0002"

EXPORTS = """
ALTER TABLE push.exports ADD COLUMN document_builder smallint;
COMMENT ON COLUMN push.exports.document_builder IS
    'Which builder made the document that the last claim handed out; NULL: the first one.';
COMMENT ON COLUMN push.exports.archived_at IS 'Since when the bytes are in the archive.';
-- Empty but for the last few seconds where there is an archive.
CREATE INDEX exports_not_archived ON push.exports (sent_at, id)
    WHERE sent_at IS NOT NULL AND archived_at IS NULL AND document_sha256 IS NOT NULL;
"""


def upgrade() -> None:
    """Expand only: the running version works on with it."""
    op.execute(EXPORTS)
