"""The shape of a problem document (RFC 9457); countersign_gateway.problems fills it."""

from typing import NotRequired

from pydantic import ConfigDict, with_config
from typing_extensions import TypedDict


@with_config(ConfigDict(use_attribute_docstrings=True))
class FieldProblemReply(TypedDict):
    """One malformed field."""

    field: str
    """Path of the field as the caller wrote it, for example lines[0].qty; header names as such."""
    detail: str


@with_config(ConfigDict(use_attribute_docstrings=True, extra="allow"))
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
