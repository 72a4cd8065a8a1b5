"""Verifying a long chain: in ranges, shorter where a call takes too long."""

import asyncio
from typing import Any

import httpx
import pytest

from countersign_cli.chain_ranges import verify_in_ranges
from countersign_cli.client import ApiError


class Chain:
    """A chain of `length`, whose seq `bad` does not hold, behind a gateway with little time."""

    def __init__(
        self, length: int, *, bad: int = 0, longest: int = 10**9, removed: int = 0
    ) -> None:
        self.length = length
        self.bad = bad
        self.longest = longest
        self.removed = removed
        self.ranges: list[tuple[int, int]] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/audit-log":
            events = [{"seq": self.length}] if self.length else []
            return httpx.Response(200, json={"events": events})
        first = max(int(request.url.params["from_seq"]), self.removed + 1)
        last = int(request.url.params["to_seq"]) or self.length
        if last - first >= self.longest:
            return httpx.Response(504, json={"detail": "too long"})
        self.ranges.append((first, last))
        return httpx.Response(200, json=self.verdict(first, last))

    def verdict(self, first: int, last: int) -> dict[str, Any]:
        flawed = first <= self.bad <= last
        reached = self.bad - 1 if flawed else max(last, self.removed)
        return {
            "valid": not flawed,
            "checked": max(0, reached - first + 1),
            "head_seq": reached,
            "first_bad_seq": self.bad if flawed else None,
        }


def verify(chain: Chain) -> tuple[dict[str, Any], list[tuple[int, int]]]:
    seen: list[tuple[int, int]] = []

    async def run() -> dict[str, Any]:
        transport = httpx.MockTransport(chain)
        async with httpx.AsyncClient(base_url="http://gateway", transport=transport) as client:
            return await verify_in_ranges(
                client, lambda done, total: seen.append((done, total)), first_range=10
            )

    return asyncio.run(run()), seen


@pytest.mark.parametrize("length", [0, 1, 9, 10, 11, 30, 31, 95])
def test_the_ranges_cover_the_chain_once(length: int) -> None:
    chain = Chain(length)
    verdict, seen = verify(chain)
    assert (verdict["valid"], verdict["checked"], verdict["head_seq"]) == (True, length, length)
    covered = [seq for first, last in chain.ranges for seq in range(first, last + 1)]
    assert covered == list(range(1, length + 1))
    assert seen[-1] == (length, length)


@pytest.mark.parametrize("bad", [1, 10, 11, 77])
def test_the_first_bad_link_ends_it(bad: int) -> None:
    chain = Chain(95, bad=bad)
    verdict, _ = verify(chain)
    assert (verdict["valid"], verdict["first_bad_seq"], verdict["checked"]) == (False, bad, bad - 1)
    assert chain.ranges[-1][1] >= bad


def test_a_range_that_takes_too_long_is_tried_again_shorter() -> None:
    chain = Chain(5_000, longest=300)
    verdict, _ = verify(chain)
    assert (verdict["valid"], verdict["checked"]) == (True, 5_000)


def test_what_was_removed_is_passed_over() -> None:
    verdict, _ = verify(Chain(95, removed=40))
    assert (verdict["valid"], verdict["checked"]) == (True, 55)


def test_a_gateway_that_never_has_the_time_is_told() -> None:
    with pytest.raises(ApiError, match="too long"):
        verify(Chain(5_000, longest=1))
