"""From one wake-up to deliveries: nobody waits for somebody else's server."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from uuid import UUID

import pytest

from countersign_core.lifecycle import ExportStatus
from countersign_export_worker.assignment import Assignment, ConnectionAccess
from countersign_export_worker.connectors.access import Connectors
from countersign_export_worker.connectors.memory import MemoryConnector
from countersign_export_worker.connectors.registry import ConnectorRegistry
from countersign_export_worker.desk import DeliveryDesk, leaves_more
from countersign_export_worker.errors import WorkUnavailable
from countersign_export_worker.file_names import DropName
from countersign_export_worker.ports import Room
from countersign_export_worker.slots import Slots
from countersign_export_worker.testing.samples import connection_to, export_record
from countersign_export_worker.testing.work_twin import WorkTwin

DEAD, ALIVE = UUID(int=1), UUID(int=2)
Eventually = Callable[[Callable[[], bool]], Awaitable[None]]


class _DeadServer(MemoryConnector):
    """Takes connections and says nothing until `woken`."""

    woken = asyncio.Event()

    async def stage(self, name: DropName, document: bytes) -> DropName:
        await self.woken.wait()
        return await super().stage(name, document)


@pytest.fixture
def twin() -> WorkTwin:
    """An export for the dead server comes first, and then one for the other."""
    made = WorkTwin()
    for number, connection in enumerate((DEAD, ALIVE)):
        access = connection_to(Path("/drop"), connection)
        made.add(export_record(access, number))
    return made


@pytest.fixture
def desk(twin: WorkTwin) -> Callable[..., DeliveryDesk]:
    """A desk with so many slots, whose dead server wakes up when the event is set."""

    def make(woken: asyncio.Event, *, total: int = 4) -> DeliveryDesk:
        opened: dict[UUID, MemoryConnector] = {DEAD: _DeadServer(), ALIVE: MemoryConnector()}
        opened[DEAD].woken = woken  # type: ignore[attr-defined]

        def open_connector(access: ConnectionAccess) -> MemoryConnector:
            return opened[access.id]

        registry = ConnectorRegistry({"DROPZONE_JSON_V1": open_connector})
        connectors = Connectors(registry, clock=lambda: 0.0, seconds=600)
        slots = Slots(total, total)
        return DeliveryDesk(twin, connectors=connectors, slots=slots, check_document=lambda _: None)

    return make


def _of(twin: WorkTwin, connection: UUID) -> ExportStatus:
    [status] = [e.status for e in twin.exports.values() if e.connection.id == connection]
    return status


async def test_one_wake_up_delivers_beside_a_dead_server(
    twin: WorkTwin, desk: Callable[..., DeliveryDesk], eventually: Eventually
) -> None:
    """The message may be the other's only one, and push hand out the dead server's first."""
    woken = asyncio.Event()
    look = asyncio.create_task(desk(woken).claim_and_deliver())
    await eventually(lambda: _of(twin, ALIVE) is ExportStatus.SENT)
    assert _of(twin, DEAD) is ExportStatus.PENDING
    assert not look.done()  # its message is kept until all that it led to has ended
    woken.set()
    assert await look
    assert _of(twin, DEAD) is ExportStatus.SENT


async def test_what_finds_no_slot_is_delivered_when_one_is_free(
    twin: WorkTwin, desk: Callable[..., DeliveryDesk], eventually: Eventually
) -> None:
    """One more is in hand and no third is claimed meanwhile; the wake-up is not forgotten."""
    woken = asyncio.Event()
    twin.add(export_record(connection_to(Path("/drop"), ALIVE), 2))
    look = asyncio.create_task(desk(woken, total=1).claim_and_deliver())
    await eventually(lambda: any(export.fence for export in twin.exports.values()))
    assert [export.fence for export in twin.exports.values()] == [1, 1, 0]
    woken.set()
    assert await look
    assert {export.status for export in twin.exports.values()} == {ExportStatus.SENT}


async def test_a_cancelled_look_ends_its_deliveries(
    twin: WorkTwin, desk: Callable[..., DeliveryDesk], eventually: Eventually
) -> None:
    """A worker that must go now does not wait for a dead server."""
    look = asyncio.create_task(desk(asyncio.Event()).claim_and_deliver())
    await eventually(lambda: _of(twin, ALIVE) is ExportStatus.SENT)
    look.cancel()
    await asyncio.wait({look})
    assert look.cancelled()
    others = asyncio.all_tasks() - {asyncio.current_task()}
    assert not [task for task in others if "_deliver" in repr(task.get_coro())]


async def test_push_that_goes_away_cuts_no_delivery_short(
    twin: WorkTwin,
    desk: Callable[..., DeliveryDesk],
    eventually: Eventually,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What was claimed before is brought to its end; then the message is kept for later."""
    woken, claim = asyncio.Event(), twin.claim_next

    async def claim_first_only(most: int, wait_seconds: float, room: Room) -> Sequence[Assignment]:
        if any(export.fence for export in twin.exports.values()):
            raise WorkUnavailable("push restarts")
        return await claim(most, wait_seconds, room)

    monkeypatch.setattr(twin, "claim_next", claim_first_only)
    look = asyncio.create_task(desk(woken).claim_and_deliver())
    await eventually(lambda: any(export.fence for export in twin.exports.values()))
    woken.set()
    with pytest.raises(WorkUnavailable):
        await look
    assert _of(twin, DEAD) is ExportStatus.SENT


@pytest.mark.parametrize(
    ("most", "rooms", "more"),
    [
        (3, {}, False),  # took all there was
        (2, {}, True),  # no more was asked for
        (9, {DEAD: 1}, True),  # the one connection took all the room that it had
        (9, {ALIVE: 1, DEAD: 5}, True),
        (9, {ALIVE: 5, DEAD: 5}, False),
    ],
)
async def test_a_claim_leaves_more_when_it_or_a_connection_was_filled(
    twin: WorkTwin, most: int, rooms: dict[UUID, int], more: bool
) -> None:
    claimed = await twin.claim_next(9, 0, Room(9, {}))
    assert len(claimed) == 2
    assert leaves_more(claimed, most, Room(9, rooms)) is more
