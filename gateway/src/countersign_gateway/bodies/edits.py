"""Changes of draft orders: JSON merge patches (RFC 7396) become field masks.

A member that is left out stays as it is; null clears it; `lines` replaces all lines.
"""

from typing import Annotated
from uuid import UUID

from google.protobuf.field_mask_pb2 import FieldMask
from pydantic import Field, model_validator

from countersign.approval.v1 import approval_service_pb2 as service
from countersign.approval.v1 import draft_pb2 as drafts
from countersign_gateway.bodies import drafts as content
from countersign_gateway.bodies.drafts import (
    CustomerBody,
    HeaderBody,
    LineBody,
    LineFields,
    SourceDocumentBody,
)
from countersign_gateway.bodies.fields import Body

_NOTHING_NAMED = "name at least one field to change"
_PARTS: dict[str, type[Body]] = {
    "customer": CustomerBody,
    "header": HeaderBody,
    "source_document": SourceDocumentBody,
}


class EditBody(Body):
    """What changes; see the module's docstring for null and for members left out."""

    customer: CustomerBody | None = None
    """Null clears all of it."""
    header: HeaderBody | None = None
    """Null clears all of it."""
    lines: Annotated[list[LineBody], Field(max_length=100_000)] | None = None
    """Replaces all lines; null removes them."""
    source_document: SourceDocumentBody | None = None
    """Null clears all of it."""
    resolve_issue_ids: list[str] = Field(default_factory=list, max_length=1000)
    """Issues to mark resolved."""

    @model_validator(mode="after")
    def _changes_something(self) -> "EditBody":
        # An edit, even an empty one, takes an approval back.
        if not edit_paths(self) and not self.resolve_issue_ids:
            raise ValueError(_NOTHING_NAMED)
        return self


class EditLineBody(LineFields):
    """What changes in one line; null clears a field."""

    @model_validator(mode="after")
    def _changes_something(self) -> "EditLineBody":
        if not self.model_fields_set:
            raise ValueError(_NOTHING_NAMED)
        return self


def edit_request(draft_id: UUID, expected: int | None, body: EditBody) -> service.EditDraftRequest:
    """The message for an edit."""
    return service.EditDraftRequest(
        draft_order_id=str(draft_id),
        expected_version=expected,
        content=drafts.DraftContent(
            customer=content.customer(body.customer),
            header=content.header(body.header),
            lines=[content.line(each) for each in body.lines or ()],
            source_document=content.source_document(body.source_document),
        ),
        update_mask=FieldMask(paths=edit_paths(body)),
        resolve_issue_ids=body.resolve_issue_ids,
    )


def edit_line_request(
    draft_id: UUID, line_no: int, expected: int | None, body: EditLineBody
) -> service.EditDraftLineRequest:
    """The message for an edit of one line."""
    return service.EditDraftLineRequest(
        draft_order_id=str(draft_id),
        line_no=line_no,
        expected_version=expected,
        line=content.line(body),
        update_mask=FieldMask(paths=sorted(body.model_fields_set)),
    )


def edit_paths(body: EditBody) -> list[str]:
    """What the patch names, as paths into the content."""
    paths = ["lines"] if "lines" in body.model_fields_set else []
    for name, model in _PARTS.items():
        if name in body.model_fields_set:
            part = getattr(body, name)
            named = model.model_fields if part is None else part.model_fields_set
            paths += [f"{name}.{field}" for field in named]
    return sorted(paths)
