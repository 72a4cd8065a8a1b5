"""Seals: checkpoints and tombstones, one signed chain of them per org."""

from alembic import op

revision = "audit_0002"
down_revision = "audit_0001"

TABLES = """
CREATE TABLE audit.seals (
    org_id     uuid        NOT NULL,
    number     bigint      NOT NULL,
    kind       text        NOT NULL,
    seq        bigint      NOT NULL,
    link_hash  bytea       NOT NULL,
    count      bigint      NOT NULL,
    month      text,
    from_seq   bigint,
    prev_hash  bytea,
    made_at    timestamptz NOT NULL,
    previous   bytea       NOT NULL,
    seal_hash  bytea       NOT NULL,
    key_id     text        NOT NULL,
    signature  bytea       NOT NULL,
    PRIMARY KEY (org_id, number),
    CONSTRAINT seals_count_from_one CHECK (number >= 1),
    CONSTRAINT a_seal_speaks_of_a_seq CHECK (seq >= 1 AND count >= 0),
    CONSTRAINT seal_hashes_are_sha256 CHECK (
        octet_length(link_hash) = 32 AND octet_length(previous) = 32
        AND octet_length(seal_hash) = 32 AND coalesce(octet_length(prev_hash), 32) = 32),
    CONSTRAINT a_signature_is_ed25519 CHECK (octet_length(signature) = 64),
    CONSTRAINT kind_is_known CHECK (kind IN ('checkpoint', 'tombstone')),
    CONSTRAINT a_tombstone_names_its_stretch CHECK (
        num_nonnulls(month, from_seq, prev_hash) = CASE kind WHEN 'tombstone' THEN 3 ELSE 0 END)
);
COMMENT ON TABLE audit.seals IS
    'Signed statements about chains, as countersign_audit.seals has them. Written by functions '
    'only; never changed, never deleted. The archive holds a copy of each.';
COMMENT ON COLUMN audit.seals.seq IS
    'The last seq it speaks of; link_hash is the hash there. A tombstone begins with from_seq.';
COMMENT ON COLUMN audit.seals.previous IS 'seal_hash of number - 1; 32 zero bytes for number 1.';
COMMENT ON COLUMN audit.seals.seal_hash IS 'SHA-256 of the canonical form; what signature covers.';

CREATE TABLE audit.seal_heads (
    org_id         uuid        PRIMARY KEY,
    number         bigint      NOT NULL DEFAULT 0,
    seal_hash      bytea       NOT NULL DEFAULT decode(repeat('00', 32), 'hex'),
    seq            bigint      NOT NULL DEFAULT 0,
    link_hash      bytea       NOT NULL DEFAULT decode(repeat('00', 32), 'hex'),
    made_at        timestamptz NOT NULL DEFAULT clock_timestamp(),
    removed_seq    bigint      NOT NULL DEFAULT 0,
    removed_before timestamptz NOT NULL DEFAULT '-infinity',
    forgotten_seq  bigint      NOT NULL DEFAULT 0,
    archived       bigint      NOT NULL DEFAULT 0
) WITH (fillfactor = 50);
COMMENT ON TABLE audit.seal_heads IS
    'The last seal of each org; its row lock puts those who seal an org in a line.';
COMMENT ON COLUMN audit.seal_heads.seq IS 'How far the seals speak of the chain.';
COMMENT ON COLUMN audit.seal_heads.removed_seq IS
    'Events up to here were removed, and a tombstone says so; recorded before removed_before.';
COMMENT ON COLUMN audit.seal_heads.forgotten_seq IS
    'Rows of audit.event_ids up to here were removed as well.';
COMMENT ON COLUMN audit.seal_heads.archived IS 'Seals up to this number are in the archive.';
"""

APPEND_ONLY = """
CREATE FUNCTION audit.seal_head_moves_forward_only() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NEW.org_id <> OLD.org_id OR NEW.number < OLD.number OR NEW.seq < OLD.seq
       OR NEW.removed_seq < OLD.removed_seq OR NEW.removed_before < OLD.removed_before
       OR NEW.forgotten_seq < OLD.forgotten_seq OR NEW.forgotten_seq > NEW.removed_seq
       OR NEW.archived < OLD.archived OR NEW.archived > NEW.number
       OR (NEW.number = OLD.number AND (NEW.seal_hash, NEW.seq, NEW.link_hash, NEW.removed_seq)
           IS DISTINCT FROM (OLD.seal_hash, OLD.seq, OLD.link_hash, OLD.removed_seq)) THEN
        RAISE EXCEPTION 'the head of the seals moves forward only'
            USING ERRCODE = 'insufficient_privilege', CONSTRAINT = TG_NAME;
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER a_seal_never_changes BEFORE UPDATE OR DELETE ON audit.seals
    FOR EACH ROW EXECUTE FUNCTION audit.refuse_change();
CREATE TRIGGER seals_are_never_emptied BEFORE TRUNCATE ON audit.seals
    FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse_change();
CREATE TRIGGER a_seal_head_moves_forward_only BEFORE UPDATE ON audit.seal_heads
    FOR EACH ROW EXECUTE FUNCTION audit.seal_head_moves_forward_only();
CREATE TRIGGER a_seal_head_is_never_deleted BEFORE DELETE ON audit.seal_heads
    FOR EACH ROW EXECUTE FUNCTION audit.refuse_change();
CREATE TRIGGER seal_heads_are_never_emptied BEFORE TRUNCATE ON audit.seal_heads
    FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse_change();
"""

CHECKPOINTS = """
-- An org whose chain grew since its last seal, by p_events or for p_seconds; locked until the
-- transaction ends, so that no other replica takes it. No row: nothing is due.
CREATE FUNCTION audit.claim_checkpoint(p_events bigint, p_seconds float8, p_except uuid[])
RETURNS TABLE (
    org_id uuid, number bigint, seal_hash bytea, seq bigint, link_hash bytea, removed_seq bigint,
    head_seq bigint, now timestamptz)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    v_now timestamptz;
BEGIN
    INSERT INTO audit.seal_heads (org_id)
    SELECT h.org_id FROM audit.chain_heads h
     WHERE h.seq > 0 AND NOT EXISTS (SELECT FROM audit.seal_heads s WHERE s.org_id = h.org_id)
     ORDER BY h.org_id
        ON CONFLICT DO NOTHING;
    v_now := clock_timestamp();
    RETURN QUERY
    SELECT s.org_id, s.number, s.seal_hash, s.seq, s.link_hash, s.removed_seq, h.seq,
           v_now
      FROM audit.seal_heads s JOIN audit.chain_heads h ON h.org_id = s.org_id
     WHERE h.seq > s.seq AND s.org_id <> ALL (p_except)
       AND (h.seq - s.seq >= p_events OR s.made_at <= v_now - make_interval(secs => p_seconds))
     ORDER BY s.made_at LIMIT 1
       FOR UPDATE OF s SKIP LOCKED;
END $$;

CREATE FUNCTION audit.record_checkpoint(
    p_org_id uuid, p_number bigint, p_previous bytea, p_seq bigint, p_count bigint,
    p_head_hash bytea, p_made_at timestamptz, p_key_id text, p_seal_hash bytea, p_signature bytea
) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_head audit.seal_heads;
BEGIN
    SELECT * INTO v_head FROM audit.seal_heads s WHERE s.org_id = p_org_id FOR UPDATE;
    IF (p_number, p_previous) IS DISTINCT FROM (v_head.number + 1, v_head.seal_hash)
       OR p_seq <= v_head.seq OR p_count <> p_seq - v_head.removed_seq
       OR NOT EXISTS (SELECT FROM audit.events e
                       WHERE e.org_id = p_org_id AND e.seq = p_seq AND e.hash = p_head_hash) THEN
        RAISE EXCEPTION 'the checkpoint does not follow from what is on record'
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    INSERT INTO audit.seals (org_id, number, kind, seq, link_hash, count, made_at, previous,
                             seal_hash, key_id, signature)
    VALUES (p_org_id, p_number, 'checkpoint', p_seq, p_head_hash, p_count, p_made_at, p_previous,
            p_seal_hash, p_key_id, p_signature);
    UPDATE audit.seal_heads s
       SET number = p_number, seal_hash = p_seal_hash, seq = p_seq, link_hash = p_head_hash,
           made_at = p_made_at
     WHERE s.org_id = p_org_id;
END $$;

CREATE FUNCTION audit.mark_archived(p_org_id uuid, p_number bigint) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    UPDATE audit.seal_heads SET archived = p_number
     WHERE org_id = p_org_id AND archived < p_number AND p_number <= number;
$$;
"""

GRANTS = """
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA audit FROM PUBLIC;
GRANT SELECT ON audit.seals, audit.seal_heads TO countersign_audit;
GRANT EXECUTE ON FUNCTION audit.claim_checkpoint, audit.record_checkpoint, audit.mark_archived
    TO countersign_audit;
"""


def upgrade() -> None:
    """Add what checkpoints need; tombstones come with retention."""
    for part in (TABLES, APPEND_ONLY, CHECKPOINTS, GRANTS):
        op.execute(part)
