"""A worker asks for the export that a message named."""

from uuid import UUID

from countersign_push.assignment import Assignment
from countersign_push.commands.assign import Assign
from countersign_push.lease_terms import LeaseTerms
from countersign_push.store.work import WorkStore


class ClaimExport:
    """Leases one export."""

    def __init__(self, work: WorkStore, assign: Assign, terms: LeaseTerms) -> None:
        self._work = work
        self._assign = assign
        self._terms = terms

    async def __call__(self, org_id: UUID, export_id: UUID, worker_id: str) -> Assignment | None:
        """The assignment; None when there is nothing to do."""
        claimed = await self._work.claim_export(
            org_id, export_id, worker_id, self._terms.lease_seconds
        )
        return None if claimed is None else await self._assign(claimed)
