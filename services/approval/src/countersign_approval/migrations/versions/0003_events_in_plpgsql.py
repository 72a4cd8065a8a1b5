"""What finishes the audit event of an approval is planned once per session, not at each call."""

from alembic import op

revision = "approval_0003"
down_revision = "approval_0002"

# A function in SQL with a subquery in it cannot be put into the statement that calls it, so each
# of its four calls was parsed and planned at every approval: more than half of what one cost.
FUNCTIONS = r"""
CREATE OR REPLACE FUNCTION approval.draft_event_id(
    p_org_id uuid, p_draft_id uuid, p_version bigint, p_action text
) RETURNS uuid LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    v_name bytea := substr(sha256(convert_to(
        'urn:countersign|draft-event|' || p_org_id || '|' || p_draft_id || '|' || p_version
        || '|' || p_action, 'UTF8')), 1, 16);
BEGIN
    RETURN encode(set_byte(set_byte(v_name, 6, (get_byte(v_name, 6) & 15) | 128),
                           8, (get_byte(v_name, 8) & 63) | 128), 'hex')::uuid;
END $$;

CREATE OR REPLACE FUNCTION approval.proto_text(p_field integer, p_value text) RETURNS bytea
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    v_tag    bytea   := set_byte('\x00'::bytea, 0, (p_field << 3) | 2);
    v_value  bytea   := convert_to(p_value, 'UTF8');
    v_length integer := length(v_value);
BEGIN
    IF v_length < 128 THEN
        RETURN v_tag || set_byte('\x00'::bytea, 0, v_length) || v_value;
    END IF;
    RETURN v_tag || set_byte(set_byte('\x0000'::bytea, 0, (v_length & 127) | 128),
                             1, v_length >> 7) || v_value;
END $$;
"""


def upgrade() -> None:
    """The same functions in another language; they give what they gave."""
    op.execute(FUNCTIONS)
