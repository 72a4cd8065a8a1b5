"""The table that holds what is still to be told."""

import re

_DEFINITION = """
CREATE TABLE {schema}.outbox (
    org_id          uuid        NOT NULL,
    id              uuid        NOT NULL,
    seq             bigint      GENERATED ALWAYS AS IDENTITY,
    lane            text        NOT NULL,
    payload         bytea       NOT NULL,
    headers         jsonb       NOT NULL DEFAULT '{{}}',
    created_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    attempts        integer     NOT NULL DEFAULT 0,
    next_attempt_at timestamptz NOT NULL DEFAULT now(),
    leased_until    timestamptz,
    quarantined_at  timestamptz,
    last_error      text,
    PRIMARY KEY (org_id, id),
    CONSTRAINT lane_is_known CHECK (lane IN ('work', 'audit')),
    CONSTRAINT a_quarantined_row_says_why CHECK (
        quarantined_at IS NULL OR last_error IS NOT NULL)
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 500);
COMMENT ON TABLE {schema}.outbox IS
    'Messages written with the act that they tell of; the relay deletes them once they are heard.';
COMMENT ON COLUMN {schema}.outbox.seq IS
    'Order of writing; the relay sends by it, none relies on it.';
COMMENT ON COLUMN {schema}.outbox.lane IS
    'work: ExportRequested for workers. audit: AuditEvent without occurred_at.';
COMMENT ON COLUMN {schema}.outbox.headers IS 'traceparent and x-request-id of the call that acted.';
COMMENT ON COLUMN {schema}.outbox.attempts IS
    'How often this row itself was refused; a server that is away counts for nothing.';
COMMENT ON COLUMN {schema}.outbox.leased_until IS
    'A relay is sending it; until then others leave it.';
COMMENT ON COLUMN {schema}.outbox.quarantined_at IS
    'Refused too often: kept, counted, and not sent until it is released.';

-- The one index that no org leads: the relay serves every org, oldest first.
CREATE INDEX outbox_to_send ON {schema}.outbox (lane, seq) WHERE quarantined_at IS NULL;
CREATE INDEX outbox_in_quarantine ON {schema}.outbox (org_id, lane, seq)
    WHERE quarantined_at IS NOT NULL;
"""


def outbox_table(schema: str) -> str:
    """DDL of `schema`.outbox, for the schema's first migration.

    Raises:
        ValueError: `schema` is not a plain lower-case name.
    """
    return _DEFINITION.format(schema=plain_name(schema))


def plain_name(schema: str) -> str:
    """`schema`, checked to be fit for being put into SQL text.

    Raises:
        ValueError: it is not a plain lower-case name.
    """
    if not re.fullmatch(r"[a-z][a-z_]{0,40}", schema):
        raise ValueError(f"not a plain schema name: {schema!r}")
    return schema
