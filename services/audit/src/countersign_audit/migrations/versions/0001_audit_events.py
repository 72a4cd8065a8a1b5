"""The trail: events by month, the guard against forks, the heads, and the one door for writing."""

from alembic import op

revision = "audit_0001"
down_revision = None

ENCODING = """
DO $$
BEGIN
    IF current_setting('server_encoding') <> 'UTF8' THEN
        RAISE EXCEPTION 'the audit trail needs a database in UTF8, this one is in %',
            current_setting('server_encoding');
    END IF;
END $$;
"""

TABLES = """
CREATE TABLE audit.events (
    org_id         uuid        NOT NULL,
    seq            bigint      NOT NULL,
    event_id       uuid        NOT NULL,
    occurred_at    timestamptz NOT NULL,
    actor_user_id  text        NOT NULL,
    action         text        NOT NULL,
    entity_type    text        NOT NULL,
    entity_id      text        NOT NULL,
    draft_order_id text        NOT NULL,
    request_id     text        NOT NULL,
    trace_id       text        NOT NULL,
    ip             text        NOT NULL,
    user_agent     text        NOT NULL,
    before_json    text        NOT NULL,
    after_json     text        NOT NULL,
    prev_hash      bytea       NOT NULL,
    hash           bytea       NOT NULL,
    recorded_at    timestamptz NOT NULL,
    PRIMARY KEY (org_id, seq, recorded_at),
    CONSTRAINT seq_counts_from_one CHECK (seq >= 1),
    CONSTRAINT hashes_are_sha256 CHECK (octet_length(prev_hash) = 32 AND octet_length(hash) = 32),
    CONSTRAINT action_is_a_name CHECK (action ~ '^[A-Z][A-Z_]{2,63}$'),
    CONSTRAINT occurred_at_has_a_calendar_date CHECK (isfinite(occurred_at))
) PARTITION BY RANGE (recorded_at);
COMMENT ON TABLE audit.events IS
    'One row per act. Written by audit.append_events only; never changed, never deleted. '
    'Absent texts are empty, never NULL, so that absence has one spelling.';
COMMENT ON COLUMN audit.events.seq IS 'Position in the org''s chain, from 1 and without gaps.';
COMMENT ON COLUMN audit.events.occurred_at IS
    'When the act was committed, by the clock of the acting service''s database.';
COMMENT ON COLUMN audit.events.actor_user_id IS 'Subject of the token; empty: the system itself.';
COMMENT ON COLUMN audit.events.before_json IS
    'JSON exactly as it was sent: the hash covers these bytes. Cast to jsonb to query it.';
COMMENT ON COLUMN audit.events.after_json IS 'As before_json.';
COMMENT ON COLUMN audit.events.prev_hash IS 'hash of seq - 1; 32 zero bytes for seq 1.';
COMMENT ON COLUMN audit.events.hash IS
    'sha256(prev_hash || audit.canonical_form(...)); equals countersign_audit.chain by a test.';
COMMENT ON COLUMN audit.events.recorded_at IS
    'When this service wrote it; never falls along a chain, so a month is a stretch of the chain. '
    'Chooses the partition; not covered by the hash.';

CREATE INDEX events_of_a_draft ON audit.events (org_id, draft_order_id, seq)
    WHERE draft_order_id <> '';
CREATE INDEX events_of_an_entity ON audit.events (org_id, entity_type, entity_id, seq);
CREATE INDEX events_of_an_actor ON audit.events (org_id, actor_user_id, seq)
    WHERE actor_user_id <> '';
CREATE INDEX events_of_an_action ON audit.events (org_id, action, seq);
CREATE INDEX events_of_a_request ON audit.events (org_id, request_id, seq)
    WHERE request_id <> '';
CREATE INDEX events_by_time ON audit.events (org_id, occurred_at);

CREATE TABLE audit.event_ids (
    org_id   uuid   NOT NULL,
    event_id uuid   NOT NULL,
    seq      bigint NOT NULL,
    PRIMARY KEY (org_id, event_id),
    CONSTRAINT a_chain_has_no_fork UNIQUE (org_id, seq)
);
COMMENT ON TABLE audit.event_ids IS
    'One row per event, not partitioned: an event is on record once, a seq is given once, '
    'whatever the month.';

CREATE TABLE audit.chain_heads (
    org_id      uuid        PRIMARY KEY,
    seq         bigint      NOT NULL,
    hash        bytea       NOT NULL,
    recorded_at timestamptz NOT NULL,
    CONSTRAINT head_hash_is_sha256 CHECK (octet_length(hash) = 32)
) WITH (fillfactor = 50);
COMMENT ON TABLE audit.chain_heads IS
    'The last link of each org''s chain. Its row lock is what puts appends of one org in a line. '
    'seq 0 with a zero hash: nothing recorded yet.';
"""

CHAIN = """
-- A netstring: length in bytes, colon, text, comma. No escaping, so nothing to disagree about.
CREATE FUNCTION audit.netstring(p_text text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN octet_length(p_text)::text || ':' || p_text || ',';

-- The twin of countersign_audit.chain.canonical_form; docs/decisions/0005 says why there are two.
CREATE FUNCTION audit.canonical_form(
    p_org_id uuid, p_seq bigint, p_event_id uuid, p_occurred_at timestamptz, p_actor_user_id text,
    p_action text, p_entity_type text, p_entity_id text, p_draft_order_id text, p_request_id text,
    p_trace_id text, p_ip text, p_user_agent text, p_before_json text, p_after_json text
) RETURNS bytea
LANGUAGE sql STABLE PARALLEL SAFE
RETURN convert_to(
    '20:countersign-audit-v1,'
    || audit.netstring(p_org_id::text)
    || audit.netstring(p_seq::text)
    || audit.netstring(p_event_id::text)
    || audit.netstring(
           to_char(p_occurred_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'))
    || audit.netstring(p_actor_user_id)
    || audit.netstring(p_action)
    || audit.netstring(p_entity_type)
    || audit.netstring(p_entity_id)
    || audit.netstring(p_draft_order_id)
    || audit.netstring(p_request_id)
    || audit.netstring(p_trace_id)
    || audit.netstring(p_ip)
    || audit.netstring(p_user_agent)
    || audit.netstring(p_before_json)
    || audit.netstring(p_after_json),
    'UTF8');

CREATE FUNCTION audit.next_link(p_hash bytea, p_head bytea, p_canonical bytea) RETURNS bytea
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
    RETURN sha256(coalesce(p_hash, p_head) || p_canonical);
END $$;

-- As a window function it walks a chain: each row's hash is made from the row before.
CREATE AGGREGATE audit.chain_hash(p_head bytea, p_canonical bytea) (
    SFUNC = audit.next_link, STYPE = bytea
);
"""

APPEND_ONLY = """
CREATE FUNCTION audit.refuse_change() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RAISE EXCEPTION '% of %.% is refused: the audit trail is append-only',
        TG_OP, TG_TABLE_SCHEMA, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege', CONSTRAINT = TG_NAME;
END $$;

CREATE FUNCTION audit.head_moves_forward_only() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NEW.org_id <> OLD.org_id OR NEW.seq <= OLD.seq OR NEW.recorded_at < OLD.recorded_at THEN
        RAISE EXCEPTION 'the head of a chain moves forward only'
            USING ERRCODE = 'insufficient_privilege', CONSTRAINT = TG_NAME;
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER an_event_never_changes BEFORE UPDATE OR DELETE ON audit.events
    FOR EACH ROW EXECUTE FUNCTION audit.refuse_change();
CREATE TRIGGER events_are_never_emptied BEFORE TRUNCATE ON audit.events
    FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse_change();
CREATE TRIGGER an_event_id_never_changes BEFORE UPDATE OR DELETE ON audit.event_ids
    FOR EACH ROW EXECUTE FUNCTION audit.refuse_change();
CREATE TRIGGER event_ids_are_never_emptied BEFORE TRUNCATE ON audit.event_ids
    FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse_change();
CREATE TRIGGER a_head_moves_forward_only BEFORE UPDATE ON audit.chain_heads
    FOR EACH ROW EXECUTE FUNCTION audit.head_moves_forward_only();
CREATE TRIGGER a_head_is_never_deleted BEFORE DELETE ON audit.chain_heads
    FOR EACH ROW EXECUTE FUNCTION audit.refuse_change();
CREATE TRIGGER heads_are_never_emptied BEFORE TRUNCATE ON audit.chain_heads
    FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse_change();
"""

PARTITIONS = """
-- Makes the partition for the month (UTC) of p_at; true when it was not there. ATTACH, because
-- CREATE … PARTITION OF would lock readers and writers of the whole trail out.
CREATE FUNCTION audit.ensure_partition(p_at timestamptz) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_month timestamp := date_trunc('month', p_at AT TIME ZONE 'UTC');
    v_name  text      := 'events_' || to_char(v_month, 'YYYY_MM');
BEGIN
    IF to_regclass('audit.' || v_name) IS NOT NULL THEN
        RETURN false;
    END IF;
    -- The lock that ATTACH takes anyway; readers and writers go on. Unlike an advisory lock it
    -- also makes this session see the tables that others made meanwhile.
    LOCK TABLE audit.events IN SHARE UPDATE EXCLUSIVE MODE;
    IF to_regclass('audit.' || v_name) IS NOT NULL THEN
        RETURN false;
    END IF;
    EXECUTE format(
        'CREATE TABLE audit.%I (LIKE audit.events INCLUDING CONSTRAINTS)', v_name);
    -- A trigger for TRUNCATE is not handed down to partitions; the one for rows is.
    EXECUTE format(
        'CREATE TRIGGER events_are_never_emptied BEFORE TRUNCATE ON audit.%I '
        'FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse_change()', v_name);
    EXECUTE format(
        'ALTER TABLE audit.events ATTACH PARTITION audit.%I FOR VALUES FROM (%L) TO (%L)',
        v_name, v_month AT TIME ZONE 'UTC', (v_month + interval '1 month') AT TIME ZONE 'UTC');
    RETURN true;
END $$;
COMMENT ON FUNCTION audit.ensure_partition IS
    'Called ahead of time by the service, and by audit.append_events itself: no append ever fails '
    'for want of a partition.';
"""

APPEND = """
-- The one door for writing. The arrays are parallel, one element per event. All or nothing.
-- Returns how many events of each action were new; those that were on record are left alone.
CREATE FUNCTION audit.append_events(
    p_org_id uuid[], p_event_id uuid[], p_occurred_at timestamptz[], p_actor_user_id text[],
    p_action text[], p_entity_type text[], p_entity_id text[], p_draft_order_id text[],
    p_request_id text[], p_trace_id text[], p_ip text[], p_user_agent text[],
    p_before_json text[], p_after_json text[]
) RETURNS TABLE (action text, appended bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    v_recorded_at timestamptz;
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
GRANT USAGE ON SCHEMA audit TO countersign_audit;
GRANT SELECT ON audit.events, audit.event_ids, audit.chain_heads TO countersign_audit;
GRANT EXECUTE ON FUNCTION audit.append_events, audit.ensure_partition TO countersign_audit;
"""

# The service makes later months itself, ahead of time.
FIRST_MONTHS = """
SELECT audit.ensure_partition(now() + make_interval(months => ahead))
  FROM generate_series(0, 2) AS ahead;
"""


def upgrade() -> None:
    """Create everything; the schema itself is made by the migration runner."""
    for part in (ENCODING, TABLES, CHAIN, APPEND_ONLY, PARTITIONS, APPEND, GRANTS, FIRST_MONTHS):
        op.execute(part)
