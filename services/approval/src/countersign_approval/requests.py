"""From the contract's messages to what the commands take.

Checks what the rules in the protos cannot say.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from google.protobuf.timestamp_pb2 import Timestamp

from countersign.approval.v1 import approval_service_pb2 as pb
from countersign.approval.v1 import draft_pb2
from countersign_approval.commands.approve_drafts import WhatToApprove
from countersign_approval.commands.edit_draft import DraftEdit
from countersign_approval.commands.edit_draft_line import LineEdit
from countersign_approval.draft import Issue, Severity
from countersign_approval.draft_content import calendar_day, document_of, line_values
from countersign_approval.draft_filters import DraftFilters
from countersign_approval.draft_sort import DraftSort
from countersign_approval.plain_text import nul_errors, require_plain
from countersign_core.errors import CountersignError, FieldError, InvalidRequest
from countersign_core.lifecycle import DraftStatus
from countersign_platform.rpc.validation import require_valid

_STATUS_PREFIX = "DRAFT_STATUS_"
_SORT_PREFIX = "DRAFT_SORT_"
_SEVERITY_PREFIX = "ISSUE_SEVERITY_"
_LARGEST_CURSOR = 2**63 - 1

_Filtered = pb.ListDraftsRequest | pb.CountDraftsRequest


def expected_version_of(request: Any) -> int | None:
    """The version that the caller saw; None when it did not say."""
    return int(request.expected_version) if request.HasField("expected_version") else None


def issues_of(messages: Sequence[draft_pb2.Issue]) -> tuple[Issue, ...]:
    """Issues as submitted.

    Raises:
        InvalidRequest: doubled ids, texts that cannot be stored.
    """
    errors = list(_issue_errors(messages))
    if errors:
        raise InvalidRequest(errors)
    return tuple(_issue(message) for message in messages)


def filters_of(request: pb.ListDraftsRequest) -> DraftFilters:
    """Filters of a list.

    Raises:
        InvalidRequest: dates that no calendar has, texts that no column can hold.
    """
    require_plain(customer=request.customer, q=request.q)
    return DraftFilters(
        statuses=tuple(_status(value) for value in request.statuses),
        customer=request.customer.strip(),
        q=request.q.strip(),
        created_from=_moment(request, "created_from"),
        created_to=_moment(request, "created_to"),
        order_date_from=_day(request, "order_date_from"),
        order_date_to=_day(request, "order_date_to"),
        ids=tuple(UUID(each) for each in request.draft_order_ids),
        sort=_sort(request.sort),
    )


def counted_filters_of(request: pb.CountDraftsRequest) -> DraftFilters:
    """Filters of a count.

    Raises:
        InvalidRequest: as `filters_of`.
    """
    require_plain(customer=request.customer, q=request.q)
    return DraftFilters(
        customer=request.customer.strip(),
        q=request.q.strip(),
        created_from=_moment(request, "created_from"),
        created_to=_moment(request, "created_to"),
        order_date_from=_day(request, "order_date_from"),
        order_date_to=_day(request, "order_date_to"),
    )


def edit_of(request: pb.EditDraftRequest) -> DraftEdit:
    """An edit by mask.

    Raises:
        InvalidRequest: malformed content.
    """
    return DraftEdit(
        draft_id=UUID(request.draft_order_id),
        expected_version=expected_version_of(request),
        values=document_of(request.content),
        paths=tuple(request.update_mask.paths),
        resolve_issue_ids=tuple(request.resolve_issue_ids),
    )


def line_edit_of(request: pb.EditDraftLineRequest) -> LineEdit:
    """An edit of one line.

    Raises:
        InvalidRequest: malformed values.
    """
    _require_valid_line(request)
    values = line_values(request.line)
    require_plain(**{f"line.{name}": value or "" for name, value in values.items()})
    return LineEdit(
        draft_id=UUID(request.draft_order_id),
        line_no=request.line_no,
        expected_version=expected_version_of(request),
        values=values,
        paths=tuple(request.update_mask.paths),
    )


def approval_of(request: pb.ApproveDraftRequest) -> WhatToApprove:
    """One draft to approve."""
    return WhatToApprove(UUID(request.draft_order_id), expected_version_of(request))


def cursor_of(request: pb.WatchDraftsRequest) -> int | None:
    """Where to resume; None: from now on.

    Raises:
        InvalidRequest: not a cursor of this service.
    """
    text = request.after_cursor
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and int(text) <= _LARGEST_CURSOR):
        raise InvalidRequest([FieldError("after_cursor", "is not a cursor of this stream")])
    return int(text)


def threshold_of(request: pb.SetApprovalPolicyRequest) -> Decimal | None:
    """The four-eyes threshold; None: off."""
    return Decimal(request.four_eyes_above) if request.four_eyes_above else None


def _require_valid_line(request: pb.EditDraftLineRequest) -> None:
    """The rules of a line but for its number, which the request gives beside it."""
    line = draft_pb2.DraftLine()
    line.CopyFrom(request.line)
    line.line_no = 1
    try:
        require_valid(line)
    except CountersignError as error:
        raise InvalidRequest(
            FieldError(f"line.{found.field}", found.description) for found in error.field_errors
        ) from error


def _issue_errors(messages: Sequence[draft_pb2.Issue]) -> Iterator[FieldError]:
    seen: set[str] = set()
    for index, message in enumerate(messages):
        if message.id in seen:
            yield FieldError(f"issues[{index}].id", "is the id of another issue already")
        seen.add(message.id)
        texts = {"id": message.id, "code": message.code, "message": message.message}
        yield from nul_errors(texts, f"issues[{index}].")


def _issue(message: draft_pb2.Issue) -> Issue:
    name = draft_pb2.IssueSeverity.Name(message.severity)
    return Issue(
        id=message.id,
        code=message.code,
        severity=Severity(name.removeprefix(_SEVERITY_PREFIX)),
        message=message.message,
        line_no=message.line_no,
        resolved=message.resolved,
    )


def _status(value: draft_pb2.DraftStatus.ValueType) -> DraftStatus:
    return DraftStatus(draft_pb2.DraftStatus.Name(value).removeprefix(_STATUS_PREFIX))


def _sort(value: pb.DraftSort.ValueType) -> DraftSort:
    if value == pb.DRAFT_SORT_UNSPECIFIED:
        return DraftSort.NEWEST
    return DraftSort(pb.DraftSort.Name(value).removeprefix(_SORT_PREFIX))


def _moment(request: _Filtered, name: str) -> datetime | None:
    if not request.HasField(name):  # type: ignore[arg-type] # the stub wants literals
        return None
    moment: Timestamp = getattr(request, name)
    try:
        return moment.ToDatetime(UTC)
    except (ValueError, OverflowError) as error:
        raise InvalidRequest([FieldError(name, "is not a moment of the calendar")]) from error


def _day(request: _Filtered, name: str) -> date | None:
    text: str = getattr(request, name)
    if not text:
        return None
    day = calendar_day(text)
    if day is None:
        raise InvalidRequest([FieldError(name, "is not a day of the calendar")])
    return day
