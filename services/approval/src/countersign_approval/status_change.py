"""One move of one draft, as live views see it."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from countersign_core.lifecycle import DraftStatus


@dataclass(frozen=True, slots=True)
class StatusChange:
    """A row of the feed; its id is the cursor.

    `from_status` is None for a new draft. `settled`: so old that no change with a smaller id
    can come into sight any more.
    """

    id: int
    draft_id: UUID
    from_status: DraftStatus | None
    to_status: DraftStatus
    version: int
    changed_at: datetime
    settled: bool
