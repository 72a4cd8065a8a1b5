"""Which exports a list shows, and where its next page begins."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from countersign_core.lifecycle import ExportStatus
from countersign_platform.paging import page_token_invalid


@dataclass(frozen=True, slots=True)
class ExportFilters:
    """Filters combine with AND; an empty or None one lets everything through.

    `stuck_for_seconds`: PENDING past its due time and lease by at least this long; 0: any.
    `ack_overdue`: SENT, and the ERP's answer is overdue. `retrying`: PENDING after a failure.
    `newest_of_draft`: no export of its draft is younger.
    `created_from` is inclusive, `created_to` is not.
    """

    statuses: tuple[ExportStatus, ...] = ()
    draft_id: UUID | None = None
    stuck_for_seconds: int = 0
    held: bool = False
    created_from: datetime | None = None
    created_to: datetime | None = None
    connection_id: UUID | None = None
    ack_overdue: bool = False
    retrying: bool = False
    error_code: str = ""
    draft_ids: tuple[UUID, ...] = ()
    newest_of_draft: bool = False

    def as_json(self) -> list[Any]:
        """What page tokens are bound to."""
        return [
            sorted(set(self.statuses)),
            self.draft_id and str(self.draft_id),
            self.stuck_for_seconds,
            self.held,
            self.created_from and self.created_from.isoformat(),
            self.created_to and self.created_to.isoformat(),
            self.connection_id and str(self.connection_id),
            self.ack_overdue,
            self.retrying,
            self.error_code,
            sorted(str(each) for each in self.draft_ids),
            self.newest_of_draft,
        ]


@dataclass(frozen=True, slots=True)
class ExportPosition:
    """The sort key of a list: newest first, then by id."""

    created_at: datetime
    export_id: UUID

    def as_parts(self) -> tuple[str, str]:
        """The strings that a page token carries."""
        return self.created_at.isoformat(), str(self.export_id)

    @classmethod
    def from_parts(cls, parts: Iterable[str]) -> "ExportPosition":
        """The position in a page token.

        Raises:
            CountersignError: PAGE_TOKEN_INVALID; not a position of this list.
        """
        try:
            created_at, export_id = parts
            position = cls(datetime.fromisoformat(created_at), UUID(export_id))
        except ValueError as error:
            raise page_token_invalid() from error
        if position.created_at.tzinfo is None:
            raise page_token_invalid()
        return position
