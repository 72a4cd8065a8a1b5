"""The database itself refuses to change the trail: by grant for services, by trigger for all."""

import asyncpg
import pytest

pytestmark = pytest.mark.integration

TABLES = ["audit.events", "audit.event_ids", "audit.chain_heads"]
CHANGES = ["UPDATE {} SET seq = seq + 1", "DELETE FROM {}", "TRUNCATE {}"]
ROLES = ["audit", "approval", "push"]


@pytest.fixture
async def recorded(store, make_event):
    await store.append([make_event()])


@pytest.fixture
async def connect(databases):
    """A connection as a service's role."""
    opened = []

    async def connect(service):
        opened.append(await asyncpg.connect(databases.url_for(service)))
        return opened[-1]

    yield connect
    for connection in opened:
        await connection.close()


@pytest.mark.parametrize("role", ROLES)
async def test_no_service_role_may_change_the_trail(connect, recorded, owner, role):
    """INSERT neither: the append function is the one door, nobody can choose a seq or a hash."""
    connection = await connect(role)
    for table in [*TABLES, await _partition(owner)]:
        for change in [*CHANGES, "INSERT INTO {} DEFAULT VALUES"]:
            with pytest.raises(asyncpg.InsufficientPrivilegeError, match="permission denied"):
                await connection.execute(change.format(table))


@pytest.mark.parametrize("role", ["approval", "push"])
async def test_other_services_may_neither_read_nor_append(connect, role):
    connection = await connect(role)
    for sql in ["SELECT * FROM audit.events", "SELECT audit.ensure_partition(now())"]:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(sql)


async def test_the_inner_functions_are_nobody_s(connect):
    connection = await connect("audit")
    for function in ["netstring('x')", "next_link(null, '', '')", "chain_hash('', '')"]:
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="permission denied"):
            await connection.execute(f"SELECT audit.{function}")


async def test_the_owner_is_refused_by_trigger(owner, recorded):
    for table in ["audit.events", "audit.event_ids", await _partition(owner)]:
        for change in CHANGES:
            with pytest.raises(asyncpg.InsufficientPrivilegeError, match="append-only"):
                await owner.execute(change.format(table))


async def test_a_head_is_never_deleted_and_moves_forward_only(owner, recorded):
    for change in ["DELETE FROM {}", "TRUNCATE {}"]:
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="append-only"):
            await owner.execute(change.format("audit.chain_heads"))
    for change in ["seq = seq - 1", "hash = sha256('x')", "seq = 5, recorded_at = 'epoch'"]:
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="forward only"):
            await owner.execute(f"UPDATE audit.chain_heads SET {change}")


async def test_a_seq_is_given_once_whatever_the_month(owner, recorded, org_id):
    with pytest.raises(asyncpg.UniqueViolationError, match="a_chain_has_no_fork"):
        await owner.execute("INSERT INTO audit.event_ids VALUES ($1, gen_random_uuid(), 1)", org_id)


async def _partition(owner) -> str:
    name = await owner.fetchval("SELECT tableoid::regclass::text FROM audit.events LIMIT 1")
    assert name.startswith("audit.events_")
    return name
