"""One export."""

from uuid import UUID

from countersign_core.errors import NotFound
from countersign_core.reasons import Reason
from countersign_platform.rpc.call import Call
from countersign_push.export_record import ExportRecord
from countersign_push.store.exports import ExportStore


class GetExport:
    """Reads one export of the caller's org."""

    def __init__(self, exports: ExportStore) -> None:
        self._exports = exports

    async def __call__(self, call: Call, export_id: UUID) -> ExportRecord:
        """The export.

        Raises:
            NotFound: EXPORT_NOT_FOUND.
        """
        export = await self._exports.get(call.org_id, export_id)
        if export is None:
            raise export_not_found()
        return export


def export_not_found() -> NotFound:
    """The answer for an export of nobody or of another org."""
    return NotFound(Reason.EXPORT_NOT_FOUND, "Export not found")
