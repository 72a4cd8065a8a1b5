"""Changes the fields of a draft that a mask names, and resolves issues."""

from dataclasses import dataclass
from uuid import UUID

from countersign_approval.draft import Document, Draft
from countersign_approval.draft_change import DraftChange
from countersign_approval.edit import (
    CONTENT_PATHS,
    apply_edit,
    refuse_unknown_paths,
    resolve_issues,
)
from countersign_approval.edited_draft import EDITABLE, edited
from countersign_approval.reviser import Reviser, require
from countersign_core.errors import FieldError, InvalidRequest
from countersign_platform.rpc.call import Call


@dataclass(frozen=True, slots=True)
class DraftEdit:
    """What to change: the fields of `values` that `paths` name, and issues by id."""

    draft_id: UUID
    expected_version: int | None
    values: Document
    paths: tuple[str, ...]
    resolve_issue_ids: tuple[str, ...]


class EditDraft:
    """An edit by mask."""

    def __init__(self, reviser: Reviser) -> None:
        self._reviser = reviser

    async def __call__(self, call: Call, edit: DraftEdit) -> Draft:
        """The draft after the edit; one that changes nothing leaves it as it is.

        Raises:
            InvalidRequest: a path or an issue that is not known, or nothing named at all.
            CountersignError: DRAFT_NOT_FOUND, WRONG_STATE, VERSION_MISMATCH.
        """
        refuse_unknown_paths(edit.paths, CONTENT_PATHS)
        if not edit.paths and not edit.resolve_issue_ids:
            raise InvalidRequest([FieldError("update_mask", "names no field to change")])

        def decide(seen: Draft) -> DraftChange | None:
            require("edit", seen, EDITABLE, edit.expected_version)
            document = apply_edit(seen.document, edit.values, edit.paths)
            return edited(call, seen, document, resolve_issues(seen.issues, edit.resolve_issue_ids))

        return await self._reviser.revise(call.org_id, edit.draft_id, decide)
