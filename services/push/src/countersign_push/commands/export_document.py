"""The exact bytes of an export."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from countersign_core.errors import Unavailable, WrongState
from countersign_core.lifecycle import ExportStatus
from countersign_core.reasons import Reason
from countersign_platform.archive.port import Archive
from countersign_platform.off_loop import off_loop
from countersign_platform.rpc.call import Call
from countersign_push.archived_document import read_archived, rebuilt
from countersign_push.commands.get_export import export_not_found
from countersign_push.export_record import ExportRecord
from countersign_push.store.exports import ExportStore


class DocumentSource(StrEnum):
    """Where the bytes were found; either way they have the digest on record."""

    ARCHIVE = "ARCHIVE"
    REBUILT = "REBUILT"


@dataclass(frozen=True, slots=True)
class ExportDocument:
    """What was written to the dropzone, or was about to be."""

    export: ExportRecord
    document: bytes
    source: DocumentSource


class GetExportDocument:
    """From the archive; else built from the approved content. Its digest must be as recorded."""

    def __init__(self, exports: ExportStore, archive: Archive | None) -> None:
        self._exports = exports
        self._archive = archive

    async def __call__(self, call: Call, export_id: UUID) -> ExportDocument:
        """The document.

        While the archive is away, or not configured here, the bytes are built again.

        Raises:
            NotFound: EXPORT_NOT_FOUND.
            WrongState: EXPORT_WRONG_STATE; nothing was staged.
            CountersignError: ARCHIVE_DAMAGED; what the archive has is not what was sent.
                CONTENT_DIGEST_MISMATCH; it is not archived, and the same bytes cannot be built.
        """
        found = await self._exports.with_content(call.org_id, export_id)
        if found is None:
            raise export_not_found()
        export, content = found
        if export.document_sha256 is None:
            raise _nothing_written(export)
        archived = await self._archived(export)
        if archived is not None:
            return ExportDocument(export, archived, DocumentSource.ARCHIVE)
        document = await off_loop(len(content or ""), rebuilt, export, content)
        return ExportDocument(export, document, DocumentSource.REBUILT)

    async def _archived(self, export: ExportRecord) -> bytes | None:
        if self._archive is None or export.archived_at is None:
            return None
        try:
            return await read_archived(self._archive, export)
        except Unavailable:
            return None


def _nothing_written(export: ExportRecord) -> WrongState:
    return WrongState(
        Reason.EXPORT_WRONG_STATE,
        "Nothing was written for this export",
        current=export.status,
        allowed=[ExportStatus.SENT, ExportStatus.ACKED],
    )
