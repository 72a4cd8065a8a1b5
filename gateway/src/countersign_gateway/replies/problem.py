"""The shape of a problem document (RFC 9457); countersign_gateway.problems fills it."""

from typing import Any, NotRequired

from pydantic import ConfigDict, with_config
from typing_extensions import TypedDict


@with_config(ConfigDict(use_attribute_docstrings=True))
class FieldProblemReply(TypedDict):
    """One malformed field."""

    field: str
    """Path of the field as the caller wrote it, for example lines[0].qty; header names as such."""
    detail: str


_EXAMPLE: dict[str, Any] = {
    "type": "urn:countersign:problem:wrong-state",
    "title": "Wrong state",
    "status": 409,
    "detail": "Draft must be READY to approve (current: NEEDS_REVIEW)",
    "instance": "/draft-orders/7f7b0a5e-8f0e-4a53-9d43-0b1a8a1f6d11/approve",
    "code": "WRONG_STATE",
    "request_id": "5f0c7a52c2a94a6d8a7c0a3f2f0a9f11",
    "errors": [],
    "current": "NEEDS_REVIEW",
    "allowed": ["READY"],
}


@with_config(
    ConfigDict(
        use_attribute_docstrings=True, extra="allow", json_schema_extra={"examples": [_EXAMPLE]}
    )
)
class ProblemReply(TypedDict):
    """Why a request was refused. Other facts may stand beside the members named here."""

    type: str
    """urn:countersign:problem:<code in lower case, with hyphens>."""
    title: str
    status: int
    detail: str
    """One sentence for a person."""
    instance: str
    """Path of the request."""
    code: str
    """The reason, from a closed list; countersign.errors.v1.ErrorReason says what each means."""
    request_id: str
    errors: list[FieldProblemReply]
    """Every malformed field; empty when the refusal is not about fields."""
    current: NotRequired[str]
    """Wrong state: where the draft or export stands."""
    allowed: NotRequired[list[str]]
    """Wrong state: where it would have to stand."""
    allowed_roles: NotRequired[list[str]]
    """Not allowed: roles that are."""
    erp_export_id: NotRequired[str]
    """The export that stands in the way."""
    export_status: NotRequired[str]
    """Where that export stands."""
    expected_version: NotRequired[int]
    """The version in If-Match."""
    current_version: NotRequired[int]
    """The version there is."""
