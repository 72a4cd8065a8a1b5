"""Months that are old enough go; what stays still verifies, and nothing else can make them go."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import asyncpg
import pytest

from countersign.audit.v1 import seal_service_pb2 as pb
from countersign_audit.metrics import REMOVALS_REFUSED
from countersign_audit.month_remover import MonthRemover
from countersign_audit.seals import Tombstone, sign
from countersign_audit.store import MonthStore
from countersign_core.audit_actions import AuditAction
from countersign_core.errors import Forbidden, InvalidRequest
from countersign_core.roles import Role
from countersign_platform.database.pool import Database

pytestmark = pytest.mark.integration

OLD, OLDER = "2024-05", "2024-04"


@pytest.fixture
async def months(databases):
    database = await Database.connect(databases.url_for("audit"), "audit-tests")
    yield MonthStore(database)
    await database.close()


@pytest.fixture
def remove(months, verify_chain, key):
    async def remove(days=365):
        return await MonthRemover(months, verify_chain, key, days).remove_due()

    return remove


@pytest.fixture
def age(owner):
    """Moves events to a month of long ago; no hash covers when an event was recorded."""

    async def age(org_id, first, last, month=OLD):
        moment = datetime.fromisoformat(f"{month}-10T00:00:00+00:00")
        await owner.execute("SET session_replication_role = replica")
        await owner.execute("SELECT audit.ensure_partition($1)", moment)
        await owner.execute(
            "UPDATE audit.events SET recorded_at = $4 WHERE org_id = $1 AND seq BETWEEN $2 AND $3",
            *(org_id, first, last, moment),
        )
        await owner.execute("SET session_replication_role = origin")

    return age


@pytest.fixture
async def aged(store, seal, age, org_id, make_event):
    """Ten events, checkpoints at 4, 8 and 10; the first three and four of them are old."""
    await store.append([make_event(occurred_at=datetime(2024, 4, 9, tzinfo=UTC)) for _ in range(3)])
    await store.append([make_event(occurred_at=datetime(2024, 5, 9, tzinfo=UTC)) for _ in range(4)])
    await store.append([make_event(occurred_at=datetime.now(UTC)) for _ in range(3)])
    await seal(events=4)
    await age(org_id, 1, 3, OLDER)
    await age(org_id, 4, 7, OLD)


async def _months(owner) -> set[str]:
    sql = "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'audit.events'::regclass"
    return {
        row[0].removeprefix("audit.events_").replace("_", "-") for row in await owner.fetch(sql)
    }


async def test_old_months_go_and_the_rest_still_verifies(
    aged, remove, verify_chain, store, seal_store, owner, org_id, make_event, seal
):
    assert await remove() == 7
    assert not {OLD, OLDER} & await _months(owner)
    verdict = await verify_chain(org_id, 0, 0)
    assert (verdict.flaw, verdict.removed_seq, verdict.checked) == (None, 7, 5)
    await store.append([make_event(occurred_at=datetime.now(UTC))])
    assert await seal() == 1
    assert (await verify_chain(org_id, 0, 0)).flaw is None
    assert (await verify_chain(org_id, 3, 9)).checked == 2
    first, second = (
        each for each in await seal_store.seals(org_id, 0, 9) if type(each) is Tombstone
    )
    assert (first.month, first.from_seq, first.to_seq, first.count) == (OLDER, 1, 3, 3)
    assert (second.month, second.from_seq, second.to_seq, second.count) == (OLD, 4, 7, 4)


async def test_a_removal_is_itself_on_record(aged, remove, store, org_id):
    await remove()
    links = await store.links(org_id, 11, 12)
    assert [link.event.action for link in links] == [AuditAction.AUDIT_MONTH_REMOVED] * 2
    assert [link.event.entity_id for link in links] == [OLDER, OLD]
    assert links[0].event.before_json == '{"count":3,"from_seq":1,"to_seq":3}'


async def test_tombstones_come_to_the_archive(aged, remove, archive, seal, org_id):
    await remove()
    await seal()
    assert len([name async for name in archive.names(org_id)]) == 6


async def test_an_org_whose_every_event_was_removed_goes_on_from_there(
    store, age, remove, verify_chain, org_id, make_event
):
    await store.append([make_event() for _ in range(5)])
    await age(org_id, 1, 5)
    assert await remove() == 5
    assert (await verify_chain(org_id, 0, 0)).checked == 1
    await store.append([make_event(occurred_at=datetime.now(UTC))])
    assert [link.seq for link in await store.links(org_id, 1, 99)] == [6, 7]
    assert (await verify_chain(org_id, 0, 0)).flaw is None


async def test_what_is_within_the_retention_stays(aged, remove, owner):
    days = (datetime.now(UTC) - datetime(2024, 6, 1, tzinfo=UTC)).days
    assert await remove(days + 1) == 3
    assert OLD in await _months(owner)
    assert await remove(days) == 4


async def test_an_empty_month_goes_too(owner, remove, store):
    await owner.execute("SELECT audit.ensure_partition('2023-01-10')")
    assert await remove() == 0
    assert "2023-01" not in await _months(owner)


async def test_replicas_that_remove_at_once_leave_one_tombstone(
    aged, months, verify_chain, key, seal_store, org_id
):
    removers = [MonthRemover(months, verify_chain, key, 365) for _ in range(4)]
    done = await asyncio.gather(*(each.remove_due() for each in removers), return_exceptions=True)
    assert sum(each for each in done if isinstance(each, int)) == 7
    tombstones = [each for each in await seal_store.seals(org_id, 0, 99) if type(each) is Tombstone]
    assert [each.month for each in tombstones] == [OLDER, OLD]


async def test_appends_and_verifications_go_on_meanwhile(
    aged, remove, store, verify_chain, org_id, make_event
):
    async def append():
        for _ in range(30):
            await store.append([make_event(occurred_at=datetime.now(UTC))])

    async def verify():
        for _ in range(10):
            assert (await verify_chain(org_id, 0, 0)).flaw is None

    _, _, removed = await asyncio.gather(append(), verify(), remove())
    assert removed == 7
    assert (await verify_chain(org_id, 0, 0)).flaw is None


# --- what stays ---------------------------------------------------------------------------


async def test_a_held_org_keeps_its_events_and_others_lose_theirs(
    audit, aged, remove, store, age, owner, verify_chain, org_id, make_event
):
    other = uuid4()
    await store.append([make_event(org_id=other) for _ in range(2)])
    await age(other, 1, 2)
    await _set_hold(audit, org_id, True)
    assert await remove() == 2
    kept = [link.seq for link in await store.links(org_id, 1, 10)]
    assert kept == list(range(1, 11))
    for org in (org_id, other):
        assert (await verify_chain(org, 0, 0)).flaw is None
    assert OLD in await _months(owner)
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="append-only"):
        await owner.execute("DELETE FROM audit.events_2024_05")
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="append-only"):
        await owner.execute("TRUNCATE audit.events_2024_05")
    await _set_hold(audit, org_id, False)
    assert await remove() == 7
    assert OLD not in await _months(owner)
    assert (await verify_chain(org_id, 0, 0)).flaw is None


async def test_what_does_not_hold_is_not_covered_up(
    aged, remove, store, age, owner, verify_chain, org_id, make_event
):
    other = uuid4()
    await store.append([make_event(org_id=other)])
    await age(other, 1, 1)
    await owner.execute("SET session_replication_role = replica")
    await owner.execute("UPDATE audit.events SET ip = 'x' WHERE org_id = $1 AND seq = 5", org_id)
    await owner.execute("SET session_replication_role = origin")
    before = REMOVALS_REFUSED._value.get()
    assert await remove() == 4  # seq 1 to 3, and the other org's
    assert REMOVALS_REFUSED._value.get() == before + 1
    assert (await verify_chain(org_id, 0, 0)).flaw.seq == 5
    assert (await verify_chain(other, 0, 0)).flaw is None


async def test_nothing_newer_goes_before_what_is_older(aged, remove, owner, verify_chain, org_id):
    await owner.execute("SET session_replication_role = replica")
    await owner.execute("UPDATE audit.events SET ip = 'x' WHERE org_id = $1 AND seq = 2", org_id)
    await owner.execute("SET session_replication_role = origin")
    assert await remove() == 0
    assert (await verify_chain(org_id, 0, 0)).flaw.seq == 2


# --- what the database refuses ------------------------------------------------------------


async def _refused(months, month, tombstones):
    async def remove():
        async with months.removal() as removal:
            await removal.lock([each.org_id for each in tombstones])
            await removal.remove(month, tombstones)

    with pytest.raises(asyncpg.InsufficientPrivilegeError) as refused:
        await remove()
    return str(refused.value)


async def test_the_database_itself_keeps_the_last_year(months):
    recent = datetime.now(UTC) - timedelta(days=330)
    for month in (f"{recent:%Y-%m}", f"{datetime.now(UTC):%Y-%m}", "2999-01"):
        assert "is not a year old" in await _refused(months, month, [])


@pytest.fixture
async def tombstone(aged, months, seal_store, key, org_id):
    """The one that OLDER needs."""
    (stretch,) = await months.stretches(OLDER)
    head = await seal_store.seal_head(org_id)
    made = Tombstone(
        org_id=org_id,
        number=head.seq + 1,
        previous=head.hash,
        month=OLDER,
        from_seq=stretch.first,
        to_seq=stretch.last,
        count=stretch.count,
        prev_hash=stretch.prev_hash,
        last_hash=stretch.last_hash,
        removed_at=datetime.now(UTC),
    )
    return sign(made, key)


@pytest.mark.parametrize(
    "changes",
    [
        {"number": 9},
        {"previous": b"\x01" * 32},
        {"from_seq": 2},
        {"to_seq": 2},
        {"to_seq": 4},
        {"count": 2},
        {"prev_hash": b"\x01" * 32},
        {"last_hash": b"\x01" * 32},
        {"org_id": UUID(int=7)},
    ],
    ids=str,
)
async def test_a_tombstone_must_say_what_is_on_record(months, tombstone, store, org_id, changes):
    assert "not what is on record" in await _refused(months, OLDER, [replace(tombstone, **changes)])
    assert len(await store.links(org_id, 1, 10)) == 10


async def test_no_tombstone_is_taken_for_a_held_org(months, tombstone, audit, org_id):
    await _set_hold(audit, org_id, True)
    assert "is held" in await _refused(months, OLDER, [tombstone])


async def test_rows_removed_without_a_tombstone_are_missing(aged, owner, verify_chain, org_id):
    await owner.execute("DROP TABLE audit.events_2024_04")
    assert (await verify_chain(org_id, 0, 0)).flaw.problem == "seq 1 to 3 are missing"


async def test_a_tombstone_that_was_deleted_or_changed_is_named(
    aged, remove, owner, verify_chain, org_id
):
    await remove()
    await owner.execute("SET session_replication_role = replica")
    await owner.execute("UPDATE audit.seals SET count = 9 WHERE org_id = $1 AND number = 4", org_id)
    assert (await verify_chain(org_id, 0, 0)).flaw.number == 4
    await owner.execute("DELETE FROM audit.seals WHERE org_id = $1 AND number = 4", org_id)
    assert (await verify_chain(org_id, 0, 0)).flaw.number == 5


# --- ids of what was removed --------------------------------------------------------------


async def test_ids_go_with_their_events_and_no_others(aged, remove, owner, org_id):
    await remove()
    seqs = await owner.fetch("SELECT seq FROM audit.event_ids WHERE org_id = $1", org_id)
    assert sorted(row[0] for row in seqs) == list(range(8, 13))
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="append-only"):
        await owner.execute("DELETE FROM audit.event_ids WHERE seq = 8")


async def test_an_act_that_may_have_been_removed_is_neither_repeated_nor_dropped(
    aged, remove, store, audit, org_id, make_event
):
    """Its sender is told which one it is, and can set it aside."""
    (removed,) = (link.event for link in await store.links(org_id, 2, 2))
    (kept,) = (link.event for link in await store.links(org_id, 9, 9))
    await remove()
    new = make_event(occurred_at=datetime.now(UTC))
    with pytest.raises(InvalidRequest) as refused:
        await audit.append(kept, new, removed)
    assert [error.field for error in refused.value.field_errors] == ["events[2].occurred_at"]
    done = await audit.append(kept, new)
    assert (done.appended, done.already_known) == (1, 1)


async def test_events_of_orgs_that_lost_nothing_may_be_as_old_as_they_like(
    aged, remove, store, make_event
):
    await remove()
    old = make_event(org_id=uuid4(), occurred_at=datetime(2001, 1, 1, tzinfo=UTC))
    assert await store.append([old]) == {"DRAFT_APPROVED": 1}


# --- holds --------------------------------------------------------------------------------


async def _set_hold(audit, org_id, held, reason="Case 7", role=Role.ADMIN):
    request = pb.SetLegalHoldRequest(held=held, reason=reason)
    token = audit.tokens.user(org_id, role)
    return (await audit.call("SetLegalHold", request, token)).hold


async def _hold(audit, org_id):
    token = audit.tokens.user(org_id, Role.INTEGRATOR)
    return (await audit.call("GetLegalHold", pb.GetLegalHoldRequest(), token)).hold


async def test_a_hold_is_set_ended_and_on_record(audit, store, org_id):
    assert not (await _hold(audit, org_id)).held
    held = await _set_hold(audit, org_id, True)
    assert (held.held, held.reason, bool(held.changed_by)) == (True, "Case 7", True)
    assert await _hold(audit, org_id) == held
    ended = await _set_hold(audit, org_id, False, "Case 7 is closed")
    assert (ended.held, ended.reason) == (False, "Case 7 is closed")
    links = await store.links(org_id, 1, 9)
    assert [link.event.action for link in links] == [AuditAction.LEGAL_HOLD_CHANGED] * 2
    assert links[0].event.before_json == '{"held":false,"reason":""}'
    assert links[0].event.after_json == '{"held":true,"reason":"Case 7"}'
    assert links[1].event.actor_user_id == held.changed_by


async def test_the_same_hold_again_is_no_act(audit, store, org_id):
    first = await _set_hold(audit, org_id, True)
    assert await _set_hold(audit, org_id, True) == first
    await _set_hold(audit, org_id, False)
    await _set_hold(audit, org_id, False, "again")
    assert len(await store.links(org_id, 1, 9)) == 2
    assert (await _set_hold(audit, org_id, True, "Case 8")).reason == "Case 8"
    assert (await _set_hold(audit, org_id, True, "Case 9")).reason == "Case 9"
    assert len(await store.links(org_id, 1, 9)) == 4


@pytest.mark.parametrize("role", [Role.INTEGRATOR, Role.OPERATOR, Role.VIEWER])
async def test_only_an_administrator_may_hold(audit, org_id, role):
    with pytest.raises(Forbidden):
        await _set_hold(audit, org_id, True, role=role)


async def test_a_hold_needs_a_reason(audit, org_id):
    with pytest.raises(InvalidRequest):
        await _set_hold(audit, org_id, True, reason="")


async def test_a_replica_with_a_retention_removes_by_itself(start_replica, aged, owner):
    await start_replica(audit_retention_days=365)
    async with asyncio.timeout(20):
        while {OLD, OLDER} & await _months(owner):
            await asyncio.sleep(0.05)
