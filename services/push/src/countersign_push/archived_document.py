"""The bytes of an export as they were sent: built once more, or read from the archive.

Either way they are shown or kept only if their SHA-256 is the one that was put on record
before the file was published.
"""

import hashlib
from datetime import UTC

from countersign_core.errors import CountersignError
from countersign_core.reasons import Reason
from countersign_platform.archive.port import Archive, NotArchived
from countersign_push.export_document import build_document
from countersign_push.export_record import ExportRecord
from countersign_push.metrics import ARCHIVE_UNREADABLE


def document_key(export: ExportRecord) -> str:
    """Where an export's bytes lie; by day, so that a folder stays readable."""
    day = export.created_at.astimezone(UTC).date().isoformat()
    return f"documents/{export.org_id}/{day}/{export.id}.json"


def rebuilt(export: ExportRecord, content: str | None) -> bytes:
    """The bytes that were sent, from the approved content.

    Raises:
        CountersignError: CONTENT_DIGEST_MISMATCH; the content is gone or another one, or the
            builder of then makes other bytes today. INTERNAL: this version does not have the
            builder of then (yet, or any more).
    """
    if content is None:
        raise CountersignError(
            Reason.CONTENT_DIGEST_MISMATCH, "The content that was approved is not stored"
        )
    document = build_document(content, export.facts(), export.document_builder)
    if not is_what_was_sent(export, document):
        raise CountersignError(
            Reason.CONTENT_DIGEST_MISMATCH, "The bytes that were sent cannot be built again"
        )
    return document


async def read_archived(archive: Archive, export: ExportRecord) -> bytes:
    """The bytes from the archive.

    Raises:
        CountersignError: ARCHIVE_DAMAGED; other bytes lie there, or none.
        Unavailable: the archive cannot be asked.
    """
    try:
        document = await archive.get(document_key(export))
    except NotArchived as error:
        raise _damaged("missing", "is no longer there") from error
    if not is_what_was_sent(export, document):
        raise _damaged("corrupt", "is not what was sent: its SHA-256 differs from the record")
    return document


def is_what_was_sent(export: ExportRecord, document: bytes) -> bool:
    """Whether the digest on record is that of `document`."""
    return hashlib.sha256(document).digest() == export.document_sha256


def _damaged(cause: str, what: str) -> CountersignError:
    ARCHIVE_UNREADABLE.labels(cause).inc()
    return CountersignError(Reason.ARCHIVE_DAMAGED, f"The document in the archive {what}")
