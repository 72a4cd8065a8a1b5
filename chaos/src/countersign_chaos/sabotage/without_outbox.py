"""A service that tells others once, after its commit, and keeps nothing to tell it again.

COUNTERSIGN_CHAOS_PROGRAM   the program: countersign_push or countersign_approval
"""

import os
from collections.abc import Sequence
from importlib import import_module

from countersign_platform.outbox.lane import Lane
from countersign_platform.outbox.row import OutboxRow


async def _tell_once(lane: Lane, rows: Sequence[OutboxRow]) -> None:
    await lane._store.delete(rows)  # noqa: SLF001 — that is the sabotage
    await lane._send(rows)  # noqa: SLF001


def main() -> None:
    """Start it."""
    Lane._send_and_settle = _tell_once  # type: ignore[method-assign, assignment]  # noqa: SLF001
    import_module(f"{os.environ['COUNTERSIGN_CHAOS_PROGRAM']}.__main__").main()


if __name__ == "__main__":
    main()
