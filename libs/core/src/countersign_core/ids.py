"""Ids that may be made twice and must come out the same.

Rule: whatever may run twice takes its name from the export or event it belongs to, never
from the clock or a random number at run time.
"""

import hashlib
from datetime import UTC, datetime
from uuid import UUID

_NAMESPACE = "urn:countersign"


def derived_id(*parts: object) -> UUID:
    """A UUID that depends on `parts` alone.

    Version 8 of RFC 9562 over SHA-256, because PostgreSQL can derive it too without an
    extension, which version 5 (SHA-1) would need.
    """
    name = "|".join(str(part) for part in (_NAMESPACE, *parts))
    digest = bytearray(hashlib.sha256(name.encode()).digest()[:16])
    digest[6] = digest[6] & 0x0F | 0x80
    digest[8] = digest[8] & 0x3F | 0x80
    return UUID(bytes=bytes(digest))


def draft_event_id(org_id: UUID, draft_id: UUID, version: int, action: str) -> UUID:
    """Id of the audit event for the step that gave the draft this version."""
    return derived_id("draft-event", org_id, draft_id, version, action)


def export_event_id(org_id: UUID, export_id: UUID | str, action: str) -> UUID:
    """Id of the audit event for a step that an export takes once."""
    return derived_id("export-event", org_id, export_id, action)


def dedup_key(org_id: UUID, draft_id: UUID) -> str:
    """Stable per draft: the ERP can use it to recognise an order it has."""
    return str(derived_id("dedup", org_id, draft_id))


def export_file_name(draft_id: UUID, export_id: UUID, created_at: datetime) -> str:
    """Final name of the export's file; `created_at` is the export's, not now."""
    stamp = created_at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    return f"sales_order_{draft_id}_{stamp}_{str(export_id)[:8]}.json"
