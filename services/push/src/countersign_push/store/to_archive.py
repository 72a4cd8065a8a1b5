"""The outbox row that has an export's bytes archived: part of whatever statement delivers it."""

from uuid import UUID

from countersign_core.ids import derived_id


def insert_to_archive(delivered: str, row_id: str) -> str:
    """SQL that writes the row for each export in `delivered` that has been sent just now.

    `delivered` names org_id, id, sent_at, document_sha256 and archived_at; `row_id` is the
    parameter with `archive_row`.
    """
    return f"""
    INSERT INTO push.outbox (org_id, id, lane, payload)
    SELECT org_id, {row_id}, 'archive', convert_to(id::text, 'UTF8') FROM {delivered}
     WHERE {row_id}::uuid IS NOT NULL AND sent_at IS NOT NULL AND document_sha256 IS NOT NULL
       AND archived_at IS NULL
        ON CONFLICT (org_id, id) DO NOTHING"""


def archive_row(org_id: UUID, export_id: UUID) -> UUID:
    """Id of the outbox row; the same whoever writes it."""
    return derived_id("archive", org_id, export_id)


def exported_in(payload: bytes) -> UUID:
    """The export that a row is about."""
    return UUID(payload.decode())
