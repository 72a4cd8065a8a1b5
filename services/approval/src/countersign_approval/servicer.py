"""From a request to a command and back; nothing is decided here."""

from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from countersign.approval.v1 import approval_service_pb2 as pb
from countersign.approval.v1 import approval_service_pb2_grpc as pb_grpc
from countersign.approval.v1 import draft_pb2
from countersign_approval.commands.approval_policy import GetApprovalPolicy, SetApprovalPolicy
from countersign_approval.commands.approve_drafts import ApproveDrafts
from countersign_approval.commands.count_drafts import CountDrafts
from countersign_approval.commands.edit_draft import EditDraft
from countersign_approval.commands.edit_draft_line import EditDraftLine
from countersign_approval.commands.get_content import GetContent
from countersign_approval.commands.get_draft import GetDraft
from countersign_approval.commands.list_drafts import ListDrafts
from countersign_approval.commands.reject_draft import RejectDraft
from countersign_approval.commands.revoke_approval import RevokeApproval
from countersign_approval.commands.submit_draft import SubmitDraft
from countersign_approval.commands.validate_draft import ValidateDraft
from countersign_approval.draft import Draft
from countersign_approval.draft_content import document_of, rough_bytes
from countersign_approval.metrics import count, counted
from countersign_approval.plain_text import require_plain
from countersign_approval.replies import (
    approve_reply,
    batch_result,
    content_reply,
    count_message,
    draft_message,
    summary_message,
    threshold_text,
    watch_reply,
)
from countersign_approval.requests import (
    approval_of,
    counted_filters_of,
    cursor_of,
    edit_of,
    expected_version_of,
    filters_of,
    issues_of,
    line_edit_of,
    threshold_of,
)
from countersign_approval.status_feed import StatusFeed
from countersign_platform.off_loop import off_loop
from countersign_platform.rpc.call import current_call

# ruff: noqa: N802 — the methods have the contract's names


@dataclass(frozen=True, slots=True)
class Commands:
    """The use cases behind the service."""

    submit: SubmitDraft
    get: GetDraft
    get_content: GetContent
    list: ListDrafts
    count: CountDrafts
    edit: EditDraft
    edit_line: EditDraftLine
    validate: ValidateDraft
    approve: ApproveDrafts
    revoke: RevokeApproval
    reject: RejectDraft
    get_policy: GetApprovalPolicy
    set_policy: SetApprovalPolicy
    feed: StatusFeed


class ApprovalServicer(pb_grpc.ApprovalServiceServicer):
    """countersign.approval.v1.ApprovalService."""

    def __init__(self, commands: Commands) -> None:
        self._commands = commands

    async def SubmitDraft(
        self, request: pb.SubmitDraftRequest, _context: Any
    ) -> pb.SubmitDraftResponse:
        """Takes a draft in, once per external_ref."""
        with counted("submit"):
            require_plain(external_ref=request.external_ref)
            document = await off_loop(request.ByteSize(), document_of, request.content)
            done = await self._commands.submit(
                current_call(),
                request.external_ref,
                document,
                issues_of(request.issues),
            )
        return pb.SubmitDraftResponse(
            draft=await _whole(done.draft),
            created=done.created,
            content_differs=done.content_differs,
        )

    async def GetDraft(self, request: pb.GetDraftRequest, _context: Any) -> pb.GetDraftResponse:
        """Reads one draft."""
        draft = await self._commands.get(current_call(), UUID(request.draft_order_id))
        return pb.GetDraftResponse(draft=await _whole(draft))

    async def GetDraftContent(
        self, request: pb.GetDraftContentRequest, _context: Any
    ) -> pb.GetDraftContentResponse:
        """Reads a content that a draft has or once had."""
        content = await self._commands.get_content(
            current_call(), UUID(request.draft_order_id), request.content_version
        )
        return content_reply(content)

    async def ListDrafts(
        self, request: pb.ListDraftsRequest, _context: Any
    ) -> pb.ListDraftsResponse:
        """Lists drafts."""
        page = await self._commands.list(
            current_call(), filters_of(request), request.page_size, request.page_token
        )
        return pb.ListDraftsResponse(
            drafts=[summary_message(draft) for draft in page.drafts],
            next_page_token=page.next_page_token,
        )

    async def CountDrafts(
        self, request: pb.CountDraftsRequest, _context: Any
    ) -> pb.CountDraftsResponse:
        """Counts drafts by status."""
        counts = await self._commands.count(current_call(), counted_filters_of(request))
        return pb.CountDraftsResponse(
            counts=[count_message(status, found) for status, found in counts.items()]
        )

    async def EditDraft(self, request: pb.EditDraftRequest, _context: Any) -> pb.EditDraftResponse:
        """Changes what the mask names."""
        with counted("edit"):
            draft = await self._commands.edit(
                current_call(), await off_loop(request.ByteSize(), edit_of, request)
            )
        return pb.EditDraftResponse(draft=await _whole(draft))

    async def EditDraftLine(
        self, request: pb.EditDraftLineRequest, _context: Any
    ) -> pb.EditDraftLineResponse:
        """Changes what the mask names of one line."""
        with counted("edit"):
            draft = await self._commands.edit_line(current_call(), line_edit_of(request))
        return pb.EditDraftLineResponse(draft=await _whole(draft))

    async def ValidateDraft(
        self, request: pb.ValidateDraftRequest, _context: Any
    ) -> pb.ValidateDraftResponse:
        """Runs the ready check."""
        with counted("validate"):
            draft = await self._commands.validate(current_call(), UUID(request.draft_order_id))
        return pb.ValidateDraftResponse(draft=await _whole(draft))

    async def ApproveDraft(
        self, request: pb.ApproveDraftRequest, _context: Any
    ) -> pb.ApproveDraftResponse:
        """READY → APPROVED."""
        with counted("approve"):
            approved = await self._commands.approve.one(current_call(), approval_of(request))
        return approve_reply(approved)

    async def BatchApproveDrafts(
        self, request: pb.BatchApproveDraftsRequest, _context: Any
    ) -> pb.BatchApproveDraftsResponse:
        """Approves many, each with a result of its own."""
        asked = [approval_of(item) for item in request.items]
        outcomes = await self._commands.approve.many(current_call(), asked)
        for outcome in outcomes:
            count("approve", outcome)
        return pb.BatchApproveDraftsResponse(
            results=[
                batch_result(item.draft_id, outcome)
                for item, outcome in zip(asked, outcomes, strict=True)
            ]
        )

    async def RevokeApproval(
        self, request: pb.RevokeApprovalRequest, _context: Any
    ) -> pb.RevokeApprovalResponse:
        """APPROVED → NEEDS_REVIEW."""
        with counted("revoke"):
            draft = await self._commands.revoke(
                current_call(), UUID(request.draft_order_id), expected_version_of(request)
            )
        return pb.RevokeApprovalResponse(draft=await _whole(draft))

    async def RejectDraft(
        self, request: pb.RejectDraftRequest, _context: Any
    ) -> pb.RejectDraftResponse:
        """Refuses a draft for good."""
        with counted("reject"):
            require_plain(reason=request.reason)
            draft = await self._commands.reject(
                current_call(),
                UUID(request.draft_order_id),
                request.reason,
                expected_version_of(request),
            )
        return pb.RejectDraftResponse(draft=await _whole(draft))

    async def WatchDrafts(
        self, request: pb.WatchDraftsRequest, _context: Any
    ) -> AsyncIterator[pb.WatchDraftsResponse]:
        """Streams status changes until the caller or the server goes."""
        watch = self._commands.feed.watch(current_call().org_id, cursor_of(request))
        async with aclosing(watch):
            async for change in watch:
                yield watch_reply(change)

    async def GetApprovalPolicy(
        self, _request: pb.GetApprovalPolicyRequest, _context: Any
    ) -> pb.GetApprovalPolicyResponse:
        """The org's policy."""
        threshold = await self._commands.get_policy(current_call())
        return pb.GetApprovalPolicyResponse(four_eyes_above=threshold_text(threshold))

    async def SetApprovalPolicy(
        self, request: pb.SetApprovalPolicyRequest, _context: Any
    ) -> pb.SetApprovalPolicyResponse:
        """Replaces the org's policy."""
        with counted("set_policy"):
            threshold = await self._commands.set_policy(current_call(), threshold_of(request))
        return pb.SetApprovalPolicyResponse(four_eyes_above=threshold_text(threshold))


async def _whole(draft: Draft) -> draft_pb2.Draft:
    return await off_loop(rough_bytes(draft.document), draft_message, draft)
