"""The document that a push would deliver, or that one delivers."""

from dataclasses import dataclass
from uuid import UUID

from countersign_core.errors import NotFound, WrongState
from countersign_core.ids import dedup_key
from countersign_core.lifecycle import PREVIEWABLE_STATUSES, DraftStatus, ExportStatus
from countersign_core.reasons import Reason
from countersign_platform.off_loop import off_loop
from countersign_platform.rpc.call import Call
from countersign_push.export_document import ExportFacts, build_document
from countersign_push.store.exports import ApprovedDraft, ExportStore


@dataclass(frozen=True, slots=True)
class Preview:
    """The document's bytes, and the digest (32 bytes) of the content that was approved."""

    document: bytes
    content_sha256: bytes


class PreviewExport:
    """Builds an export's document without exporting."""

    def __init__(self, exports: ExportStore) -> None:
        self._exports = exports

    async def __call__(self, call: Call, draft_id: UUID) -> Preview:
        """The document from the approved content.

        Of a PUSHING or PUSHED draft it is what its export delivers. Of an APPROVED or ERROR
        one it is what a push or retry by this caller would: without an export id.

        Raises:
            NotFound: DRAFT_NOT_FOUND.
            WrongState: the draft is not approved.
            CountersignError: CONTENT_DIGEST_MISMATCH.
        """
        draft = await self._exports.approved_draft(call.org_id, draft_id)
        if draft is None:
            raise NotFound(Reason.DRAFT_NOT_FOUND, "Draft not found")
        facts = _facts(call, draft_id, draft)
        document = await off_loop(len(draft.content), build_document, draft.content, facts)
        return Preview(document, facts.content_sha256)


def _facts(call: Call, draft_id: UUID, draft: ApprovedDraft) -> ExportFacts:
    last = draft.last_export
    if last is not None and last.status is not ExportStatus.FAILED:
        return last.facts()
    if draft.approved_at is None or draft.approved_sha256 is None:
        raise _not_approved(draft.status)
    retry_of = last.id if last is not None and draft.status is DraftStatus.ERROR else None
    return ExportFacts(
        org_slug=call.identity.org_slug,
        draft_order_id=draft_id,
        approved_at=draft.approved_at,
        created_by=call.identity.subject,
        export_id=None,
        retry_of=retry_of,
        dedup_key=dedup_key(call.org_id, draft_id),
        content_sha256=draft.approved_sha256,
    )


def _not_approved(current: DraftStatus) -> WrongState:
    return WrongState(
        Reason.WRONG_STATE,
        f"Draft must be APPROVED, PUSHING, PUSHED or ERROR to preview (current: {current})",
        current=current,
        allowed=PREVIEWABLE_STATUSES,
    )
