"""Checkpoints: when they are made, by whom, over what, and how they come to the archive."""

import asyncio
import shutil
from uuid import uuid4

import pytest
from pydantic import SecretStr

from countersign.audit.v1 import seal_service_pb2 as pb
from countersign_audit.checkpoint_maker import Cadence, CheckpointMaker
from countersign_audit.metrics import (
    ARCHIVE_FAILURES,
    CHECKPOINTS_REFUSED,
    SEALS_NOT_ARCHIVED,
)
from countersign_audit.seal_archive import ArchivedCopies
from countersign_audit.seal_archiver import SealArchiver
from countersign_audit.seal_check import SealCheck
from countersign_audit.seal_keys import PublicKeys
from countersign_audit.seals import NO_SEAL, from_line, is_signed, seal_hash
from countersign_core.errors import CountersignError, Forbidden
from countersign_core.roles import Role
from countersign_platform.archive.folder import FolderArchive

pytestmark = pytest.mark.integration


async def _seals(seal_store, org_id):
    return await seal_store.seals(org_id, 0, 1000)


async def test_a_checkpoint_says_how_far_the_chain_goes(
    store, seal_store, seal, org_id, make_event, key
):
    await store.append([make_event() for _ in range(7)])
    assert await seal() == 1
    (checkpoint,) = await _seals(seal_store, org_id)
    head = (await store.extent(org_id)).head
    assert (checkpoint.number, checkpoint.previous) == (1, NO_SEAL)
    assert (checkpoint.seq, checkpoint.count, checkpoint.head_hash) == (7, 7, head.hash)
    assert is_signed(checkpoint, PublicKeys({}).with_key(key))


async def test_an_org_gets_the_next_one_when_its_chain_has_grown(
    store, seal_store, seal, org_id, make_event, key
):
    await store.append([make_event(), make_event(org_id=uuid4())])
    assert (await seal(), await seal()) == (2, 0)
    await store.append([make_event()])
    assert (await seal(), await seal()) == (1, 0)
    seals = await _seals(seal_store, org_id)
    assert [(each.number, each.seq) for each in seals] == [(1, 1), (2, 2)]
    check = SealCheck(org_id, PublicKeys({}).with_key(key))
    assert check.take_all(seals) is None
    assert await seal_store.seal_head(org_id) == type(check.start)(2, seal_hash(seals[-1]))


async def test_time_alone_makes_one_due_and_so_do_events(
    store, seal_store, key, make_event, org_id
):
    def maker(events, seconds):
        return CheckpointMaker(seal_store, key, Cadence(events, seconds))

    await store.append([make_event() for _ in range(5)])
    assert await maker(6, 3600).make_due() == 0
    assert await maker(5, 3600).make_due() == 1
    await store.append([make_event()])
    assert await maker(5, 3600).make_due() == 0
    assert await maker(5, 0).make_due() == 1


async def test_what_grew_by_much_gets_one_per_so_many_events(
    store, seal_store, seal, org_id, make_event
):
    """Also what was recorded before there were checkpoints."""
    await store.append([make_event() for _ in range(25)])
    assert await seal(events=10) == 3
    assert [each.seq for each in await _seals(seal_store, org_id)] == [10, 20, 25]


async def test_replicas_share_the_work_and_do_none_of_it_twice(store, seal_store, key, make_event):
    orgs = [uuid4() for _ in range(12)]
    for _ in range(3):
        await store.append([make_event(org_id=org) for org in orgs for _ in range(3)])
        makers = [CheckpointMaker(seal_store, key, Cadence(2, 0)) for _ in range(5)]
        made = await asyncio.gather(*(maker.make_due() for maker in makers))
        assert sum(made) == 2 * len(orgs)
    for org in orgs:
        seals = await _seals(seal_store, org)
        assert [each.number for each in seals] == list(range(1, 7))
        assert SealCheck(org, PublicKeys({}).with_key(key)).take_all(seals) is None


async def test_a_chain_that_does_not_hold_is_not_signed_and_holds_no_other_up(
    store, seal_store, seal, owner, org_id, make_event
):
    other = uuid4()
    await store.append([make_event() for _ in range(5)])
    await store.append([make_event(org_id=other)])
    await owner.execute("SET session_replication_role = replica")
    await owner.execute("UPDATE audit.events SET ip = 'x' WHERE org_id = $1 AND seq = 3", org_id)
    before = CHECKPOINTS_REFUSED._value.get()
    assert await seal() == 1
    assert (await _seals(seal_store, org_id), len(await _seals(seal_store, other))) == ([], 1)
    assert CHECKPOINTS_REFUSED._value.get() == before + 1
    # The part that holds can still be vouched for.
    assert await seal(events=2) == 1
    assert [each.seq for each in await _seals(seal_store, org_id)] == [2]


async def test_the_archive_gets_each_seal_as_its_line(
    store, seal_store, seal, archive_folder, org_id, make_event
):
    await store.append([make_event() for _ in range(25)])
    await seal(events=10)
    seals = await _seals(seal_store, org_id)
    files = sorted((archive_folder / "audit" / "seals" / str(org_id)).iterdir())
    assert [from_line(file.read_text()) for file in files] == list(seals)
    assert [file.name for file in files] == [
        f"{each.number:012d}-{seal_hash(each).hex()}.json" for each in seals
    ]
    assert await seal_store.count_unarchived() == 0


async def test_an_archive_that_is_away_gets_them_when_it_is_back(
    store, seal_store, seal, archive, archive_folder, org_id, make_event
):
    await store.append([make_event() for _ in range(25)])
    await seal(events=10, archived=False)
    shutil.rmtree(archive_folder)
    archiver = SealArchiver(seal_store, archive)
    before = ARCHIVE_FAILURES._value.get()
    assert await archiver.bring_all() == 0
    assert (SEALS_NOT_ARCHIVED._value.get(), ARCHIVE_FAILURES._value.get()) == (3, before + 1)
    archive_folder.mkdir()
    assert await archiver.bring_all() == 3
    assert SEALS_NOT_ARCHIVED._value.get() == 0
    assert len([name async for name in archive.names(org_id)]) == 3


async def test_an_archiver_that_dies_before_it_noted_what_it_did_does_no_harm(
    store, seal_store, seal, archive, org_id, make_event
):
    await store.append([make_event() for _ in range(25)])
    await seal(events=10, archived=False)
    for each in await seal_store.unarchived(2, []):
        await archive.put(each)
    archivers = [SealArchiver(seal_store, archive) for _ in range(3)]
    await asyncio.gather(*(archiver.bring_all() for archiver in archivers))
    assert await seal_store.count_unarchived() == 0
    assert len([name async for name in archive.names(org_id)]) == 3


async def test_a_name_that_is_taken_with_other_bytes_holds_up_no_other_org(
    store, seal_store, seal, archive_folder, org_id, make_event
):
    await store.append([make_event()])
    await store.append([make_event(org_id=uuid4())])
    await seal(archived=False)
    (mine,) = await _seals(seal_store, org_id)
    bytes_archive = FolderArchive.open(archive_folder, timeout_seconds=10)
    name = f"{mine.number:012d}-{seal_hash(mine).hex()}.json"
    await bytes_archive.put(f"audit/seals/{org_id}/{name}", b"something else")
    await SealArchiver(seal_store, ArchivedCopies(bytes_archive)).bring_all()
    assert await seal_store.count_unarchived() == 1


# --- a replica ----------------------------------------------------------------------------


async def _eventually(look):
    async with asyncio.timeout(20):
        while not (found := await look()):
            await asyncio.sleep(0.02)
    return found


async def test_a_replica_seals_archives_and_shows_what_it_made(
    start_replica, archive, org_id, make_event, key
):
    replica = await start_replica(
        audit_checkpoint_seconds=0.01, audit_checkpoint_check_seconds=0.01
    )
    await replica.append(*(make_event() for _ in range(4)))

    async def archived():
        return [name async for name in archive.names(org_id)]

    await _eventually(archived)
    (shown,) = (await replica.checkpoints(org_id)).seals
    assert (shown.kind, shown.number, shown.seq) == (pb.SEAL_KIND_CHECKPOINT, 1, 4)
    assert (shown.org_id, shown.count, shown.key_id) == (str(org_id), 4, key.key_id)
    verdict = await replica.verify(org_id)
    assert (verdict.valid, verdict.seals, verdict.sealed_seq) == (True, 1, 4)
    assert (verdict.archive_compared, verdict.archived_seals) == (True, 1)


async def test_checkpoints_are_paged_oldest_first(audit, store, seal, org_id, make_event):
    await store.append([make_event() for _ in range(5)])
    await seal(events=1)
    first = await audit.checkpoints(org_id, page_size=3)
    rest = await audit.checkpoints(org_id, page_size=3, page_token=first.next_page_token)
    assert [[each.seq for each in page.seals] for page in (first, rest)] == [[1, 2, 3], [4, 5]]
    assert rest.next_page_token == ""
    assert len((await audit.checkpoints(uuid4())).seals) == 0
    with pytest.raises(CountersignError):
        await audit.checkpoints(uuid4(), page_token=first.next_page_token)


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.VIEWER])
async def test_who_only_reads_may_not_list_checkpoints_but_may_know_the_keys(
    audit, org_id, role, key
):
    token = audit.tokens.user(org_id, role)
    with pytest.raises(Forbidden):
        await audit.call("ListCheckpoints", pb.ListCheckpointsRequest(), token)
    (known,) = (await audit.call("ListSealKeys", pb.ListSealKeysRequest(), token)).keys
    assert known.key_id == key.key_id


async def test_old_seals_stay_valid_under_a_new_key(
    start_replica, store, seal, org_id, make_event, key, tmp_path, new_pem
):
    await store.append([make_event() for _ in range(4)])
    await seal(events=2)
    old_keys = tmp_path / "keys.json"
    old_keys.write_text(PublicKeys({}).with_key(key).to_json())
    now = {"audit_checkpoint_seconds": 0.01, "audit_checkpoint_check_seconds": 0.01}
    rotated = await start_replica(audit_signing_key=SecretStr(new_pem), audit_keys=old_keys, **now)
    await rotated.append(make_event())

    async def third():
        return len((await rotated.checkpoints(org_id)).seals) == 3

    await _eventually(third)
    seals = (await rotated.checkpoints(org_id)).seals
    keys = (
        await rotated.call(
            "ListSealKeys", pb.ListSealKeysRequest(), rotated.tokens.user(org_id, Role.VIEWER)
        )
    ).keys
    assert [each.key_id for each in seals] == [key.key_id, key.key_id, keys[0].key_id]
    assert [each.key_id for each in keys] == [seals[2].key_id, key.key_id]
    assert (await rotated.verify(org_id)).valid


async def test_a_replica_that_was_not_told_of_the_old_key_says_so(
    start_replica, store, seal, org_id, make_event, new_pem
):
    await store.append([make_event()])
    await seal()
    forgetful = await start_replica(audit_signing_key=SecretStr(new_pem))
    verdict = await forgetful.verify(org_id)
    assert (verdict.valid, verdict.first_bad_seal) == (False, 1)
    assert "is not known" in verdict.problem


async def test_without_an_archive_seals_are_made_and_nothing_is_compared(
    start_replica, org_id, make_event
):
    replica = await start_replica(
        archive_url=None, audit_checkpoint_seconds=0.01, audit_checkpoint_check_seconds=0.01
    )
    await replica.append(make_event())

    async def sealed():
        return (await replica.checkpoints(org_id)).seals

    await _eventually(sealed)
    verdict = await replica.verify(org_id)
    assert (verdict.valid, verdict.seals, verdict.archive_compared) == (True, 1, False)


async def test_the_archive_is_brought_up_to_date_while_there_is_always_a_checkpoint_due(
    start_replica, archive, org_id, make_event
):
    """Sealing that never comes to an end must not keep seals from the archive."""
    replica = await start_replica(
        audit_checkpoint_events=1,
        audit_checkpoint_seconds=0.001,
        audit_checkpoint_check_seconds=0.01,
    )
    ended = asyncio.Event()

    async def act():
        while not ended.is_set():
            await replica.append(*(make_event() for _ in range(50)))

    async def archived():
        return len([name async for name in archive.names(org_id)]) >= 3

    acting = asyncio.create_task(act())
    await _eventually(archived)
    ended.set()
    await acting
