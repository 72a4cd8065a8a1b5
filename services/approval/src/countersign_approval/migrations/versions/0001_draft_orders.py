"""Draft orders, their contents, the state machine, and the one door for the push service."""

from alembic import op

from countersign_platform.outbox.table import outbox_table

revision = "approval_0001"
down_revision = None

SCHEMA = """
CREATE TABLE approval.draft_transitions (
    from_status text NOT NULL,
    to_status   text NOT NULL,
    PRIMARY KEY (from_status, to_status)
);
COMMENT ON TABLE approval.draft_transitions IS
    'The legal moves of a draft order; equal to countersign_core.lifecycle by a test.';
INSERT INTO approval.draft_transitions VALUES
    ('NEW', 'EXTRACTED'),
    ('EXTRACTED', 'NEEDS_REVIEW'), ('EXTRACTED', 'READY'),
    ('NEEDS_REVIEW', 'READY'), ('NEEDS_REVIEW', 'REJECTED'),
    ('READY', 'APPROVED'), ('READY', 'NEEDS_REVIEW'),
    ('APPROVED', 'PUSHING'), ('APPROVED', 'NEEDS_REVIEW'),
    ('PUSHING', 'PUSHED'), ('PUSHING', 'ERROR'),
    ('PUSHED', 'ERROR'),
    ('ERROR', 'PUSHING'), ('ERROR', 'NEEDS_REVIEW');

CREATE TABLE approval.draft_orders (
    org_id                   uuid        NOT NULL,
    id                       uuid        NOT NULL,
    external_ref             text        NOT NULL,
    status                   text        NOT NULL,
    version                  bigint      NOT NULL DEFAULT 1,
    content_version          bigint      NOT NULL DEFAULT 1,
    content_sha256           bytea       NOT NULL,
    submission_sha256        bytea       NOT NULL,
    erp_customer_number      text,
    customer_name            text,
    external_order_number    text,
    order_date               date,
    currency                 text,
    total_value              numeric     NOT NULL,
    line_count               integer     NOT NULL,
    blocking_reasons         jsonb       NOT NULL DEFAULT '[]',
    issues                   jsonb       NOT NULL DEFAULT '[]',
    created_at               timestamptz NOT NULL DEFAULT now(),
    created_by               text        NOT NULL,
    updated_at               timestamptz NOT NULL DEFAULT now(),
    last_edited_by           text        NOT NULL,
    approved_at              timestamptz,
    approved_by              text,
    approved_content_version bigint,
    approved_sha256          bytea,
    rejected_at              timestamptz,
    rejected_by              text,
    reject_reason            text,
    PRIMARY KEY (org_id, id),
    CONSTRAINT external_ref_is_unique_in_the_org UNIQUE (org_id, external_ref),
    CONSTRAINT draft_status_is_known CHECK (status IN (
        'NEW', 'EXTRACTED', 'NEEDS_REVIEW', 'READY', 'APPROVED',
        'PUSHING', 'PUSHED', 'ERROR', 'REJECTED')),
    CONSTRAINT approval_is_all_there_or_not_at_all CHECK (
        num_nulls(approved_at, approved_by, approved_content_version, approved_sha256) IN (0, 4)),
    CONSTRAINT a_draft_is_approved_from_approved_to_error CHECK (
        (status IN ('APPROVED', 'PUSHING', 'PUSHED', 'ERROR')) = (approved_at IS NOT NULL)),
    CONSTRAINT what_was_approved_is_what_is_stored CHECK (
        approved_sha256 IS NULL
        OR (approved_sha256 = content_sha256 AND approved_content_version = content_version)),
    CONSTRAINT a_rejected_draft_says_why CHECK (
        (status = 'REJECTED') = (rejected_at IS NOT NULL AND rejected_by IS NOT NULL
                                 AND reject_reason IS NOT NULL)),
    CONSTRAINT nothing_blocks_a_ready_draft CHECK (
        status IN ('NEW', 'EXTRACTED', 'NEEDS_REVIEW', 'REJECTED') OR blocking_reasons = '[]')
) WITH (fillfactor = 85);
COMMENT ON TABLE approval.draft_orders IS
    'One row per draft order: where it stands and what lists show. draft_contents has its content.';
COMMENT ON COLUMN approval.draft_orders.version IS
    'Counts every change of the row; the ETag of the draft.';
COMMENT ON COLUMN approval.draft_orders.content_version IS
    'The version at which the content last changed; key into draft_contents.';
COMMENT ON COLUMN approval.draft_orders.content_sha256 IS 'SHA-256 of the canonical content.';
COMMENT ON COLUMN approval.draft_orders.submission_sha256 IS
    'SHA-256 of the content as first submitted: tells a repeated submit from a changed one.';
COMMENT ON COLUMN approval.draft_orders.total_value IS
    'Sum of qty x unit_price over the lines that have both, in the order''s own currency.';

CREATE INDEX drafts_newest_first ON approval.draft_orders (org_id, created_at DESC, id DESC);
CREATE INDEX drafts_by_status_newest_first
    ON approval.draft_orders (org_id, status, created_at DESC, id DESC);
CREATE INDEX drafts_by_customer_number
    ON approval.draft_orders (org_id, erp_customer_number, created_at DESC, id DESC);

CREATE TABLE approval.draft_contents (
    org_id          uuid        NOT NULL,
    draft_id        uuid        NOT NULL,
    content_version bigint      NOT NULL,
    content         text        NOT NULL,
    content_sha256  bytea       NOT NULL,
    created_at      timestamptz NOT NULL DEFAULT now(),
    created_by      text        NOT NULL,
    PRIMARY KEY (org_id, draft_id, content_version),
    FOREIGN KEY (org_id, draft_id) REFERENCES approval.draft_orders (org_id, id)
        DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT the_digest_is_that_of_the_content
        CHECK (content_sha256 = sha256(convert_to(content, 'UTF8')))
);
COMMENT ON TABLE approval.draft_contents IS
    'Every content a draft ever had, in canonical JSON: the very bytes that the digest covers. '
    'Insert only, so what was approved can be shown, compared and exported later.';

CREATE TABLE approval.draft_status_changes (
    org_id      uuid        NOT NULL,
    id          bigint      GENERATED ALWAYS AS IDENTITY,
    draft_id    uuid        NOT NULL,
    from_status text,
    to_status   text        NOT NULL,
    version     bigint      NOT NULL,
    changed_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (org_id, id)
);
COMMENT ON TABLE approval.draft_status_changes IS
    'Feed of status changes, written by the trigger; what live views read. Swept by age.';

CREATE TABLE approval.approval_policies (
    org_id          uuid    PRIMARY KEY,
    four_eyes_above numeric NOT NULL,
    CONSTRAINT four_eyes_threshold_is_not_negative CHECK (four_eyes_above >= 0)
);
COMMENT ON TABLE approval.approval_policies IS
    'Orgs whose orders above a value need a second person. No row: off.';

-- The trigger runs as its definer: no service role may write the feed by hand.
CREATE FUNCTION approval.draft_status_moves_only_as_listed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.status NOT IN ('NEW', 'NEEDS_REVIEW', 'READY') THEN
            RAISE EXCEPTION 'a draft cannot begin as %', NEW.status
                USING ERRCODE = 'check_violation', CONSTRAINT = 'draft_status_moves_only_as_listed';
        END IF;
        INSERT INTO approval.draft_status_changes (org_id, draft_id, to_status, version)
        VALUES (NEW.org_id, NEW.id, NEW.status, NEW.version);
        RETURN NULL;
    END IF;
    PERFORM 1 FROM approval.draft_transitions t
     WHERE t.from_status = OLD.status AND t.to_status = NEW.status;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'a draft cannot go from % to %', OLD.status, NEW.status
            USING ERRCODE = 'check_violation', CONSTRAINT = 'draft_status_moves_only_as_listed';
    END IF;
    INSERT INTO approval.draft_status_changes (org_id, draft_id, from_status, to_status, version)
    VALUES (NEW.org_id, NEW.id, OLD.status, NEW.status, NEW.version);
    RETURN NULL;
END $$;

CREATE TRIGGER draft_begins_as_listed AFTER INSERT ON approval.draft_orders
    FOR EACH ROW EXECUTE FUNCTION approval.draft_status_moves_only_as_listed();
CREATE TRIGGER draft_status_moves_only_as_listed AFTER UPDATE OF status ON approval.draft_orders
    FOR EACH ROW WHEN (OLD.status IS DISTINCT FROM NEW.status)
    EXECUTE FUNCTION approval.draft_status_moves_only_as_listed();

-- The only write that the push service has in this schema. No row: the draft is not in one of
-- p_from, has another version, or the policy wants another person; the caller asks why.
CREATE FUNCTION approval.move_draft(
    p_org_id uuid, p_draft_id uuid, p_from text[], p_to text,
    p_pusher text DEFAULT NULL, p_expected_version bigint DEFAULT NULL
) RETURNS TABLE (
    version bigint, content_version bigint, content_sha256 bytea,
    approved_at timestamptz, approved_by text
)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
    IF p_to NOT IN ('PUSHING', 'PUSHED', 'ERROR') THEN
        RAISE EXCEPTION 'a push cannot move a draft to %', p_to USING ERRCODE = 'check_violation';
    END IF;
    RETURN QUERY
    UPDATE approval.draft_orders d
       SET status = p_to, version = d.version + 1, updated_at = now()
     WHERE d.org_id = p_org_id AND d.id = p_draft_id AND d.status = ANY (p_from)
       AND (p_expected_version IS NULL OR d.version = p_expected_version)
       AND (p_to <> 'PUSHING' OR p_pusher IS DISTINCT FROM d.approved_by OR NOT EXISTS (
               SELECT FROM approval.approval_policies p
                WHERE p.org_id = p_org_id AND d.total_value > p.four_eyes_above))
    RETURNING d.version, d.content_version, d.content_sha256, d.approved_at, d.approved_by;
END $$;
REVOKE ALL ON FUNCTION approval.move_draft FROM PUBLIC;

-- An approval is one statement, and what it has to record (the new version, the digest) only the
-- row knows. So these two finish the audit event that the service began.
CREATE FUNCTION approval.draft_event_id(
    p_org_id uuid, p_draft_id uuid, p_version bigint, p_action text
) RETURNS uuid LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT encode(set_byte(set_byte(name, 6, (get_byte(name, 6) & 15) | 128),
                           8, (get_byte(name, 8) & 63) | 128), 'hex')::uuid
      FROM (SELECT substr(sha256(convert_to(
               'urn:countersign|draft-event|' || p_org_id || '|' || p_draft_id || '|' || p_version
               || '|' || p_action, 'UTF8')), 1, 16) AS name) derived
$$;
COMMENT ON FUNCTION approval.draft_event_id IS
    'Equal to countersign_core.ids.draft_event_id by a test.';

CREATE FUNCTION approval.proto_text(p_field integer, p_value text) RETURNS bytea
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT set_byte('\\x00'::bytea, 0, (p_field << 3) | 2)
        || CASE WHEN length(bytes) < 128 THEN set_byte('\\x00'::bytea, 0, length(bytes))
                ELSE set_byte(set_byte('\\x0000'::bytea, 0, (length(bytes) & 127) | 128),
                              1, length(bytes) >> 7) END
        || bytes
      FROM (SELECT convert_to(p_value, 'UTF8') AS bytes) utf8
$$;
COMMENT ON FUNCTION approval.proto_text IS
    'A string field (number up to 15, value below 16 kB) on the wire of protobuf, where appending '
    'a field to a message sets it.';
"""

GRANTS = """
GRANT USAGE ON SCHEMA approval TO countersign_approval, countersign_push;
GRANT SELECT ON approval.draft_transitions, approval.draft_status_changes TO countersign_approval;
GRANT DELETE ON approval.draft_status_changes TO countersign_approval;
GRANT SELECT, INSERT, UPDATE ON approval.draft_orders TO countersign_approval;
GRANT SELECT, INSERT ON approval.draft_contents TO countersign_approval;
GRANT SELECT, INSERT, UPDATE, DELETE ON approval.approval_policies TO countersign_approval;
GRANT SELECT, INSERT, UPDATE, DELETE ON approval.outbox TO countersign_approval;
GRANT SELECT ON approval.draft_orders, approval.draft_contents, approval.approval_policies
    TO countersign_push;
GRANT EXECUTE ON FUNCTION approval.move_draft TO countersign_push;
"""


def upgrade() -> None:
    """Create everything; the schema itself is made by the migration runner."""
    op.execute(SCHEMA)
    op.execute(outbox_table("approval"))
    op.execute(GRANTS)
