import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from uuid import UUID, uuid4

import asyncpg
import pytest
import pytest_asyncio
from prometheus_client import REGISTRY

from countersign_core.errors import CountersignError, FieldError, InvalidRequest, Unavailable
from countersign_core.reasons import Reason
from countersign_platform.backoff import Backoff
from countersign_platform.database.pool import Database
from countersign_platform.outbox.lane import LanePolicy
from countersign_platform.outbox.relay import Relay
from countersign_platform.outbox.row import OutboxRow
from countersign_platform.outbox.store import OutboxStore, RowPolicy
from countersign_platform.testing.databases import Databases

pytestmark = pytest.mark.integration

ORG = UUID(int=7)
INSERT = """
INSERT INTO push.outbox (org_id, id, lane, payload, headers)
SELECT $1, unnest($2::uuid[]), $3, convert_to('payload', 'UTF8'), '{"x-request-id": "r-1"}'
"""
QUICK = LanePolicy(
    batch=10,
    lease_seconds=2.0,
    poll_seconds=0.05,
    away=Backoff(0.01, 0.05),
    row=RowPolicy(first_wait_seconds=0.01, longest_wait_seconds=0.02, attempts=3),
)

Answer = Callable[[OutboxRow], Exception | None]


class Receiver:
    """Remembers every row it took; `answer` decides what it takes."""

    def __init__(self, answer: Answer = lambda _: None) -> None:
        self.answer = answer
        self.batches: list[list[UUID]] = []
        self.taken: list[UUID] = []

    async def send(self, rows: Sequence[OutboxRow]) -> Sequence[Exception | None]:
        self.batches.append([row.id for row in rows])
        results = [self.answer(row) for row in rows]
        self.taken += [row.id for row, error in zip(rows, results, strict=True) if error is None]
        return results


@pytest_asyncio.fixture(loop_scope="session")
async def database(databases: Databases) -> AsyncIterator[Database]:
    opened = await Database.connect(databases.url_for("push"), "test-relay")
    yield opened
    await opened.close()


async def write(database: Database, count: int, lane: str = "work") -> list[UUID]:
    ids = [uuid4() for _ in range(count)]
    await database.execute(INSERT, ORG, ids, lane)
    return ids


async def rows_left(database: Database) -> list[asyncpg.Record]:
    return await database.fetch("SELECT * FROM push.outbox ORDER BY seq")


async def until(condition: Callable[[], Awaitable[bool]], seconds: float = 20.0) -> None:
    async with asyncio.timeout(seconds):
        while not await condition():
            await asyncio.sleep(0.01)


async def until_empty(database: Database) -> None:
    async def empty() -> bool:
        return not await rows_left(database)

    await until(empty)


@asynccontextmanager
async def running(*relays: Relay) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(relay.run()) for relay in relays]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        for task in tasks:
            with suppress(asyncio.CancelledError):
                await task


def relay_to(database: Database, receiver: Receiver, policy: LanePolicy = QUICK) -> Relay:
    return Relay(database, "push", {"work": receiver}, policies={"work": policy})


async def test_rows_are_sent_in_the_order_of_writing_and_then_gone(database: Database) -> None:
    ids = await write(database, 25)
    receiver = Receiver()
    async with running(relay_to(database, receiver)):
        await until_empty(database)
    assert receiver.taken == ids
    assert [len(batch) for batch in receiver.batches] == [10, 10, 5]


async def test_the_order_does_not_hang_on_where_rows_lie_or_how_they_are_found(
    databases: Databases,
) -> None:
    owner = await asyncpg.connect(databases.owner_url)
    for way in ("indexscan", "bitmapscan", "indexonlyscan", "nestloop", "mergejoin"):
        await owner.execute(f"ALTER DATABASE {databases.name} SET enable_{way} = off")
    await owner.close()
    database = await Database.connect(databases.url_for("push"), "test-relay-order")
    ids = await write(database, 25)
    for row_id in reversed(ids):
        # An update moves the row: on disk they now lie in the opposite order.
        await database.execute("UPDATE push.outbox SET headers = '{}' WHERE id = $1", row_id)
    receiver = Receiver()
    async with running(relay_to(database, receiver)):
        await until_empty(database)
    await database.close()
    assert receiver.taken == ids


async def test_a_row_arrives_with_all_that_was_written(database: Database) -> None:
    seen: list[OutboxRow] = []
    ids = await write(database, 1)
    receiver = Receiver(seen.append)
    async with running(relay_to(database, receiver)):
        await until_empty(database)
    row = seen[0]
    assert (row.org_id, row.id, row.lane, row.payload) == (ORG, ids[0], "work", b"payload")
    assert row.headers == {"x-request-id": "r-1"}
    assert row.created_at.utcoffset() is not None


async def test_a_poke_after_the_commit_sends_at_once_without_waiting_for_the_poll(
    database: Database,
) -> None:
    receiver = Receiver()
    slow_poll = LanePolicy(poll_seconds=600)
    relay = relay_to(database, receiver, slow_poll)
    async with running(relay):
        for _ in range(3):
            await write(database, 1)
            relay.wake()
            await until_empty(database)
    assert len(receiver.taken) == 3


async def test_rows_that_nobody_poked_about_are_found_by_the_poll(database: Database) -> None:
    receiver = Receiver()
    async with running(relay_to(database, receiver)):
        await asyncio.sleep(0.1)
        await write(database, 3)
        await until_empty(database)
    assert len(receiver.taken) == 3


async def test_another_lane_is_left_alone(database: Database) -> None:
    await write(database, 2, lane="audit")
    work = await write(database, 2)
    receiver = Receiver()
    async with running(relay_to(database, receiver)):

        async def work_is_gone() -> bool:
            return {row["lane"] for row in await rows_left(database)} == {"audit"}

        await until(work_is_gone)
    assert receiver.taken == work


async def test_a_bad_row_never_blocks_the_others_and_ends_in_quarantine(
    database: Database,
) -> None:
    ids = await write(database, 30)
    bad = {ids[0], ids[7], ids[29]}
    receiver = Receiver(lambda row: ValueError("no such queue") if row.id in bad else None)
    async with running(relay_to(database, receiver)):

        async def only_bad_in_quarantine() -> bool:
            rows = await rows_left(database)
            return {row["id"] for row in rows} == bad and all(row["quarantined_at"] for row in rows)

        await until(only_bad_in_quarantine)
        later = await write(database, 5)

        async def later_is_gone() -> bool:
            return len(await rows_left(database)) == 3

        await until(later_is_gone)
    assert sorted(receiver.taken) == sorted((set(ids) - bad) | set(later))
    for row in await rows_left(database):
        assert row["attempts"] == 3
        assert row["last_error"] == "ValueError: no such queue"
        assert row["leased_until"] is None


async def test_a_refused_row_waits_longer_each_time(database: Database) -> None:
    await write(database, 1)
    store = OutboxStore(database, "push")
    policy = RowPolicy(first_wait_seconds=10, longest_wait_seconds=45, attempts=99)
    waits = []
    for _ in range(5):
        await database.execute("UPDATE push.outbox SET next_attempt_at = now()")
        rows = await store.lease("work", 10, 30)
        await store.charge([(rows[0], ValueError("no"))], policy)
        waits.append(
            await database.fetchval(
                "SELECT extract(epoch FROM next_attempt_at - now())::float8 FROM push.outbox"
            )
        )
    bounds = [(5, 10), (10, 20), (20, 40), (22.5, 45), (22.5, 45)]
    for wait, (least, most) in zip(waits, bounds, strict=True):
        assert least - 1 <= wait <= most, waits


async def test_a_receiver_that_is_away_burns_no_attempts(database: Database) -> None:
    ids = await write(database, 15)
    away = True
    receiver = Receiver(lambda _: Unavailable("down") if away else None)
    async with running(relay_to(database, receiver)):

        async def tried_often() -> bool:
            return len(receiver.batches) > 8  # far more than the attempts of a row

        await until(tried_often)
        rows = await rows_left(database)
        assert [row["attempts"] for row in rows] == [0] * 15
        assert not any(row["quarantined_at"] for row in rows)
        away = False
        await until_empty(database)
    assert receiver.taken == ids


async def test_while_the_receiver_is_away_the_lane_backs_off(database: Database) -> None:
    await write(database, 1)
    receiver = Receiver(lambda _: Unavailable("down"))
    policy = LanePolicy(poll_seconds=0.01, away=Backoff(10, 10))
    relay = relay_to(database, receiver, policy)
    async with running(relay):

        async def tried() -> bool:
            return len(receiver.batches) == 1

        await until(tried)
        for _ in range(20):
            relay.wake()
            await asyncio.sleep(0.01)
    assert len(receiver.batches) == 1


async def test_what_was_confirmed_before_the_receiver_went_away_is_not_sent_again(
    database: Database,
) -> None:
    ids = await write(database, 6)
    lost = set(ids[3:])
    receiver = Receiver(lambda row: Unavailable("cut off") if row.id in lost else None)
    async with running(relay_to(database, receiver)):

        async def half_is_gone() -> bool:
            return len(await rows_left(database)) == 3

        await until(half_is_gone)
        lost.clear()
        await until_empty(database)
    assert receiver.taken == ids


async def test_an_internal_error_is_tried_again_but_never_quarantines(database: Database) -> None:
    await write(database, 1)
    receiver = Receiver(lambda _: CountersignError(Reason.INTERNAL, "Internal error"))
    async with running(relay_to(database, receiver)):

        async def tried_often() -> bool:
            rows = await rows_left(database)
            return rows[0]["attempts"] > QUICK.row.attempts + 2

        await until(tried_often)
    assert (await rows_left(database))[0]["quarantined_at"] is None


async def test_a_sender_that_breaks_over_one_row_still_delivers_the_others(
    database: Database,
) -> None:
    ids = await write(database, 10)

    class Breaking(Receiver):
        async def send(self, rows: Sequence[OutboxRow]) -> Sequence[Exception | None]:
            if any(row.id == ids[4] for row in rows):
                raise KeyError("a bug in the sender")
            return await super().send(rows)

    receiver = Breaking()
    async with running(relay_to(database, receiver)):

        async def only_one_left() -> bool:
            rows = await rows_left(database)
            return [row["id"] for row in rows] == [ids[4]] and rows[0]["quarantined_at"] is not None

        await until(only_one_left)
    assert set(receiver.taken) == set(ids) - {ids[4]}


async def test_a_released_row_is_sent(database: Database) -> None:
    ids = await write(database, 3)
    healed = False
    receiver = Receiver(
        lambda _: None if healed else InvalidRequest([FieldError("action", "unknown")])
    )
    relay = relay_to(database, receiver)
    async with running(relay):

        async def all_in_quarantine() -> bool:
            return len(await relay.store.quarantined()) == 3

        await until(all_in_quarantine)
        listed = await relay.store.quarantined()
        assert [row["id"] for row in listed] == ids
        assert listed[0]["last_error"] == "InvalidRequest: action: unknown"
        healed = True
        assert await relay.store.release([ids[0]]) == 1
        relay.wake()

        async def one_is_gone() -> bool:
            return len(await rows_left(database)) == 2

        await until(one_is_gone)
        assert await relay.store.release() == 2
        await until_empty(database)
    assert receiver.taken == ids


async def test_three_relays_send_each_row_once(database: Database) -> None:
    ids = await write(database, 300)
    receivers = [Receiver() for _ in range(3)]
    policy = LanePolicy(batch=7, poll_seconds=0.01, in_flight=2)
    async with running(*(relay_to(database, receiver, policy) for receiver in receivers)):
        await until_empty(database)
    taken = Counter(row_id for receiver in receivers for row_id in receiver.taken)
    assert taken == Counter(ids)


async def test_rows_of_a_relay_that_died_after_sending_are_sent_again_when_its_lease_ends(
    database: Database,
) -> None:
    ids = await write(database, 5)
    dead, heir = Receiver(), Receiver()
    # What a process that is killed between send and delete leaves behind.
    await dead.send(await OutboxStore(database, "push").lease("work", 10, 1.0))
    async with running(relay_to(database, heir)):
        await asyncio.sleep(0.4)
        # The lease still holds: nobody else touches the rows.
        assert heir.taken == []
        await until_empty(database)
    assert dead.taken == heir.taken == ids


async def test_a_relay_that_is_stopped_while_sending_gives_its_rows_to_the_next_at_once(
    database: Database,
) -> None:
    ids = await write(database, 5)
    sending = asyncio.Event()

    class Stopped(Receiver):
        async def send(self, rows: Sequence[OutboxRow]) -> Sequence[Exception | None]:
            sending.set()
            await asyncio.Event().wait()
            raise AssertionError

    long_lease = LanePolicy(lease_seconds=600)
    async with running(relay_to(database, Stopped(), long_lease)):
        await asyncio.wait_for(sending.wait(), 60)
    heir = Receiver()
    async with running(relay_to(database, heir)):
        await until_empty(database)
    assert heir.taken == ids


async def test_a_relay_that_is_stopped_after_sending_still_forgets_what_was_sent(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await write(database, 5)
    deleting = asyncio.Event()
    delete = OutboxStore.delete

    async def slow_delete(store: OutboxStore, rows: Sequence[OutboxRow]) -> None:
        deleting.set()
        await asyncio.sleep(0.2)
        await delete(store, rows)

    monkeypatch.setattr(OutboxStore, "delete", slow_delete)
    async with running(relay_to(database, Receiver())):
        await asyncio.wait_for(deleting.wait(), 60)
    assert await rows_left(database) == []


async def test_a_receiver_that_never_answers_is_given_up_before_the_lease_ends(
    database: Database,
) -> None:
    await write(database, 1)

    class Silent(Receiver):
        async def send(self, rows: Sequence[OutboxRow]) -> Sequence[Exception | None]:
            if not self.batches:
                self.batches.append([])
                await asyncio.Event().wait()
            return await super().send(rows)

    receiver = Silent()
    policy = LanePolicy(lease_seconds=0.2, poll_seconds=0.05, away=Backoff(0.01, 0.01))
    async with running(relay_to(database, receiver, policy)):
        await until_empty(database)
    assert len(receiver.taken) == 1


async def test_late_results_of_a_lost_lease_charge_nobody(database: Database) -> None:
    await write(database, 1)
    store = OutboxStore(database, "push")
    lost = await store.lease("work", 1, 0.0)
    held = await store.lease("work", 1, 30.0)
    assert [row.id for row in held] == [row.id for row in lost]
    await store.charge([(lost[0], ValueError("late"))], RowPolicy())
    await store.give_back(lost)
    row = (await rows_left(database))[0]
    assert row["attempts"] == 0
    assert row["leased_until"] == held[0].leased_until


async def test_the_relay_outlives_a_database_that_cuts_every_connection(
    database: Database, databases: Databases
) -> None:
    receiver = Receiver()
    async with running(relay_to(database, receiver)):
        await write(database, 5)
        await until_empty(database)
        owner = await asyncpg.connect(databases.owner_url)
        await owner.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        await owner.execute(INSERT, ORG, [uuid4() for _ in range(5)], "work")
        await owner.close()

        async def all_taken() -> bool:
            return len(receiver.taken) >= 10

        await until(all_taken)


async def test_the_gauges_show_what_waits_how_long_and_what_is_in_quarantine(
    database: Database,
) -> None:
    await write(database, 3)
    await write(database, 2)
    await database.execute("UPDATE push.outbox SET created_at = now() - interval '90 seconds'")
    await database.execute(
        "UPDATE push.outbox SET quarantined_at = now(), last_error = 'x'"
        " WHERE id IN (SELECT id FROM push.outbox LIMIT 2)"
    )
    relay = relay_to(database, Receiver())
    await relay.measure()
    labels = {"schema": "push", "lane": "work"}
    assert REGISTRY.get_sample_value("countersign_outbox_rows", labels) == 3
    assert REGISTRY.get_sample_value("countersign_outbox_quarantined", labels) == 2
    oldest = REGISTRY.get_sample_value("countersign_outbox_oldest_seconds", labels)
    assert oldest is not None
    assert 89 < oldest < 120
    await database.execute("DELETE FROM push.outbox")
    await relay.measure()
    assert REGISTRY.get_sample_value("countersign_outbox_rows", labels) == 0
    assert REGISTRY.get_sample_value("countersign_outbox_oldest_seconds", labels) == 0


async def test_the_lag_of_a_lane_is_that_of_its_oldest_row_until_it_was_sent(
    database: Database,
) -> None:
    receiver = Receiver()
    relay = relay_to(database, receiver)
    assert relay.lag_seconds("work") is None
    await relay.measure()
    assert relay.lag_seconds("work") == 0
    await write(database, 2)
    await database.execute("UPDATE push.outbox SET created_at = now() - interval '1 hour'")
    await relay.measure()
    assert relay.lag_seconds("work") == pytest.approx(3600, abs=60)
    async with running(relay):
        await until_empty(database)
    await relay.measure()
    assert relay.lag_seconds("work") == 0


async def test_a_row_in_quarantine_is_no_lag(database: Database) -> None:
    """It waits for a person; the others go on, and whoever waits for the lag must not hang."""
    await write(database, 1)
    await database.execute(
        "UPDATE push.outbox SET quarantined_at = now(), last_error = 'x',"
        " created_at = now() - interval '1 hour'"
    )
    relay = relay_to(database, Receiver())
    await relay.measure()
    assert relay.lag_seconds("work") == 0
