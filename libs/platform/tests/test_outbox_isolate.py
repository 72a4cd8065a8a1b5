from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

import pytest

from countersign_core.errors import Unavailable
from countersign_platform.outbox.isolate import send_isolating
from countersign_platform.outbox.row import OutboxRow

AT = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)


def rows(count: int) -> list[OutboxRow]:
    return [
        OutboxRow(UUID(int=1), UUID(int=n), n, "audit", b"", {}, AT, 0, AT) for n in range(count)
    ]


class Receiver:
    """Takes all of a batch or nothing; away from call number `away_from` on."""

    def __init__(self, bad: set[int], away_from: int | None = None) -> None:
        self.bad = bad
        self.away_from = away_from
        self.calls = 0
        self.taken: list[int] = []

    async def __call__(self, batch: Sequence[OutboxRow]) -> None:
        self.calls += 1
        if self.away_from is not None and self.calls >= self.away_from:
            raise Unavailable("away")
        if refused := [row.seq for row in batch if row.seq in self.bad]:
            raise ValueError(refused)
        self.taken += [row.seq for row in batch]


@pytest.mark.parametrize("count", [1, 2, 3, 7, 64])
async def test_good_rows_arrive_once_and_in_order_wherever_a_bad_one_stands(count: int) -> None:
    for bad in range(count):
        receiver = Receiver({bad})
        results = await send_isolating(rows(count), receiver)
        assert [n for n, error in enumerate(results) if error is not None] == [bad]
        assert receiver.taken == [n for n in range(count) if n != bad]


async def test_all_bad_rows_are_named() -> None:
    receiver = Receiver({0, 1, 5, 9})
    results = await send_isolating(rows(10), receiver)
    assert [n for n, error in enumerate(results) if error is not None] == [0, 1, 5, 9]
    assert receiver.taken == [2, 3, 4, 6, 7, 8]


async def test_one_good_batch_is_one_call() -> None:
    receiver = Receiver(set())
    assert await send_isolating(rows(100), receiver) == [None] * 100
    assert receiver.calls == 1


@pytest.mark.parametrize("away_from", range(1, 8))
async def test_once_the_receiver_is_away_it_is_not_asked_again(away_from: int) -> None:
    receiver = Receiver({0}, away_from)
    results = await send_isolating(rows(8), receiver)
    assert receiver.calls == min(away_from, 7)
    sent = [n for n, error in enumerate(results) if error is None]
    assert sent == receiver.taken
    away = [n for n, error in enumerate(results) if isinstance(error, Unavailable)]
    assert set(sent) | set(away) >= set(range(1, 8))
    assert bool(away) == (away_from <= 7)
