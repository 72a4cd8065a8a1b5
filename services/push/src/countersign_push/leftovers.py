"""Which temporary files in a dropzone nobody needs any more. Pure.

Every answer stays right after it is given: fences only grow, a lease that was given back or
passed on does not return under the same fence, and a finished export stays finished. So the
worker may delete at its leisure.
"""

from dataclasses import dataclass
from uuid import UUID

from countersign_core.lifecycle import ExportStatus


@dataclass(frozen=True, slots=True)
class Leftover:
    """A file of ours in a dropzone, as its name tells. `withdrawn`: a token taken back."""

    name: str
    export_id: UUID
    fence: int
    withdrawn: bool


@dataclass(frozen=True, slots=True)
class ExportHold:
    """What an export still holds on to.

    `leased`: a lease with `fence` is out. It may have run out by the clock; as long as nobody
    else claimed the export, its holder can still report STAGED.
    """

    status: ExportStatus
    fence: int
    leased: bool
    staged_name: str | None
    staged_fence: int | None


def is_removable(leftover: Leftover, hold: ExportHold | None) -> bool:
    """Whether nobody needs the file; `hold` is None when the org has no such export."""
    if hold is None or leftover.fence > hold.fence:
        return False
    if leftover.withdrawn:
        # Before FAILED is on record, its absence would look like a delivery.
        return hold.status is ExportStatus.FAILED
    if hold.status is not ExportStatus.PENDING:
        return True
    if leftover.name == hold.staged_name or leftover.fence == hold.staged_fence:
        return False
    return leftover.fence < hold.fence or not hold.leased
