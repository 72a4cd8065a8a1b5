"""What an edit makes of a draft: its content, where it goes, and what goes on record. Pure."""

from typing import Any

from countersign_approval.acts import Act, approval_revoked, draft_act, outbox_headers, state_of
from countersign_approval.draft import Document, Draft, Issue
from countersign_approval.draft_change import DraftChange, version_after
from countersign_approval.draft_content import CanonicalContent, canonical_content
from countersign_approval.edit_trace import changed_fields, resolved_issues
from countersign_approval.ready_check import blocking_reasons, status_after_check
from countersign_core.audit_actions import AuditAction
from countersign_core.lifecycle import DraftStatus
from countersign_platform.rpc.call import Call

EDITABLE = (
    DraftStatus.NEW,
    DraftStatus.EXTRACTED,
    DraftStatus.NEEDS_REVIEW,
    DraftStatus.READY,
    DraftStatus.APPROVED,
    DraftStatus.ERROR,
)
# An edit takes the approval back; that nothing blocks does not approve it again, nor make it
# READY: somebody must look (validate) first.
_APPROVED = frozenset({DraftStatus.APPROVED, DraftStatus.ERROR})


def edited(
    call: Call, seen: Draft, document: Document, issues: tuple[Issue, ...]
) -> DraftChange | None:
    """The change that gives `seen` this document and these issues; None when it has them."""
    content = canonical_content(document)
    is_new = content.sha256 != seen.content_sha256
    if not is_new and issues == seen.issues:
        return None
    reasons = blocking_reasons(document, issues)
    status = DraftStatus.NEEDS_REVIEW if seen.status in _APPROVED else status_after_check(reasons)
    return DraftChange(
        seen=seen,
        status=status,
        acts=_acts(call, seen, content, issues, status),
        headers=outbox_headers(call),
        blocking_reasons=reasons,
        issues=issues,
        last_edited_by=call.identity.subject,
        content=content if is_new else None,
    )


def _acts(
    call: Call,
    seen: Draft,
    content: CanonicalContent,
    issues: tuple[Issue, ...],
    status: DraftStatus,
) -> tuple[Act, ...]:
    version = version_after(seen, status)
    old, new = changed_fields(seen.document, content.document)
    after: dict[str, Any] = {
        "status": status,
        "content_sha256": content.sha256.hex(),
        "changed": new,
    }
    if resolved := resolved_issues(seen.issues, issues):
        after["resolved_issues"] = resolved
    before = {**state_of(seen), "content_sha256": seen.content_sha256.hex(), "changed": old}
    edit = draft_act(call, AuditAction.DRAFT_EDITED, seen.id, version, before=before, after=after)
    if seen.approval is None:
        return (edit,)
    return (approval_revoked(call, seen, version), edit)
