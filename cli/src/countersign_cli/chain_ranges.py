"""Verifies a chain of any length over the API: in ranges, each within one call's deadline."""

import time
from collections.abc import Callable
from typing import Any

import httpx

from countersign_cli.client import ApiError, call

FIRST_RANGE = 20_000
_LONGEST_RANGE = 500_000
_SHORTEST_RANGE = 100
# A call that took less could have checked more; the gateway gives it half a minute.
_QUICK_SECONDS = 4.0
_TOO_MUCH = frozenset({503, 504})
_TRIES = 5

OnProgress = Callable[[int, int], None]


async def verify_in_ranges(
    client: httpx.AsyncClient, on_progress: OnProgress, first_range: int = FIRST_RANGE
) -> dict[str, Any]:
    """The verdict on the whole chain of the token's org, as of one call; `checked` is the sum.

    `on_progress` is told the last seq that was checked, and the one to reach. A range that takes
    too long is tried again with fewer events.

    Raises:
        ApiError: refused, or still too slow for the shortest range.
    """
    head = await _head_seq(client)
    length, checked, done, failures = first_range, 0, 0, 0
    while True:
        # The last range has no end: the head row is part of it.
        end = 0 if done + length >= head else done + length
        began = time.monotonic()
        try:
            verdict = await _verify(client, done + 1 if done else 0, end)
        except ApiError as error:
            failures += 1
            if error.status not in _TOO_MUCH or failures >= _TRIES:
                raise
            length = max(_SHORTEST_RANGE, length // 4)
            continue
        failures = 0
        checked += verdict["checked"]
        on_progress(verdict["head_seq"], max(head, verdict["head_seq"]))
        if not verdict["valid"] or not end:
            return verdict | {"checked": checked}
        done = max(end, verdict["head_seq"])
        if time.monotonic() - began < _QUICK_SECONDS:
            length = min(_LONGEST_RANGE, length * 2)


async def _verify(client: httpx.AsyncClient, from_seq: int, to_seq: int) -> dict[str, Any]:
    params = {"from_seq": from_seq, "to_seq": to_seq}
    answer = await call(client, "GET", "/audit-log/verify", params=params)
    verdict: dict[str, Any] = answer.json()
    return verdict


async def _head_seq(client: httpx.AsyncClient) -> int:
    page = (await call(client, "GET", "/audit-log", params={"page_size": 1})).json()
    return int(page["events"][0]["seq"]) if page["events"] else 0
