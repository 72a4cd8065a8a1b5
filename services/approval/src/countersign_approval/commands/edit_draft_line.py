"""Changes the fields of one line that a mask names."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from countersign_approval.draft import Draft
from countersign_approval.draft_change import DraftChange
from countersign_approval.edit import LINE_PATHS, apply_line_edit, refuse_unknown_paths
from countersign_approval.edited_draft import EDITABLE, edited
from countersign_approval.reviser import Reviser, require
from countersign_core.errors import FieldError, InvalidRequest
from countersign_platform.rpc.call import Call


@dataclass(frozen=True, slots=True)
class LineEdit:
    """What to change of one line: the fields of `values` that `paths` name."""

    draft_id: UUID
    line_no: int
    expected_version: int | None
    values: Mapping[str, str | None]
    paths: tuple[str, ...]


class EditDraftLine:
    """An edit of one line by mask."""

    def __init__(self, reviser: Reviser) -> None:
        self._reviser = reviser

    async def __call__(self, call: Call, edit: LineEdit) -> Draft:
        """The draft after the edit; one that changes nothing leaves it as it is.

        Raises:
            InvalidRequest: a path that is not known, or none at all.
            CountersignError: DRAFT_NOT_FOUND, LINE_NOT_FOUND, WRONG_STATE, VERSION_MISMATCH.
        """
        refuse_unknown_paths(edit.paths, LINE_PATHS)
        if not edit.paths:
            raise InvalidRequest([FieldError("update_mask", "names no field to change")])

        def decide(seen: Draft) -> DraftChange | None:
            require("edit", seen, EDITABLE, edit.expected_version)
            document = apply_line_edit(seen.document, edit.line_no, edit.values, edit.paths)
            return edited(call, seen, document, seen.issues)

        return await self._reviser.revise(call.org_id, edit.draft_id, decide)
