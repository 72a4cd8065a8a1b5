"""Terms, pause and health of connections; cancelling; overdue answers; the archive; connectors."""

from alembic import op

revision = "push_0002"
down_revision = "push_0001"

CONNECTIONS = """
ALTER TABLE push.erp_connections
    ADD COLUMN max_attempts          integer,
    ADD COLUMN first_delay_seconds   double precision,
    ADD COLUMN longest_delay_seconds double precision,
    ADD COLUMN concurrency           integer,
    ADD COLUMN ack_sla_seconds       double precision,
    ADD COLUMN ack_poll_seconds      double precision,
    ADD COLUMN breaker               text,
    ADD COLUMN breaker_since         timestamptz,
    ADD COLUMN breaker_error         jsonb,
    ADD COLUMN breaker_seen_by       text,
    ADD COLUMN breaker_seen_at       timestamptz,
    ADD COLUMN ack_poll_due_at       timestamptz NOT NULL DEFAULT now(),
    ADD COLUMN ack_poll_leased_by    text,
    ADD COLUMN ack_poll_leased_until timestamptz,
    DROP CONSTRAINT connection_status_is_known,
    ADD CONSTRAINT connection_status_is_known CHECK (status IN ('ACTIVE', 'PAUSED', 'DISABLED')),
    ADD CONSTRAINT breaker_is_known CHECK (breaker IN ('CLOSED', 'OPEN', 'HALF_OPEN'));
COMMENT ON COLUMN push.erp_connections.max_attempts IS
    'This and the next five: the connection''s own terms. NULL: the installation''s.';
COMMENT ON COLUMN push.erp_connections.breaker IS
    'What a worker last said of its server; no part of the version.';
COMMENT ON COLUMN push.erp_connections.ack_poll_due_at IS
    'When answers are looked for next; one worker at a time holds the lease on it.';
DROP INDEX push.an_org_has_one_active_connection_per_type;
CREATE UNIQUE INDEX an_org_has_one_active_connection_per_type
    ON push.erp_connections (org_id, connector_type) WHERE status <> 'DISABLED';
"""

EXPORTS = """
ALTER TABLE push.exports
    ADD COLUMN cancel_requested_at timestamptz,
    ADD COLUMN ack_due_at          timestamptz,
    ADD COLUMN archived_at         timestamptz,
    ADD CONSTRAINT only_a_delivered_export_awaits_an_answer CHECK (
        ack_due_at IS NULL OR sent_at IS NOT NULL);
COMMENT ON COLUMN push.exports.cancel_requested_at IS
    'An operator asked to take it back; a claim after that withdraws the token.';
COMMENT ON COLUMN push.exports.ack_due_at IS
    'When the ERP''s answer is due, by ack_sla_seconds at the time of delivery.';
-- By connection, so that a long queue takes nobody's turn and a paused one is stepped over.
DROP INDEX push.exports_due;
CREATE INDEX exports_due ON push.exports (org_id, connection_id, next_attempt_at)
    WHERE status = 'PENDING';
CREATE INDEX exports_awaiting_an_answer ON push.exports (ack_due_at)
    WHERE status = 'SENT' AND ack_due_at IS NOT NULL;
"""

CONNECTORS = """
CREATE TABLE push.connectors (
    connector_type text        PRIMARY KEY,
    config_schema  jsonb       NOT NULL,
    secret_names   text[]      NOT NULL,
    title          text        NOT NULL,
    announced_by   text        NOT NULL,
    announced_at   timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE push.connectors IS
    'Connector plug-ins that workers announced; the built-in ones are known without it. '
    'The one table without an org: connectors are installed, not owned.';
GRANT SELECT, INSERT, UPDATE, DELETE ON push.connectors TO countersign_push;
"""

LANES = """
ALTER TABLE push.outbox
    DROP CONSTRAINT lane_is_known,
    ADD CONSTRAINT lane_is_known CHECK (lane IN ('work', 'audit', 'archive'));
"""


def upgrade() -> None:
    """Expand only: the running version works on with it."""
    for part in (CONNECTIONS, EXPORTS, CONNECTORS, LANES):
        op.execute(part)
