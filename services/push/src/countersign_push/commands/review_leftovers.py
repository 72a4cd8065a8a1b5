"""A worker found temporary files in a dropzone and asks which of them may go."""

from collections.abc import Sequence
from uuid import UUID

from countersign_push.leftovers import Leftover, is_removable
from countersign_push.store.work import WorkStore


class ReviewLeftovers:
    """Looks up what the exports still hold on to."""

    def __init__(self, work: WorkStore) -> None:
        self._work = work

    async def __call__(self, org_id: UUID, leftovers: Sequence[Leftover]) -> list[str]:
        """The names that nobody needs any more."""
        export_ids = list({leftover.export_id for leftover in leftovers})
        holds = await self._work.holds(org_id, export_ids)
        return [
            leftover.name
            for leftover in leftovers
            if is_removable(leftover, holds.get(leftover.export_id))
        ]
