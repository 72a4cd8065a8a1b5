"""Why an act on a draft is refused, in the words that the contract promises."""

from collections.abc import Sequence
from decimal import Decimal

from countersign_approval.order_value import decimal_text
from countersign_core.errors import CountersignError, Forbidden, NotFound, Unavailable, WrongState
from countersign_core.lifecycle import DraftStatus
from countersign_core.reasons import Reason


def draft_not_found() -> NotFound:
    """No such draft in this org; another tenant's looks the same."""
    return NotFound(Reason.DRAFT_NOT_FOUND, "Draft not found")


def wrong_state(verb: str, current: DraftStatus, allowed: Sequence[DraftStatus]) -> WrongState:
    """The draft is in another state than `verb` needs; `allowed` in the order to be read."""
    *most, last = allowed
    states = f"{', '.join(most)} or {last}" if most else last
    message = f"Draft must be {states} to {verb} (current: {current})"
    return WrongState(Reason.WRONG_STATE, message, current=current, allowed=allowed)


def already_approved() -> WrongState:
    """Approve of an APPROVED draft."""
    return WrongState(
        Reason.ALREADY_APPROVED,
        "Draft already approved",
        current=DraftStatus.APPROVED,
        allowed=[DraftStatus.READY],
    )


def second_person_needed(threshold: Decimal) -> Forbidden:
    """The approver is the last editor, and the order is worth more than the policy allows."""
    return Forbidden(
        Reason.FOUR_EYES_REQUIRED,
        "Whoever edited this draft last must not approve it; a second person is needed",
        rule="approver_is_last_editor",
        threshold=decimal_text(threshold),
    )


def lost_every_race() -> CountersignError:
    """Others changed the draft at each attempt."""
    return Unavailable("Others are changing this draft at the moment; try again")
