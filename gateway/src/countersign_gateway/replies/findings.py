"""What stands in a draft's way: blocking reasons and issues."""

from collections.abc import Iterable

from pydantic import with_config
from typing_extensions import TypedDict

from countersign.approval.v1 import draft_pb2 as drafts
from countersign_gateway.replies.values import (
    DOCUMENTED,
    IssueSeverity,
    line_number,
    named,
    text,
)

_SEVERITIES = named(drafts.IssueSeverity, IssueSeverity)


@with_config(DOCUMENTED)
class BlockingReasonReply(TypedDict):
    """One finding of the ready check."""

    code: str
    message: str
    line_no: int | None
    """Null for the whole order."""


@with_config(DOCUMENTED)
class IssueReply(TypedDict):
    """A remark of an earlier step."""

    id: str
    code: str
    severity: IssueSeverity
    """An unresolved ERROR blocks the approval."""
    message: str | None
    line_no: int | None
    """Null for the whole order."""
    resolved: bool


def blocking_reason_replies(reasons: Iterable[drafts.BlockingReason]) -> list[BlockingReasonReply]:
    """The findings of the ready check."""
    return [
        {"code": each.code, "message": each.message, "line_no": line_number(each.line_no)}
        for each in reasons
    ]


def issue_reply(issue: drafts.Issue) -> IssueReply:
    """One issue."""
    return {
        "id": issue.id,
        "code": issue.code,
        "severity": _SEVERITIES[issue.severity],
        "message": text(issue.message),
        "line_no": line_number(issue.line_no),
        "resolved": issue.resolved,
    }
