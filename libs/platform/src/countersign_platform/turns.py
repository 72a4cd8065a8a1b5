"""Files that wait at the same time share a turn of a thread, or of a connection.

See docs/decisions/0059. A file alone goes at once, by itself.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from countersign_platform.shared_calls import SharedCalls

_File = TypeVar("_File")
_Done = TypeVar("_Done")

# Files of one turn, turns at once, and how long the next waits for those: where the other side
# answers soon, few turns of many files; on a slow share or over a long way, more turns.
_FILES, _AT_ONCE, _PATIENCE_SECONDS = 16, 2, 0.02
# A larger one goes by itself: its transfer has its time, and keeps no other waiting.
SMALL_BYTES = 64 * 1024


def turns(
    alone: Callable[[_File], Awaitable[_Done]],
    together: Callable[[Sequence[_File]], Awaitable[Sequence[_Done | Exception]]],
) -> SharedCalls[_File, _Done]:
    """Turns that carry out `alone` or `together`; see SharedCalls."""
    return SharedCalls(
        alone, together, most=_FILES, at_once=_AT_ONCE, patience_seconds=_PATIENCE_SECONDS
    )
