"""A draft order as the service sees it: plain values, no rows and no messages."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

from countersign_core.lifecycle import DraftStatus

# Customer, header, lines and source document in the shape that draft_content describes.
Document = Mapping[str, Any]


class Severity(StrEnum):
    """How bad an issue is; only an open ERROR blocks."""

    INFO = "INFO"
    WARNING = "WARNING"
    ERROR = "ERROR"


@dataclass(frozen=True, slots=True)
class Issue:
    """A remark of an earlier step; `line_no` 0 is the whole order."""

    id: str
    code: str
    severity: Severity
    message: str
    line_no: int
    resolved: bool


@dataclass(frozen=True, slots=True)
class BlockingReason:
    """One finding of the ready check; `line_no` 0 is the whole order."""

    code: str
    message: str
    line_no: int = 0


@dataclass(frozen=True, slots=True)
class Approval:
    """Who approved which content; `content_sha256` has 32 bytes."""

    approved_at: datetime
    approved_by: str
    content_version: int
    content_sha256: bytes


@dataclass(frozen=True, slots=True)
class Rejection:
    """Who refused the draft, and why."""

    rejected_at: datetime
    rejected_by: str
    reason: str


@dataclass(frozen=True, slots=True)
class Draft:
    """One draft order, whole.

    `version` counts every change, `content_version` is the version at which the content last
    changed. Digests have 32 bytes. `submission_sha256` is the digest of the first content.
    """

    org_id: UUID
    id: UUID
    external_ref: str
    status: DraftStatus
    version: int
    document: Document
    content_version: int
    content_sha256: bytes
    submission_sha256: bytes
    blocking_reasons: tuple[BlockingReason, ...]
    issues: tuple[Issue, ...]
    total_value: Decimal
    created_at: datetime
    created_by: str
    updated_at: datetime
    last_edited_by: str
    approval: Approval | None
    rejection: Rejection | None


@dataclass(frozen=True, slots=True)
class KeptContent:
    """A content that a draft has or once had; `sha256` has 32 bytes."""

    version: int
    document: Document
    sha256: bytes
    created_at: datetime
    created_by: str


@dataclass(frozen=True, slots=True)
class DraftSummary:
    """One row of a list."""

    id: UUID
    external_ref: str
    status: DraftStatus
    version: int
    customer_name: str | None
    erp_customer_number: str | None
    external_order_number: str | None
    order_date: date | None
    currency: str | None
    total_value: Decimal
    line_count: int
    blocking_reasons: tuple[BlockingReason, ...]
    created_at: datetime
    updated_at: datetime
    approved_by: str | None
    last_edited_by: str
