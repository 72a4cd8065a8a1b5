"""Takes a draft in; the second submit of an external_ref answers the first draft."""

from dataclasses import dataclass
from uuid import UUID, uuid4

from countersign_approval.acts import Act, draft_act, outbox_headers
from countersign_approval.draft import BlockingReason, Document, Draft, Issue
from countersign_approval.draft_change import NewDraft
from countersign_approval.draft_content import CanonicalContent, canonical_content, rough_bytes
from countersign_approval.order_value import decimal_text, total_value
from countersign_approval.ports import Drafts, WakeUp
from countersign_approval.ready_check import blocking_reasons, status_after_check
from countersign_approval.refusals import lost_every_race
from countersign_core.audit_actions import AuditAction
from countersign_platform.off_loop import off_loop
from countersign_platform.rpc.call import Call


@dataclass(frozen=True, slots=True)
class Submitted:
    """The draft under the external_ref.

    `content_differs`: it was there before, and this submit brought other content than the first.
    """

    draft: Draft
    created: bool
    content_differs: bool


class SubmitDraft:
    """Stores a draft where the ready check puts it."""

    def __init__(self, drafts: Drafts, wake: WakeUp) -> None:
        self._drafts = drafts
        self._wake = wake

    async def __call__(
        self, call: Call, external_ref: str, document: Document, issues: tuple[Issue, ...]
    ) -> Submitted:
        """The new draft, or the one that has this external_ref already.

        Raises:
            InvalidRequest: the document is too large.
        """
        new = await off_loop(
            rough_bytes(document), _new_draft, call, external_ref, document, issues
        )
        created = await self._drafts.submit(new)
        if created is not None:
            self._wake()
            return Submitted(created, created=True, content_differs=False)
        first = await self._drafts.read_by_external_ref(call.org_id, external_ref)
        if first is None:
            raise lost_every_race()
        differs = first.submission_sha256 != new.content.sha256
        return Submitted(first, created=False, content_differs=differs)


def _new_draft(
    call: Call, external_ref: str, document: Document, issues: tuple[Issue, ...]
) -> NewDraft:
    content = canonical_content(document)
    draft_id = uuid4()
    reasons = blocking_reasons(content.document, issues)
    return NewDraft(
        org_id=call.org_id,
        id=draft_id,
        external_ref=external_ref,
        status=status_after_check(reasons),
        content=content,
        blocking_reasons=reasons,
        issues=issues,
        submitter=call.identity.subject,
        act=_act(call, draft_id, external_ref, content, reasons),
        headers=outbox_headers(call),
    )


def _act(
    call: Call,
    draft_id: UUID,
    external_ref: str,
    content: CanonicalContent,
    reasons: tuple[BlockingReason, ...],
) -> Act:
    lines = content.document["lines"]
    after = {
        "status": status_after_check(reasons),
        "external_ref": external_ref,
        "content_sha256": content.sha256.hex(),
        "line_count": len(lines),
        "total_value": decimal_text(total_value(lines)),
        "blocking_reasons": sorted({reason.code for reason in reasons}),
    }
    return draft_act(call, AuditAction.DRAFT_SUBMITTED, draft_id, 1, before=None, after=after)
