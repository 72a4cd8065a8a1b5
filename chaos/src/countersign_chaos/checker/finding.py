"""One thing that is not as it must be."""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What a finding counts as."""

    # An acknowledged push without its export, or a delivered export without its file.
    LOST = "lost"
    # More than one file, or more than one live export, of one push.
    DOUBLED = "doubled"
    # Not settled in time.
    STUCK = "stuck"
    # An act that is not on record exactly once, or a chain that does not verify.
    AUDIT_GAP = "audit gap"
    # A move that the life cycle does not know.
    ILLEGAL_MOVE = "illegal move"
    # Something that the API said and that is not so.
    UNTRUE = "untrue"
    # A temporary file, or an answer that nobody filed away.
    LEFT_BEHIND = "left behind"
    # A process that ended by itself.
    CRASH = "crash"
    # Memory or connections of a process, in a run without faults.
    GROWTH = "growth"


@dataclass(frozen=True, slots=True)
class Finding:
    """`subject` is an id to look for in the logs."""

    kind: Kind
    subject: str
    text: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.text} ({self.subject})"
