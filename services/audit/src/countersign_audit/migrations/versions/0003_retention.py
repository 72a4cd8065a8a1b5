"""Retention: months that are old enough go, leaving tombstones; legal holds keep what they hold."""

from alembic import op

revision = "audit_0003"
down_revision = "audit_0002"

HOLDS = """
CREATE TABLE audit.legal_holds (
    org_id     uuid        NOT NULL,
    number     bigint      NOT NULL,
    held       boolean     NOT NULL,
    reason     text        NOT NULL,
    changed_by text        NOT NULL,
    changed_at timestamptz NOT NULL,
    PRIMARY KEY (org_id, number),
    CONSTRAINT a_hold_has_a_reason CHECK (reason <> '')
);
COMMENT ON TABLE audit.legal_holds IS
    'Every change of an org''s legal hold; the last one counts. Never changed, never deleted.';

CREATE TRIGGER a_hold_never_changes BEFORE UPDATE OR DELETE ON audit.legal_holds
    FOR EACH ROW EXECUTE FUNCTION audit.refuse_change();
CREATE TRIGGER holds_are_never_emptied BEFORE TRUNCATE ON audit.legal_holds
    FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse_change();

CREATE FUNCTION audit.is_held(p_org_id uuid) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce((SELECT h.held FROM audit.legal_holds h WHERE h.org_id = p_org_id
                      ORDER BY h.number DESC LIMIT 1), false);
$$;

-- Null: that is how it is already (a hold: for that reason). Otherwise the change's number.
CREATE FUNCTION audit.set_legal_hold(
    p_org_id uuid, p_held boolean, p_reason text, p_changed_by text
) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_last audit.legal_holds;
BEGIN
    -- One change after the other; no month is removed meanwhile.
    LOCK TABLE audit.legal_holds IN SHARE ROW EXCLUSIVE MODE;
    SELECT * INTO v_last FROM audit.legal_holds h WHERE h.org_id = p_org_id
     ORDER BY h.number DESC LIMIT 1;
    IF (v_last.held = p_held AND v_last.reason = p_reason)
       OR (NOT p_held AND NOT coalesce(v_last.held, false)) THEN
        RETURN NULL;
    END IF;
    INSERT INTO audit.legal_holds (org_id, number, held, reason, changed_by, changed_at)
    VALUES (p_org_id, coalesce(v_last.number, 0) + 1, p_held, p_reason, p_changed_by,
            clock_timestamp());
    RETURN coalesce(v_last.number, 0) + 1;
END $$;
"""

REMOVAL = """
-- What is older than this may go, whatever a service is told: a year, at the least.
CREATE FUNCTION audit.is_removable(p_month text) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT ((p_month || '-01')::timestamp + interval '1 month') AT TIME ZONE 'UTC'
           <= now() - interval '365 days';
$$;

-- The last seal of each of these orgs; nobody else seals them until the transaction ends.
CREATE FUNCTION audit.lock_seal_heads(p_org_id uuid[])
RETURNS TABLE (org_id uuid, number bigint, seal_hash bytea, now timestamptz)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    INSERT INTO audit.seal_heads (org_id) SELECT o FROM unnest(p_org_id) AS o ORDER BY o
        ON CONFLICT DO NOTHING;
    PERFORM 1 FROM audit.seal_heads s WHERE s.org_id = ANY (p_org_id) ORDER BY s.org_id FOR UPDATE;
    RETURN QUERY SELECT s.org_id, s.number, s.seal_hash, clock_timestamp()
                   FROM audit.seal_heads s WHERE s.org_id = ANY (p_org_id);
END $$;

-- Removes from a month (UTC, like 2025-03) the events of the orgs that a tombstone is given for,
-- and puts the tombstones on record. The events of other orgs stay. How many were removed.
CREATE FUNCTION audit.remove_month(
    p_month text, p_org_id uuid[], p_number bigint[], p_previous bytea[], p_from_seq bigint[],
    p_to_seq bigint[], p_count bigint[], p_prev_hash bytea[], p_last_hash bytea[],
    p_removed_at timestamptz[], p_key_id text[], p_seal_hash bytea[], p_signature bytea[]
) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_from  timestamptz := (p_month || '-01')::timestamp AT TIME ZONE 'UTC';
    v_until timestamptz := ((p_month || '-01')::timestamp + interval '1 month') AT TIME ZONE 'UTC';
    v_name  text := 'events_' || replace(p_month, '-', '_');
    v_kept  boolean;
    v_wrong uuid;
BEGIN
    IF p_month !~ '^[0-9]{4}-[0-9]{2}$' OR NOT audit.is_removable(p_month) THEN
        RAISE EXCEPTION 'the month % is not a year old', p_month
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF to_regclass('audit.' || v_name) IS NULL THEN
        RETURN 0;
    END IF;

    -- No hold is set from here on, and nobody else seals these orgs.
    LOCK TABLE audit.legal_holds IN SHARE MODE;
    PERFORM audit.lock_seal_heads(p_org_id);

    -- A tombstone says what is on record, follows the last seal, and leaves no gap behind it.
    WITH said AS (
        SELECT * FROM unnest(p_org_id, p_number, p_previous, p_from_seq, p_to_seq, p_count,
                             p_prev_hash, p_last_hash)
            AS t (org_id, number, previous, from_seq, to_seq, count, prev_hash, last_hash)
    ), found AS (
        SELECT e.org_id, min(e.seq) AS first, max(e.seq) AS last, count(*) AS count
          FROM audit.events e
         WHERE e.recorded_at >= v_from AND e.recorded_at < v_until AND e.org_id = ANY (p_org_id)
         GROUP BY e.org_id
    )
    SELECT t.org_id INTO v_wrong
      FROM said t
      JOIN audit.seal_heads s ON s.org_id = t.org_id
      LEFT JOIN found f ON f.org_id = t.org_id
      LEFT JOIN audit.events a ON a.org_id = t.org_id AND a.seq = t.from_seq
       AND a.recorded_at >= v_from AND a.recorded_at < v_until
      LEFT JOIN audit.events z ON z.org_id = t.org_id AND z.seq = t.to_seq
       AND z.recorded_at >= v_from AND z.recorded_at < v_until
     WHERE (t.number, t.previous, t.from_seq)
           IS DISTINCT FROM (s.number + 1, s.seal_hash, s.removed_seq + 1)
        OR (t.from_seq, t.to_seq, t.count) IS DISTINCT FROM (f.first, f.last, f.count)
        OR (t.prev_hash, t.last_hash) IS DISTINCT FROM (a.prev_hash, z.hash)
        OR audit.is_held(t.org_id)
     LIMIT 1;
    IF v_wrong IS NOT NULL THEN
        RAISE EXCEPTION 'the tombstone of org % is not what is on record, or the org is held',
            v_wrong USING ERRCODE = 'insufficient_privilege';
    END IF;

    INSERT INTO audit.seals (org_id, number, kind, seq, link_hash, count, month, from_seq,
                             prev_hash, made_at, previous, seal_hash, key_id, signature)
    SELECT t.org_id, t.number, 'tombstone', t.to_seq, t.last_hash, t.count, p_month, t.from_seq,
           t.prev_hash, t.removed_at, t.previous, t.seal_hash, t.key_id, t.signature
      FROM unnest(p_org_id, p_number, p_previous, p_from_seq, p_to_seq, p_count, p_prev_hash,
                  p_last_hash, p_removed_at, p_key_id, p_seal_hash, p_signature)
           AS t (org_id, number, previous, from_seq, to_seq, count, prev_hash, last_hash,
                 removed_at, key_id, seal_hash, signature);
    UPDATE audit.seal_heads s
       SET number = t.number, seal_hash = t.seal_hash,
           link_hash = CASE WHEN t.to_seq >= s.seq THEN t.last_hash ELSE s.link_hash END,
           seq = greatest(s.seq, t.to_seq), removed_seq = t.to_seq, removed_before = v_until
      FROM unnest(p_org_id, p_number, p_to_seq, p_last_hash, p_seal_hash)
           AS t (org_id, number, to_seq, last_hash, seal_hash)
     WHERE s.org_id = t.org_id;

    -- What stays is copied before the month is locked: nobody writes into so old a month.
    SELECT EXISTS (SELECT FROM audit.events e WHERE e.recorded_at >= v_from
                      AND e.recorded_at < v_until AND e.org_id <> ALL (p_org_id)) INTO v_kept;
    IF v_kept THEN
        EXECUTE format(
            'CREATE TABLE audit.%I (LIKE audit.events INCLUDING ALL, '
            'CONSTRAINT within_the_month CHECK (recorded_at >= %L AND recorded_at < %L))',
            v_name || '_kept', v_from, v_until);
        EXECUTE format('INSERT INTO audit.%I SELECT * FROM audit.%I WHERE org_id <> ALL ($1)',
                       v_name || '_kept', v_name) USING p_org_id;
        EXECUTE format(
            'CREATE TRIGGER events_are_never_emptied BEFORE TRUNCATE ON audit.%I '
            'FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse_change()', v_name || '_kept');
    END IF;
    -- First the heads, as an append does, then the table: else the two could wait for each other.
    PERFORM 1 FROM audit.chain_heads h WHERE h.org_id = ANY (p_org_id) ORDER BY h.org_id FOR UPDATE;
    EXECUTE format('ALTER TABLE audit.events DETACH PARTITION audit.%I', v_name);
    EXECUTE format('DROP TABLE audit.%I', v_name);
    IF v_kept THEN
        EXECUTE format('ALTER TABLE audit.%I RENAME TO %I', v_name || '_kept', v_name);
        EXECUTE format('ALTER TABLE audit.events ATTACH PARTITION audit.%I '
                       'FOR VALUES FROM (%L) TO (%L)', v_name, v_from, v_until);
        EXECUTE format('ALTER TABLE audit.%I DROP CONSTRAINT within_the_month', v_name);
    END IF;
    RETURN (SELECT coalesce(sum(c), 0) FROM unnest(p_count) AS c);
END $$;
COMMENT ON FUNCTION audit.remove_month IS
    'The one way in which events go. It keeps the youngest year, every held org, and refuses a '
    'tombstone that does not say what is on record. The signature is the service''s.';

-- Ids go after their events, a stretch at a time. How many went; 0: none is left.
CREATE FUNCTION audit.forget_event_ids(p_most bigint) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_head  audit.seal_heads;
    v_up_to bigint;
    v_gone  bigint;
BEGIN
    SELECT * INTO v_head FROM audit.seal_heads s WHERE s.removed_seq > s.forgotten_seq
     ORDER BY s.org_id LIMIT 1 FOR UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
        RETURN 0;
    END IF;
    v_up_to := least(v_head.removed_seq, v_head.forgotten_seq + p_most);
    DELETE FROM audit.event_ids k WHERE k.org_id = v_head.org_id
       AND k.seq > v_head.forgotten_seq AND k.seq <= v_up_to;
    GET DIAGNOSTICS v_gone = ROW_COUNT;
    UPDATE audit.seal_heads s SET forgotten_seq = v_up_to WHERE s.org_id = v_head.org_id;
    RETURN greatest(v_gone, 1);
END $$;

-- An id goes only with its event: a tombstone must speak of it.
CREATE FUNCTION audit.event_id_goes_with_its_event() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF TG_OP = 'DELETE' AND EXISTS (
        SELECT FROM audit.seals s WHERE s.org_id = OLD.org_id AND s.kind = 'tombstone'
           AND OLD.seq BETWEEN s.from_seq AND s.seq) THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION '% of %.% is refused: the audit trail is append-only',
        TG_OP, TG_TABLE_SCHEMA, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege', CONSTRAINT = TG_NAME;
END $$;
CREATE INDEX tombstones_of_an_org ON audit.seals (org_id, seq) WHERE kind = 'tombstone';
DROP TRIGGER an_event_id_never_changes ON audit.event_ids;
CREATE TRIGGER an_event_id_never_changes BEFORE UPDATE OR DELETE ON audit.event_ids
    FOR EACH ROW EXECUTE FUNCTION audit.event_id_goes_with_its_event();
"""

APPEND = """
-- The one door for writing. The arrays are parallel, one element per event. All or nothing.
-- Returns how many events of each action were new; those that were on record are left alone.
CREATE OR REPLACE FUNCTION audit.append_events(
    p_org_id uuid[], p_event_id uuid[], p_occurred_at timestamptz[], p_actor_user_id text[],
    p_action text[], p_entity_type text[], p_entity_id text[], p_draft_order_id text[],
    p_request_id text[], p_trace_id text[], p_ip text[], p_user_agent text[],
    p_before_json text[], p_after_json text[]
) RETURNS TABLE (action text, appended bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    v_recorded_at timestamptz;
    v_too_old     text;
BEGIN
    -- Heads are made, then locked, in the order of org_id: appends of several orgs never wait
    -- for each other in a circle.
    INSERT INTO audit.chain_heads (org_id, seq, hash, recorded_at)
    SELECT DISTINCT o.org_id, 0, decode(repeat('00', 32), 'hex'), '-infinity'::timestamptz
      FROM unnest(p_org_id) AS o (org_id)
     ORDER BY o.org_id
        ON CONFLICT DO NOTHING;
    PERFORM 1 FROM audit.chain_heads h WHERE h.org_id = ANY (p_org_id) ORDER BY h.org_id FOR UPDATE;

    -- From here on no other append of these orgs runs. The next statement's snapshot is younger
    -- than the locks, so it sees all that was recorded before. A clock that was set back does
    -- not take the chain back.
    SELECT greatest(clock_timestamp(), max(h.recorded_at)) INTO v_recorded_at
      FROM audit.chain_heads h WHERE h.org_id = ANY (p_org_id);
    PERFORM audit.ensure_partition(v_recorded_at);

    -- Whether an act from before what was removed is on record cannot be told any more: its id
    -- went with it. It is neither recorded twice nor dropped; the sender sets it aside. The day
    -- is for clocks that differ.
    SELECT string_agg((e.sent_as - 1)::text, ',' ORDER BY e.sent_as) INTO v_too_old
      FROM unnest(p_org_id, p_event_id, p_occurred_at)
           WITH ORDINALITY AS e (org_id, event_id, occurred_at, sent_as)
      JOIN audit.seal_heads s ON s.org_id = e.org_id
       AND e.occurred_at < s.removed_before + interval '1 day'
     WHERE NOT EXISTS (SELECT FROM audit.event_ids k
                        WHERE k.org_id = e.org_id AND k.event_id = e.event_id);
    IF v_too_old IS NOT NULL THEN
        RAISE EXCEPTION 'events are older than what was removed' USING
            ERRCODE = 'CSA01', DETAIL = v_too_old;
    END IF;

    RETURN QUERY
    WITH sent AS (
        SELECT DISTINCT ON (org_id, event_id) e.*
          FROM unnest(p_org_id, p_event_id, p_occurred_at, p_actor_user_id, p_action, p_entity_type,
                      p_entity_id, p_draft_order_id, p_request_id, p_trace_id, p_ip, p_user_agent,
                      p_before_json, p_after_json)
               WITH ORDINALITY AS e (
                      org_id, event_id, occurred_at, actor_user_id, action, entity_type,
                      entity_id, draft_order_id, request_id, trace_id, ip, user_agent,
                      before_json, after_json, sent_as)
         ORDER BY org_id, event_id, sent_as
    ), placed AS (
        SELECT s.*, h.hash AS head_hash,
               h.seq + row_number() OVER (PARTITION BY s.org_id ORDER BY s.sent_as) AS seq
          FROM sent s JOIN audit.chain_heads h ON h.org_id = s.org_id
         WHERE NOT EXISTS (SELECT FROM audit.event_ids k
                            WHERE k.org_id = s.org_id AND k.event_id = s.event_id)
    ), linked AS (
        SELECT p.*, audit.chain_hash(p.head_hash, audit.canonical_form(
                        p.org_id, p.seq, p.event_id, p.occurred_at, p.actor_user_id, p.action,
                        p.entity_type, p.entity_id, p.draft_order_id, p.request_id, p.trace_id,
                        p.ip, p.user_agent, p.before_json, p.after_json))
                    OVER (PARTITION BY p.org_id ORDER BY p.seq) AS hash
          FROM placed p
    ), written AS (
        INSERT INTO audit.events (
               org_id, seq, event_id, occurred_at, actor_user_id, action, entity_type, entity_id,
               draft_order_id, request_id, trace_id, ip, user_agent, before_json, after_json,
               prev_hash, hash, recorded_at)
        SELECT l.org_id, l.seq, l.event_id, l.occurred_at, l.actor_user_id, l.action,
               l.entity_type, l.entity_id, l.draft_order_id, l.request_id, l.trace_id, l.ip,
               l.user_agent, l.before_json, l.after_json,
               lag(l.hash, 1, l.head_hash) OVER (PARTITION BY l.org_id ORDER BY l.seq),
               l.hash, v_recorded_at
          FROM linked l
        RETURNING org_id, seq, event_id, hash, action
    ), guarded AS (
        INSERT INTO audit.event_ids (org_id, event_id, seq)
        SELECT w.org_id, w.event_id, w.seq FROM written w
    ), moved AS (
        UPDATE audit.chain_heads h
           SET seq = last.seq, hash = last.hash, recorded_at = v_recorded_at
          FROM (SELECT DISTINCT ON (w.org_id) w.org_id, w.seq, w.hash
                  FROM written w ORDER BY w.org_id, w.seq DESC) last
         WHERE h.org_id = last.org_id
    )
    SELECT w.action, count(*) FROM written w GROUP BY w.action;
END $$;
"""

GRANTS = """
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA audit FROM PUBLIC;
GRANT SELECT ON audit.legal_holds TO countersign_audit;
GRANT EXECUTE ON FUNCTION audit.is_held, audit.set_legal_hold, audit.is_removable,
    audit.lock_seal_heads, audit.remove_month, audit.forget_event_ids TO countersign_audit;
"""


def upgrade() -> None:
    """Add legal holds and the one way in which events go."""
    for part in (HOLDS, REMOVAL, APPEND, GRANTS):
        op.execute(part)
