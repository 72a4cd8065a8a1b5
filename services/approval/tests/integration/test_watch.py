"""Live status changes over real gRPC, resumable without loss."""

import asyncio

import grpc
import pytest

from countersign.approval.v1 import draft_pb2
from countersign_approval.metrics import WATCHERS

pytestmark = pytest.mark.integration

Move = tuple[str, str, int]


def move(reply) -> Move:
    names = [
        draft_pb2.DraftStatus.Name(status).removeprefix("DRAFT_STATUS_")
        for status in (reply.from_status, reply.to_status)
    ]
    return (*names, reply.version)


async def read(stream, count: int) -> list:
    """So many changes; signs of life are left out."""
    found = []
    async with asyncio.timeout(20):
        while len(found) < count:
            reply = await stream.read()
            assert reply is not grpc.aio.EOF
            if reply.draft_order_id:
                found.append(reply)
    return found


async def begin(person, cursor: str = ""):
    """A watch that is on."""
    stream = person.watch(cursor)
    first = await stream.read()
    assert (first.cursor, first.draft_order_id) == ("", "")
    return stream


async def test_every_move_is_shown_in_order(olga, rows):
    stream = await begin(olga)
    draft = await olga.submit()
    await olga.approve(draft.id)
    await olga.note(draft.id, "after all")
    await olga.reject(draft.id)
    replies = await read(stream, 4)
    assert [move(reply) for reply in replies] == [
        ("UNSPECIFIED", "READY", 1),
        ("READY", "APPROVED", 2),
        ("APPROVED", "NEEDS_REVIEW", 3),
        ("NEEDS_REVIEW", "REJECTED", 4),
    ]
    assert {reply.draft_order_id for reply in replies} == {draft.id}
    cursors = [int(reply.cursor) for reply in replies]
    assert cursors == sorted(cursors)
    assert all(reply.HasField("changed_at") for reply in replies)
    stream.cancel()


async def test_moves_of_the_push_service_and_of_other_replicas_are_shown(start_replica, rows):
    olga = await start_replica()
    stream = await begin(olga)
    draft = await olga.through(await start_replica()).submit()
    await olga.approve(draft.id)
    await rows.put_in(draft.id, "PUSHING", "PUSHED")
    shown = [move(reply)[1] for reply in await read(stream, 4)]
    assert shown == ["READY", "APPROVED", "PUSHING", "PUSHED"]
    stream.cancel()


async def test_a_watch_shows_its_own_org_only(olga):
    stranger = olga.elsewhere()
    stream = await begin(olga)
    await stranger.submit()
    draft = await olga.submit()
    (reply,) = await read(stream, 1)
    assert reply.draft_order_id == draft.id
    stream.cancel()


async def test_a_resumed_watch_misses_nothing(olga):
    """Cut off again and again while drafts change; together the pieces show everything."""
    count = 60
    seen: dict[tuple[str, int], Move] = {}

    async def watch_in_pieces() -> None:
        cursor = ""
        while len(seen) < 2 * count:
            stream = await begin(olga, cursor)
            started.set()
            enough = min(len(seen) + 5, 2 * count)
            while len(seen) < enough:
                (reply,) = await read(stream, 1)
                cursor = reply.cursor
                seen[reply.draft_order_id, reply.version] = move(reply)
            stream.cancel()

    started = asyncio.Event()
    watching = asyncio.create_task(watch_in_pieces())
    await started.wait()

    async def submit_and_approve() -> str:
        draft = await olga.submit()
        await olga.approve(draft.id)
        return draft.id

    ids = [
        draft_id
        for _ in range(6)
        for draft_id in await asyncio.gather(*(submit_and_approve() for _ in range(count // 6)))
    ]
    await asyncio.wait_for(watching, 30)
    assert seen.keys() == {(draft_id, version) for draft_id in ids for version in (1, 2)}


async def test_a_change_that_commits_late_is_shown_though_its_id_is_smaller(olga, rows):
    """Ids are given before rows can be seen; the feed reads with an overlap for that."""
    late, early = await olga.submit(), await olga.submit()
    stream = await begin(olga)
    slow = rows.service.transaction()
    await slow.start()
    await rows.service.execute(
        "UPDATE approval.draft_orders SET status = 'NEEDS_REVIEW', version = version + 1"
        " WHERE id = $1",
        late.id,
    )
    await olga.approve(early.id)
    (shown,) = await read(stream, 1)
    assert shown.draft_order_id == early.id
    await slow.commit()
    (found,) = await read(stream, 1)
    assert found.draft_order_id == late.id
    assert int(found.cursor) < int(shown.cursor)
    resumed = await begin(olga, shown.cursor)
    ids = {reply.draft_order_id for reply in await read(resumed, 2)}
    assert late.id in ids
    stream.cancel()
    resumed.cancel()


async def test_a_cursor_of_long_ago_shows_all_that_is_kept(olga, rows):
    drafts = [await olga.submit() for _ in range(3)]
    stream = await begin(olga, "0")
    assert [reply.draft_order_id for reply in await read(stream, 3)] == [d.id for d in drafts]
    stream.cancel()


async def test_what_is_no_cursor_is_refused(olga):
    for cursor in ("abc", "-1", "1.5", "9" * 20, "²"):
        assert await olga.watch(cursor).code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_a_quiet_watch_shows_signs_of_life(start_replica):
    olga = await start_replica(watch_heartbeat_seconds=0.05)
    stream = await begin(olga)
    for _ in range(3):
        assert not (await asyncio.wait_for(stream.read(), 60)).draft_order_id
    stream.cancel()


async def test_watchers_are_counted(olga):
    before = WATCHERS._value.get()
    streams = [await begin(olga) for _ in range(3)]
    assert WATCHERS._value.get() == before + 3
    for stream in streams:
        stream.cancel()
    async with asyncio.timeout(60):
        while WATCHERS._value.get() > before:
            await asyncio.sleep(0.01)


async def test_a_watch_ends_when_the_server_drains(start_service):
    service, olga = await start_service()
    stream = await begin(olga)
    await asyncio.wait_for(service.stop(), 60)
    assert await stream.code() is grpc.StatusCode.UNAVAILABLE
