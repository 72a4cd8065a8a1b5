"""Exports, idempotency keys, ERP connections and the hand-out of work."""

from alembic import op

from countersign_platform.outbox.table import outbox_table

revision = "push_0001"
down_revision = None

SCHEMA = """
CREATE TABLE push.erp_connections (
    org_id            uuid        NOT NULL,
    id                uuid        NOT NULL,
    name              text        NOT NULL,
    connector_type    text        NOT NULL,
    config            jsonb       NOT NULL,
    secrets           bytea,
    secrets_key_id    text,
    secret_names      text[]      NOT NULL DEFAULT '{}',
    status            text        NOT NULL DEFAULT 'ACTIVE',
    version           bigint      NOT NULL DEFAULT 1,
    created_at        timestamptz NOT NULL DEFAULT now(),
    created_by        text        NOT NULL,
    updated_at        timestamptz NOT NULL DEFAULT now(),
    last_test_at      timestamptz,
    last_test_result  jsonb,
    PRIMARY KEY (org_id, id),
    CONSTRAINT connection_status_is_known CHECK (status IN ('ACTIVE', 'DISABLED')),
    CONSTRAINT secrets_name_the_key_that_seals_them CHECK (
        (secrets IS NULL) = (secrets_key_id IS NULL))
);
COMMENT ON COLUMN push.erp_connections.secrets IS
    'AES-256-GCM of the secrets as JSON, nonce first; bound to org and connection.';
CREATE UNIQUE INDEX an_org_has_one_active_connection_per_type
    ON push.erp_connections (org_id, connector_type) WHERE status = 'ACTIVE';

CREATE TABLE push.exports (
    org_id                uuid        NOT NULL,
    id                    uuid        NOT NULL,
    draft_id              uuid        NOT NULL,
    connection_id         uuid        NOT NULL,
    status                text        NOT NULL DEFAULT 'PENDING',
    org_slug              text        NOT NULL,
    content_version       bigint      NOT NULL,
    content_sha256        bytea       NOT NULL,
    approved_at           timestamptz NOT NULL,
    file_name             text        NOT NULL,
    retry_of              uuid,
    retry_reason          text,
    created_at            timestamptz NOT NULL DEFAULT now(),
    created_by            text        NOT NULL,
    request_id            text        NOT NULL,
    traceparent           text,
    fence                 bigint      NOT NULL DEFAULT 0,
    leased_by             text,
    leased_until          timestamptz,
    attempt               integer     NOT NULL DEFAULT 0,
    next_attempt_at       timestamptz DEFAULT now(),
    offered_at            timestamptz NOT NULL DEFAULT now(),
    staged_name           text,
    staged_fence          bigint,
    document_sha256       bytea,
    outcome_unknown_since timestamptz,
    error_json            jsonb,
    sent_at               timestamptz,
    evidence              text,
    acked_at              timestamptz,
    erp_order_id          text,
    finished_at           timestamptz,
    PRIMARY KEY (org_id, id),
    FOREIGN KEY (org_id, draft_id) REFERENCES approval.draft_orders (org_id, id),
    FOREIGN KEY (org_id, connection_id) REFERENCES push.erp_connections (org_id, id),
    FOREIGN KEY (org_id, retry_of) REFERENCES push.exports (org_id, id),
    CONSTRAINT export_status_is_known CHECK (status IN ('PENDING', 'SENT', 'ACKED', 'FAILED')),
    CONSTRAINT only_a_pending_export_is_due CHECK (
        (status = 'PENDING') = (next_attempt_at IS NOT NULL)),
    CONSTRAINT only_a_pending_export_is_leased CHECK (status = 'PENDING' OR leased_until IS NULL),
    CONSTRAINT only_a_pending_export_is_held CHECK (
        status = 'PENDING' OR outcome_unknown_since IS NULL),
    CONSTRAINT a_delivered_export_says_how_it_is_known CHECK (
        (status NOT IN ('SENT', 'ACKED') OR (sent_at IS NOT NULL AND evidence IS NOT NULL))
        AND (sent_at IS NULL) = (evidence IS NULL)),
    CONSTRAINT a_failed_export_says_why CHECK (status <> 'FAILED' OR error_json IS NOT NULL),
    CONSTRAINT a_staged_export_names_its_token CHECK (
        num_nulls(staged_name, staged_fence, document_sha256) IN (0, 3))
) WITH (fillfactor = 80);
COMMENT ON COLUMN push.exports.fence IS
    'Grows by one with every claim; a report with a smaller number changes nothing.';
COMMENT ON COLUMN push.exports.staged_name IS
    'Temporary file that is the token: whoever renames it has delivered.';
COMMENT ON COLUMN push.exports.outcome_unknown_since IS
    'Set while a staged file can neither be published nor taken back: it is held.';
COMMENT ON COLUMN push.exports.offered_at IS 'When a worker was last told about it.';

-- The permanent guard below every idempotency key.
CREATE UNIQUE INDEX a_draft_has_at_most_one_active_export
    ON push.exports (org_id, draft_id) WHERE status <> 'FAILED';
CREATE UNIQUE INDEX an_export_is_retried_at_most_once
    ON push.exports (org_id, retry_of) WHERE retry_of IS NOT NULL;
CREATE INDEX exports_of_a_draft ON push.exports (org_id, draft_id, created_at DESC, id DESC);
CREATE INDEX exports_newest_first ON push.exports (org_id, created_at DESC, id DESC);
-- Answers of the ERP name the file; and no rename of ours can meet another export's file.
CREATE UNIQUE INDEX a_file_name_belongs_to_one_export
    ON push.exports (org_id, connection_id, file_name);
CREATE INDEX exports_due ON push.exports (org_id, next_attempt_at) WHERE status = 'PENDING';

CREATE FUNCTION push.export_status_moves_only_as_listed() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
    IF (OLD.status, NEW.status) NOT IN (
        ('PENDING', 'SENT'), ('PENDING', 'FAILED'), ('SENT', 'ACKED'), ('SENT', 'FAILED')) THEN
        RAISE EXCEPTION 'an export cannot go from % to %', OLD.status, NEW.status
            USING ERRCODE = 'check_violation', CONSTRAINT = 'export_status_moves_only_as_listed';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER export_status_moves_only_as_listed AFTER UPDATE OF status ON push.exports
    FOR EACH ROW WHEN (OLD.status IS DISTINCT FROM NEW.status)
    EXECUTE FUNCTION push.export_status_moves_only_as_listed();

CREATE TABLE push.idempotency_keys (
    org_id         uuid        NOT NULL,
    draft_id       uuid        NOT NULL,
    operation      text        NOT NULL,
    key            text        NOT NULL,
    request_sha256 bytea       NOT NULL,
    export_id      uuid        NOT NULL,
    created_at     timestamptz NOT NULL DEFAULT now(),
    expires_at     timestamptz NOT NULL,
    PRIMARY KEY (org_id, draft_id, operation, key),
    FOREIGN KEY (org_id, export_id) REFERENCES push.exports (org_id, id)
        DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT operation_is_known CHECK (operation IN ('push', 'retry')),
    CONSTRAINT key_is_visible_ascii CHECK (key ~ '^[\\x21-\\x7e]{1,255}$')
);
COMMENT ON COLUMN push.idempotency_keys.request_sha256 IS
    'Digest of what the caller asked for, never of live data.';
CREATE INDEX idempotency_keys_by_expiry ON push.idempotency_keys (expires_at);

CREATE TABLE push.connection_tests (
    org_id             uuid        NOT NULL,
    id                 uuid        NOT NULL,
    connection_id      uuid        NOT NULL,
    connection_version bigint,
    access             bytea       NOT NULL,
    access_key_id      text        NOT NULL,
    requested_by       text        NOT NULL,
    requested_call     jsonb       NOT NULL,
    requested_at       timestamptz NOT NULL DEFAULT now(),
    expires_at         timestamptz NOT NULL,
    leased_until       timestamptz,
    leased_by          text,
    finished_at        timestamptz,
    result             jsonb,
    PRIMARY KEY (org_id, id),
    CONSTRAINT a_finished_test_has_a_result CHECK ((finished_at IS NULL) = (result IS NULL)),
    CONSTRAINT a_finished_test_keeps_no_access CHECK (finished_at IS NULL OR access = '')
);
COMMENT ON TABLE push.connection_tests IS
    'Connection tests waiting for a worker, or done. `access` is the connection to test, sealed, '
    'because a test before the first save has no row to point at.';
COMMENT ON COLUMN push.connection_tests.connection_version IS
    'The stored version that is tested, which keeps the result; NULL: what is tested is not saved.';
COMMENT ON COLUMN push.connection_tests.requested_call IS
    'Where the request came from, for the audit row that is written with the result.';
COMMENT ON COLUMN push.connection_tests.expires_at IS
    'When nobody waits for the result any more; an unclaimed test is not begun after it.';
CREATE INDEX connection_tests_waiting ON push.connection_tests (requested_at)
    WHERE finished_at IS NULL;
"""

GRANTS = """
GRANT USAGE ON SCHEMA push TO countersign_push;
GRANT SELECT, INSERT, UPDATE ON push.erp_connections, push.exports TO countersign_push;
GRANT SELECT, INSERT, UPDATE, DELETE ON push.idempotency_keys, push.connection_tests, push.outbox
    TO countersign_push;
"""


def upgrade() -> None:
    """Create everything; the schema itself is made by the migration runner."""
    op.execute(SCHEMA)
    op.execute(outbox_table("push"))
    op.execute(GRANTS)
