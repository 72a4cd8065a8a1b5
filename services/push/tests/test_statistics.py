"""GetExportStatistics: what was pushed, by day and by connection, and what waits."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from countersign.push.v1 import push_service_pb2 as pb
from countersign_core.errors import CountersignError
from countersign_core.reasons import Reason

pytestmark = pytest.mark.integration

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)


@pytest.fixture
def pushed(world, client, approved):
    """Pushes a draft, and says that it was at `moment`; the export's id."""

    async def pushed(moment=NOON):
        export = UUID((await client.push(await approved())).erp_export_id)
        await world.orders.sql.execute(
            "UPDATE push.exports SET created_at = $2 WHERE id = $1", export, moment
        )
        return export

    return pushed


@pytest.fixture
def sent(world, client, pushed):
    """Pushes a draft whose file was published `seconds` later."""

    async def sent(seconds, moment=NOON):
        export = await pushed(moment)
        await world.orders.sent(client.org_id, export)
        await world.orders.sql.execute(
            "UPDATE push.exports SET sent_at = $2 WHERE id = $1",
            export,
            moment + timedelta(seconds=seconds),
        )
        return export

    return sent


def at(moment):
    stamp = Timestamp()
    stamp.FromDatetime(moment)
    return stamp


async def statistics(client, start=NOON - timedelta(days=5), end=NOON + timedelta(days=5), zone=""):
    request = pb.GetExportStatisticsRequest(
        created_from=at(start), created_to=at(end), time_zone=zone
    )
    return await client.call("GetExportStatistics", request)


def total(found):
    [row] = [each for each in found.figures if not each.day and not each.erp_connection_id]
    return row


def by_day(found):
    return {
        each.day: each.pushed for each in found.figures if each.day and not each.erp_connection_id
    }


async def test_every_export_is_counted_as_it_stands(world, client, pushed, sent):
    await sent(1)
    await world.orders.acked(client.org_id, await sent(2))
    await world.orders.failed(client.org_id, await pushed())
    await pushed()
    found = total(await statistics(client))
    assert (found.pushed, found.delivered, found.acked, found.failed, found.waiting) == (
        4,
        2,
        1,
        1,
        1,
    )


async def test_latency_is_that_of_published_files(client, pushed, sent):
    for seconds in range(1, 21):
        await sent(seconds)
    await pushed()
    found = total(await statistics(client))
    assert (found.median_milliseconds, found.p95_milliseconds) == (10_000, 19_000)


async def test_without_a_published_file_there_is_no_latency(client, pushed):
    await pushed()
    found = total(await statistics(client))
    assert not found.HasField("median_milliseconds")
    assert not found.HasField("p95_milliseconds")


async def test_a_day_is_that_of_the_time_zone(client, pushed):
    """22:30 in London is half past eleven in Berlin, and tomorrow in Tokyo."""
    await pushed(datetime(2026, 3, 10, 22, 30, tzinfo=UTC))
    assert by_day(await statistics(client)) == {"2026-03-10": 1}
    assert by_day(await statistics(client, zone="Europe/Berlin")) == {"2026-03-10": 1}
    assert by_day(await statistics(client, zone="Asia/Tokyo")) == {"2026-03-11": 1}


async def test_sums_of_days_and_connections_are_the_total(world, client, pushed):
    for moment in (NOON, NOON, NOON + timedelta(days=1)):
        await pushed(moment)
    found = await statistics(client)
    assert by_day(found) == {"2026-03-10": 2, "2026-03-11": 1}
    connections = [each for each in found.figures if each.erp_connection_id and not each.day]
    assert [each.pushed for each in connections] == [3]
    both = [each for each in found.figures if each.erp_connection_id and each.day]
    assert sum(each.pushed for each in both) == total(found).pushed == 3


async def test_the_first_moment_counts_and_the_last_does_not(client, pushed):
    await pushed(NOON)
    day = timedelta(days=1)
    assert len((await statistics(client, NOON, NOON + day)).figures) == 4
    assert not (await statistics(client, NOON - day, NOON)).figures


async def test_what_waits_is_shown_whenever_it_was_pushed(world, client, pushed, sent):
    long_ago = datetime(2020, 1, 1, tzinfo=UTC)
    await pushed(long_ago)
    await world.orders.held(client.org_id, await pushed())
    overdue = await sent(1)
    await world.orders.sql.execute(
        "UPDATE push.exports SET ack_due_at = now() - interval '1 min' WHERE id = $1", overdue
    )
    [waiting] = (await statistics(client)).waiting
    assert (waiting.waiting, waiting.held, waiting.ack_overdue) == (2, 1, 1)
    assert waiting.oldest_since.ToDatetime(UTC) == long_ago


async def test_another_tenant_counts_for_nothing(world, pushed):
    await pushed()
    found = await statistics(world.client())
    assert not found.figures
    assert not found.waiting


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"end": NOON - timedelta(days=6)}, "created_to"),
        ({"end": NOON + timedelta(days=96)}, "created_to"),
        ({"zone": "Europe/Atlantis"}, "time_zone"),
        ({"zone": "a b"}, "time_zone"),
    ],
)
async def test_a_stretch_that_is_none_is_refused(client, changes, field):
    with pytest.raises(CountersignError) as caught:
        await statistics(client, **changes)
    assert caught.value.reason is Reason.VALIDATION_FAILED
    assert field in caught.value.message
