"""Whatever a connector does, its caller sees a result, TokenGone or a DeliveryError."""

import asyncio
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest

from countersign_export_worker.connectors.access import Connectors
from countersign_export_worker.connectors.breaker import Breaker
from countersign_export_worker.connectors.guarded import GuardedConnector
from countersign_export_worker.connectors.memory import MemoryConnector
from countersign_export_worker.connectors.registry import ConnectorRegistry, installed_connectors
from countersign_export_worker.errors import (
    DeliveryError,
    OutcomeUncertain,
    PermanentDeliveryError,
    TokenGone,
    TransientDeliveryError,
)
from countersign_export_worker.file_names import DropName
from countersign_export_worker.ports import ErpConnectorPort
from countersign_export_worker.testing.samples import connection_to

NAME = DropName("order.json", UUID("0192f0c1-0000-7000-8000-0000000000e1"), 1, "1")
ACCESS = connection_to(Path("/dropzone"))


class Scripted(MemoryConnector):
    """publish does what it is told."""

    def __init__(self, act: Callable[[], object]) -> None:
        super().__init__()
        self.act = act
        self.closed = False

    async def publish(self, staged: DropName) -> None:
        result = self.act()
        if asyncio.iscoroutine(result):
            await result

    async def aclose(self) -> None:
        self.closed = True


def _raising(error: BaseException) -> Callable[[], object]:
    def act() -> object:
        raise error

    return act


def _guard(connector: ErpConnectorPort, breaker: Breaker | None = None, **options: bool):
    return GuardedConnector(
        lambda: nullcontext(connector),
        breaker=breaker or Breaker(lambda: 0.0),
        seconds=0.05,
        **options,
    )


async def _code(connector: ErpConnectorPort) -> str:
    with pytest.raises(DeliveryError) as caught:
        await connector.publish(NAME)
    return caught.value.code


async def test_call_that_hangs_is_a_timeout() -> None:
    """And transient: the server may come back."""
    connector = _guard(Scripted(lambda: asyncio.sleep(60)))
    with pytest.raises(TransientDeliveryError) as caught:
        await connector.publish(NAME)
    assert caught.value.code == "TIMEOUT"


@pytest.mark.parametrize("error", [ValueError("bug"), KeyError("x"), TimeoutError("its own")])
async def test_exception_nobody_expected_is_internal(error: Exception) -> None:
    """A defect of a connector is put off like any failure, and does not end the worker."""
    assert await _code(_guard(Scripted(_raising(error)))) == "INTERNAL"


async def test_token_gone_passes_through() -> None:
    """It is a finding, not a failure."""
    with pytest.raises(TokenGone):
        await _guard(Scripted(_raising(TokenGone("x")))).publish(NAME)


async def test_dead_server_is_left_alone_for_a_while() -> None:
    """After three timeouts in a row; then one try decides."""
    now = 0.0
    breaker = Breaker(lambda: now, limit=3, seconds=30.0)
    connector = Scripted(_raising(TransientDeliveryError("UNREACHABLE", "away")))
    assert [await _code(_guard(connector, breaker)) for _ in range(4)] == [
        "UNREACHABLE",
        "UNREACHABLE",
        "UNREACHABLE",
        "CONNECTION_PAUSED",
    ]
    assert await _code(_guard(connector, breaker, insist=True)) == "UNREACHABLE"
    now = 31.0
    assert await _code(_guard(connector, breaker)) == "UNREACHABLE"
    assert await _code(_guard(connector, breaker)) == "CONNECTION_PAUSED"
    now = 62.0
    connector.act = lambda: None
    await _guard(connector, breaker).publish(NAME)
    await _guard(connector, breaker).publish(NAME)


async def test_full_disk_does_not_pause_the_connection() -> None:
    """Only a server that does not answer is left alone."""
    breaker = Breaker(lambda: 0.0, limit=1)
    connector = Scripted(_raising(TransientDeliveryError("DISK_FULL", "full")))
    assert [await _code(_guard(connector, breaker)) for _ in range(3)] == ["DISK_FULL"] * 3


@pytest.mark.parametrize(
    ("connector_type", "config", "code"),
    [
        ("DROPZONE_JSON_V1", "not json", "BAD_CONFIG"),
        ("DROPZONE_JSON_V1", "[]", "BAD_CONFIG"),
        ("DROPZONE_JSON_V1", "{}", "BAD_CONFIG"),
        ("DROPZONE_JSON_V1", '{"transport": ["folder"]}', "BAD_CONFIG"),
        ("DROPZONE_JSON_V1", '{"transport": "pigeon"}', "BAD_CONFIG"),
        ("DROPZONE_JSON_V1", '{"transport": "folder"}', "BAD_CONFIG"),
        ("DROPZONE_JSON_V1", '{"transport": "folder", "export_path": "a/b"}', "BAD_CONFIG"),
    ],
)
async def test_connection_that_cannot_be_opened_fails_at_every_call(
    connector_type: str, config: str, code: str
) -> None:
    """For good: somebody must change the connection."""
    connectors = Connectors(
        ConnectorRegistry(installed_connectors()), clock=lambda: 0.0, seconds=1.0
    )
    access = replace(ACCESS, connector_type=connector_type, config_json=config)
    with pytest.raises(PermanentDeliveryError) as caught:
        await connectors.reach(access).publish(NAME)
    assert caught.value.code == code
    async with connectors.open_once(access) as connector:
        report = await connector.test_connection()
    assert (report.ok, report.failure) == (False, code)


async def test_a_connector_that_is_not_installed_here_may_be_elsewhere() -> None:
    """In a roll-out a worker with the plug-in delivers what one without it put off."""
    connectors = Connectors(
        ConnectorRegistry(installed_connectors()), clock=lambda: 0.0, seconds=1.0
    )
    access = replace(ACCESS, connector_type="NOBODYS_CONNECTOR")
    with pytest.raises(TransientDeliveryError) as caught:
        await connectors.reach(access).publish(NAME)
    assert caught.value.code == "UNKNOWN_CONNECTOR"
    async with connectors.open_once(access) as connector:
        report = await connector.test_connection()
    assert (report.ok, report.failure) == (False, "UNKNOWN_CONNECTOR")


async def test_connector_of_a_test_is_closed_after_it() -> None:
    """Settings that are not saved leave nothing open."""
    opened: list[Scripted] = []

    def open_connector(_access: object) -> Scripted:
        opened.append(Scripted(lambda: None))
        return opened[-1]

    registry = ConnectorRegistry({ACCESS.connector_type: open_connector})
    connectors = Connectors(registry, clock=lambda: 0.0, seconds=1.0)
    async with connectors.open_once(ACCESS) as connector:
        assert (await connector.test_connection()).ok
        await connector.publish(NAME)
    assert [connector.closed for connector in opened] == [True]


def test_built_in_connector_is_found_by_its_entry_point() -> None:
    """A connector is a package that is installed beside the worker."""
    assert "DROPZONE_JSON_V1" in installed_connectors()


class OneStep(MemoryConnector):
    """A direct connector whose one step does what it is told, and which cannot look."""

    def __init__(self, act: Callable[[], object]) -> None:
        super().__init__(is_direct=True)
        self.act = act

    async def send(self, name: DropName, document: bytes) -> None:
        del name, document
        result = self.act()
        if asyncio.iscoroutine(result):
            await result

    async def has_arrived(self, name: DropName, document: bytes) -> bool:
        del name, document
        return False


@pytest.mark.parametrize(
    "act",
    [lambda: asyncio.sleep(60), _raising(ValueError("bug")), _raising(TimeoutError("its own"))],
    ids=["hangs", "breaks", "runs into a timeout of its own"],
)
async def test_a_step_that_was_not_seen_to_its_end_leaves_the_outcome_open(act) -> None:
    """What cannot be taken back is not called a failure because it was cut short."""
    with pytest.raises(OutcomeUncertain):
        await _guard(OneStep(act)).send(NAME, b"{}")


async def test_outcomes_that_nobody_knows_pause_a_connection() -> None:
    """Each holds an export until a person has looked: three in a row are enough for a while.

    What asks nobody, a look that cannot tell or a list of answers that is always empty, is no
    sign of life.
    """
    breaker = Breaker(lambda: 0.0, limit=3)
    connector = _guard(OneStep(_raising(OutcomeUncertain("no answer"))), breaker)
    for _ in range(3):
        with pytest.raises(OutcomeUncertain):
            await connector.send(NAME, b"{}")
        if not breaker.is_open:
            assert await connector.has_arrived(NAME, b"{}") is False
            assert await connector.poll_acks() == []
    assert breaker.is_open
    with pytest.raises(TransientDeliveryError) as caught:
        await connector.send(NAME, b"{}")
    assert caught.value.code == "CONNECTION_PAUSED"
