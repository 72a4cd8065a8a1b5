"""Finds the rows that spoil a batch, so that the others go through."""

from collections.abc import Awaitable, Callable, Sequence

from countersign_core.errors import Unavailable
from countersign_platform.outbox.row import OutboxRow

SendAll = Callable[[Sequence[OutboxRow]], Awaitable[None]]


async def send_isolating(
    rows: Sequence[OutboxRow], send_all: SendAll
) -> Sequence[Exception | None]:
    """One result per row from `send_all`, which takes all of a batch or raises.

    A refused batch is halved until the refused rows stand alone: one bad row among n costs
    about 2 log2(n) calls. Once the other side is away nothing more is tried.
    """
    try:
        await send_all(rows)
    except Unavailable as error:
        return [error] * len(rows)
    except Exception as error:  # noqa: BLE001 — whatever it is, it becomes the row's result
        if len(rows) == 1:
            return [error]
    else:
        return [None] * len(rows)
    middle = len(rows) // 2
    first = await send_isolating(rows[:middle], send_all)
    if isinstance(first[-1], Unavailable):
        return [*first, *[first[-1]] * (len(rows) - middle)]
    return [*first, *await send_isolating(rows[middle:], send_all)]
