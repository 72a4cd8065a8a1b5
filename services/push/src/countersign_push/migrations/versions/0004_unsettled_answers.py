"""Answers of the ERP that make no sense yet: whoever looks next knows since when."""

from alembic import op

revision = "push_0004"
down_revision = "push_0003"

CONNECTIONS = """
ALTER TABLE push.erp_connections ADD COLUMN acks_unsettled jsonb NOT NULL DEFAULT '{}';
COMMENT ON COLUMN push.erp_connections.acks_unsettled IS
    'By name: the state of an answer that makes no sense, and since when (epoch) it is so.';
"""


def upgrade() -> None:
    """Expand only: the running version works on with it."""
    op.execute(CONNECTIONS)
