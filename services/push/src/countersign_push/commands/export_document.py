"""The exact bytes of an export."""

from dataclasses import dataclass
from hashlib import sha256
from uuid import UUID

from countersign_core.errors import CountersignError, WrongState
from countersign_core.lifecycle import ExportStatus
from countersign_core.reasons import Reason
from countersign_platform.rpc.call import Call
from countersign_push.commands.get_export import export_not_found
from countersign_push.export_document import build_document
from countersign_push.export_record import ExportRecord
from countersign_push.store.exports import ExportStore


@dataclass(frozen=True, slots=True)
class ExportDocument:
    """What was written to the dropzone, or was about to be."""

    export: ExportRecord
    document: bytes


class GetExportDocument:
    """Builds the document from the approved content; its digest must be the one on record."""

    def __init__(self, exports: ExportStore) -> None:
        self._exports = exports

    async def __call__(self, call: Call, export_id: UUID) -> ExportDocument:
        """The document.

        Raises:
            NotFound: EXPORT_NOT_FOUND.
            WrongState: EXPORT_WRONG_STATE; nothing was staged.
            CountersignError: CONTENT_DIGEST_MISMATCH; the content that was approved is gone, or
                this version would write other bytes than were sent.
        """
        found = await self._exports.with_content(call.org_id, export_id)
        if found is None:
            raise export_not_found()
        export, content = found
        if export.document_sha256 is None:
            raise _nothing_written(export)
        document = b"" if content is None else build_document(content, export.facts())
        if sha256(document).digest() != export.document_sha256:
            raise CountersignError(
                Reason.CONTENT_DIGEST_MISMATCH, "The bytes that were sent cannot be shown"
            )
        return ExportDocument(export, document)


def _nothing_written(export: ExportRecord) -> WrongState:
    return WrongState(
        Reason.EXPORT_WRONG_STATE,
        "Nothing was written for this export",
        current=export.status,
        allowed=[ExportStatus.SENT, ExportStatus.ACKED],
    )
