"""The legal moves between where a draft stands and where an act takes it."""

from countersign_core.lifecycle import DRAFT_TRANSITIONS, DraftStatus, is_legal_draft_move


def moves_between(source: DraftStatus, target: DraftStatus) -> tuple[DraftStatus, ...]:
    """The states to pass through on the way; empty when one move, or none, is enough.

    A READY draft is rejected through NEEDS_REVIEW, a NEW one checked through EXTRACTED.

    Raises:
        ValueError: no way of at most two moves.
    """
    if source is target or is_legal_draft_move(source, target):
        return ()
    for middle in sorted(DRAFT_TRANSITIONS[source]):
        if is_legal_draft_move(middle, target):
            return (middle,)
    raise ValueError(f"no way from {source} to {target}")
