"""Why a draft was not approved: the facts of the second statement, and the answer they give.

The statement that approves says only that nothing moved. Whoever lost a race, came too late or
may not approve reads the facts afterwards; this module turns them into the documented refusal.
"""

from dataclasses import dataclass
from decimal import Decimal

from countersign_approval.refusals import (
    already_approved,
    draft_not_found,
    second_person_needed,
    wrong_state,
)
from countersign_core.errors import CountersignError, VersionMismatch
from countersign_core.lifecycle import DraftStatus


@dataclass(frozen=True, slots=True)
class Findings:
    """The facts about one draft, for one approver.

    `second_person_above` is the policy's threshold when it keeps this approver from this draft.
    """

    status: DraftStatus
    version: int
    second_person_above: Decimal | None


def refusal(expected_version: int | None, found: Findings | None) -> CountersignError | None:
    """Why the approval is refused; None when nothing stands in its way any more: ask again."""
    if found is None:
        return draft_not_found()
    if found.status is DraftStatus.APPROVED:
        return already_approved()
    if found.status is not DraftStatus.READY:
        return wrong_state("approve", found.status, [DraftStatus.READY])
    if expected_version is not None and expected_version != found.version:
        return VersionMismatch(expected=expected_version, current=found.version)
    if found.second_person_above is not None:
        return second_person_needed(found.second_person_above)
    return None
