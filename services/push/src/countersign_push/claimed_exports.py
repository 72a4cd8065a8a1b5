"""The exports that this process handed out, so that a report need not look them up again.

Only facts that never change under a fence are taken from here; the database decides the rest.
"""

from collections import OrderedDict
from uuid import UUID

from countersign_push.export_record import ExportRecord
from countersign_push.lease import Lease, LeaseLost
from countersign_push.store.work import WorkStore


class ClaimedExports:
    """The last `capacity` claims, by export.

    Twenty workers have so many in hand. What is reported to another replica is not forgotten here,
    so there are always as many.
    """

    def __init__(self, store: WorkStore, capacity: int = 1_500) -> None:
        self._store = store
        self._capacity = capacity
        self._records: OrderedDict[tuple[UUID, UUID], ExportRecord] = OrderedDict()

    def remember(self, export: ExportRecord) -> None:
        """Keep what a claim returned."""
        self._records[export.org_id, export.id] = export
        self._records.move_to_end((export.org_id, export.id))
        if len(self._records) > self._capacity:
            self._records.popitem(last=False)

    def forget(self, lease: Lease) -> None:
        """The export is finished."""
        self._records.pop((lease.org_id, lease.export_id), None)

    async def recall(self, lease: Lease) -> ExportRecord:
        """The export as it was when `lease` was given, or as it stands now.

        Raises:
            LeaseLost: there is no such export.
        """
        known = self._records.get((lease.org_id, lease.export_id))
        if known is not None and known.fence == lease.fence:
            return known
        export = await self._store.read(lease.org_id, lease.export_id)
        if export is None:
            raise LeaseLost(lease, None)
        return export
