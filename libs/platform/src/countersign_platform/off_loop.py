"""Work on large values without holding up everybody else's calls."""

import asyncio
from collections.abc import Callable
from typing import TypeVar, TypeVarTuple

# About 10 ms of work; handing it to a thread costs a hundredth of that.
LARGE_BYTES = 256 * 1024

T = TypeVar("T")
Args = TypeVarTuple("Args")


async def off_loop(size: int, work: Callable[[*Args], T], *args: *Args) -> T:
    """`work(*args)`; in a thread when the value it works on has `size` bytes or so, and many.

    A thread takes turns with the event loop, a few milliseconds each, so other calls go on. It
    sees the context variables of the caller. `work` must not touch what the loop is changing.
    """
    if size < LARGE_BYTES:
        return work(*args)
    return await asyncio.to_thread(work, *args)
