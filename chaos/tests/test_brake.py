"""Operators rest while too much waits, and no longer."""

import asyncio
import time
from types import SimpleNamespace
from typing import Any

import pytest

from countersign_chaos.clients import brake as brake_module
from countersign_chaos.clients.brake import MOST_WAITING, Brake
from countersign_chaos.clients.clerk import Pushed


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(brake_module, "_LOOK_SECONDS", 0.001)


def clerk(count: int, seconds_ago: float = 0.0) -> Any:
    at = time.time() - seconds_ago
    return SimpleNamespace(acknowledged={str(each): Pushed(at, "d") for each in range(count)})


async def test_operators_rest_until_files_have_come() -> None:
    files: set[str] = set()
    brake = Brake(clerk(MOST_WAITING + 1), files.__contains__)
    resting = asyncio.create_task(brake.wait(asyncio.Event()))
    await asyncio.sleep(0.01)
    assert not resting.done()
    files.add("7")
    await resting


async def test_nobody_rests_when_everybody_goes_home() -> None:
    ending = asyncio.Event()
    ending.set()
    await Brake(clerk(MOST_WAITING * 2), lambda _: False).wait(ending)


async def test_what_failed_long_ago_keeps_nobody() -> None:
    brake = Brake(clerk(MOST_WAITING * 2, seconds_ago=100.0), lambda _: False)
    await brake.wait(asyncio.Event())
