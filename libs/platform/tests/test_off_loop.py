"""Small work stays where it is; large work lets others have their turn."""

import threading

from countersign_platform.off_loop import LARGE_BYTES, off_loop


async def test_small_work_is_done_at_once() -> None:
    assert await off_loop(LARGE_BYTES - 1, threading.get_ident) == threading.get_ident()


async def test_large_work_is_done_by_a_thread() -> None:
    assert await off_loop(LARGE_BYTES, threading.get_ident) != threading.get_ident()
