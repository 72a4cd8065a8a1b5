"""Connectors are opened once, and let go when nobody uses them."""

from dataclasses import replace
from pathlib import Path

import pytest

from countersign_export_worker.connectors.memory import MemoryConnector
from countersign_export_worker.connectors.registry import ConnectorRegistry
from countersign_export_worker.errors import TransientDeliveryError
from countersign_export_worker.testing.samples import connection_to

ACCESS = connection_to(Path("/nowhere"))
CHANGED = replace(ACCESS, version=ACCESS.version + 1)
IDLE_SECONDS = 60.0


class Counted(MemoryConnector):
    """Knows whether it was closed; `broken` cannot be."""

    def __init__(self, *, broken: bool = False) -> None:
        super().__init__()
        self.closed = False
        self.broken = broken

    async def aclose(self) -> None:
        self.closed = True
        if self.broken:
            raise ValueError("bug of a plug-in")


class Bench:
    """A registry of counted connectors, and its clock."""

    def __init__(self, *, broken: bool = False) -> None:
        self.now = 1000.0
        self.opened: list[Counted] = []

        def open_connector(_access: object) -> Counted:
            self.opened.append(Counted(broken=broken))
            return self.opened[-1]

        connectors = {ACCESS.connector_type: open_connector}
        self.registry = ConnectorRegistry(connectors, clock=lambda: self.now)

    @property
    def closed(self) -> list[bool]:
        return [connector.closed for connector in self.opened]


async def test_a_connection_is_opened_once_until_it_changes() -> None:
    bench = Bench()
    for access in (ACCESS, ACCESS, CHANGED, CHANGED, ACCESS):
        with bench.registry.using(access):
            pass
    assert len(bench.opened) == 2
    await bench.registry.aclose()
    assert bench.closed == [True, True]


async def test_what_nobody_used_for_a_while_is_closed_and_opened_anew() -> None:
    bench = Bench()
    with bench.registry.using(ACCESS):
        pass
    bench.now += IDLE_SECONDS - 1
    await bench.registry.close_idle(IDLE_SECONDS)
    assert bench.closed == [False]
    bench.now += 1
    await bench.registry.close_idle(IDLE_SECONDS)
    assert bench.closed == [True]
    with bench.registry.using(ACCESS) as connector:
        assert connector is bench.opened[1]


async def test_what_is_in_use_is_never_closed_and_rests_from_its_last_use() -> None:
    bench = Bench()
    with bench.registry.using(ACCESS):
        bench.now += 10 * IDLE_SECONDS
        await bench.registry.close_idle(IDLE_SECONDS)
        assert bench.closed == [False]
    await bench.registry.close_idle(IDLE_SECONDS)
    assert bench.closed == [False]
    bench.now += IDLE_SECONDS
    await bench.registry.close_idle(IDLE_SECONDS)
    assert bench.closed == [True]


async def test_a_changed_connection_s_old_connector_is_closed_when_its_last_user_is_done() -> None:
    bench = Bench()
    with bench.registry.using(ACCESS):
        with bench.registry.using(CHANGED):
            pass
        await bench.registry.close_idle(IDLE_SECONDS)
        assert bench.closed == [False, False]
    await bench.registry.close_idle(IDLE_SECONDS)
    assert bench.closed == [True, False]


async def test_a_connector_that_cannot_be_closed_keeps_no_other_open() -> None:
    bench = Bench(broken=True)
    for number in range(2):
        with bench.registry.using(replace(ACCESS, version=number)):
            pass
    await bench.registry.aclose()
    assert bench.closed == [True, True]


async def test_a_failure_of_the_user_leaves_it_usable() -> None:
    bench = Bench()
    with pytest.raises(TransientDeliveryError), bench.registry.using(ACCESS):
        raise TransientDeliveryError("UNREACHABLE", "away")
    with bench.registry.using(ACCESS):
        pass
    assert len(bench.opened) == 1
