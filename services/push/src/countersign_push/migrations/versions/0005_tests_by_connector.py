"""Connection tests say which connector they need."""

from alembic import op

revision = "push_0005"
down_revision = "push_0004"

TESTS = """
ALTER TABLE push.connection_tests ADD COLUMN connector_type text;
COMMENT ON COLUMN push.connection_tests.connector_type IS
    'NULL: asked for by a version that did not say so; any worker takes it.';
"""


def upgrade() -> None:
    """Expand only: the running version works on with it."""
    op.execute(TESTS)
