"""The database itself refuses to change the trail: by grant for services, by trigger for all."""

import asyncpg
import pytest

from countersign.audit.v1 import seal_service_pb2 as pb
from countersign_core.roles import Role

pytestmark = pytest.mark.integration

FUNCTIONS = [
    "SELECT audit.ensure_partition(now())",
    "SELECT audit.claim_checkpoint(1, 0, '{}')",
    "SELECT audit.mark_archived(gen_random_uuid(), 1)",
    "SELECT audit.set_legal_hold(gen_random_uuid(), true, 'x', 'x')",
    "SELECT audit.is_held(gen_random_uuid())",
    "SELECT audit.forget_event_ids(1)",
    "SELECT audit.lock_seal_heads('{}')",
    "SELECT audit.remove_month('2020-01','{}','{}','{}','{}','{}','{}','{}','{}','{}','{}','{}','{}')",
]

# Rows in them never change; heads move forward, and only through functions.
RECORDS = ["audit.events", "audit.event_ids", "audit.seals", "audit.legal_holds"]
HEADS = ["audit.chain_heads", "audit.seal_heads"]
TABLES = [*RECORDS, *HEADS]
CHANGES = ["UPDATE {} SET org_id = org_id", "DELETE FROM {}", "TRUNCATE {}"]
# Past the door, and around it.
BYPASSES = [
    "INSERT INTO {} DEFAULT VALUES",
    "DROP TABLE {}",
    "ALTER TABLE {} DISABLE TRIGGER ALL",
    "ALTER TABLE {} ADD COLUMN more text",
    "ALTER TABLE {} OWNER TO CURRENT_USER",
    "ALTER TABLE {} RENAME TO gone",
    "CREATE TRIGGER mine BEFORE INSERT ON {} FOR EACH ROW EXECUTE FUNCTION audit.refuse_change()",
    "CREATE INDEX ON {} (org_id)",
]
ELSEWHERE = [
    "SET session_replication_role = replica",
    "SET SESSION AUTHORIZATION postgres",
    "DROP SCHEMA audit CASCADE",
    "CREATE TABLE audit.mine (x int)",
    "DROP FUNCTION audit.refuse_change() CASCADE",
    "CREATE OR REPLACE FUNCTION audit.refuse_change() RETURNS trigger LANGUAGE sql AS 'SELECT 1'",
]
ROLES = ["audit", "approval", "push"]


@pytest.fixture
async def recorded(store, seal, audit, make_event, org_id):
    """A row in every table."""
    await store.append([make_event()])
    await seal()
    hold = pb.SetLegalHoldRequest(held=True, reason="Case 7")
    await audit.call("SetLegalHold", hold, audit.tokens.user(org_id, Role.ADMIN))


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
    """INSERT neither: the functions are the one door, nobody can choose a seq or a hash."""
    connection = await connect(role)
    for table in [*TABLES, await _partition(owner)]:
        assert await owner.fetchval(f"SELECT count(*) FROM {table}") > 0
        for change in [*CHANGES, *BYPASSES]:
            await _refused(connection, change.format(table))
    detach = f"ALTER TABLE audit.events DETACH PARTITION {await _partition(owner)}"
    await _refused(connection, detach)


@pytest.mark.parametrize("role", ROLES)
async def test_no_service_role_may_go_around_the_tables(connect, recorded, role):
    connection = await connect(role)
    for sql in ELSEWHERE:
        await _refused(connection, sql)


async def _refused(connection, sql):
    # As a service's role everything but its own functions must fail for want of a right.
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await connection.execute(sql)


@pytest.mark.parametrize("role", ["approval", "push"])
async def test_other_services_may_neither_read_nor_append(connect, role):
    connection = await connect(role)
    for sql in [*(f"SELECT * FROM {table}" for table in TABLES), *FUNCTIONS]:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(sql)


async def test_the_service_may_not_sign_or_remove_what_is_not_so(connect, recorded, org_id):
    """Its functions check what they are told against what is on record."""
    connection = await connect("audit")
    checkpoint = (
        "SELECT audit.record_checkpoint($1, {number}, {previous}, {seq}, {seq}, sha256('x'),"
        " now(), 'k', sha256('y'), sha512('z'))"
    )
    head = "(SELECT seal_hash FROM audit.seal_heads WHERE org_id = $1)"
    for number, previous, seq in [(2, head, 2), (1, "sha256('q')", 1), (3, head, 2), (2, head, 1)]:
        sql = checkpoint.format(number=number, previous=previous, seq=seq)
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="does not follow"):
            await connection.execute(sql, org_id)


async def test_the_inner_functions_are_nobody_s(connect):
    connection = await connect("audit")
    for function in ["netstring('x')", "next_link(null, '', '')", "chain_hash('', '')"]:
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="permission denied"):
            await connection.execute(f"SELECT audit.{function}")


async def test_the_owner_is_refused_by_trigger(owner, recorded):
    for table in [*RECORDS, await _partition(owner)]:
        for change in CHANGES:
            with pytest.raises(asyncpg.InsufficientPrivilegeError, match="append-only"):
                await owner.execute(change.format(table))


async def test_a_head_is_never_deleted_and_moves_forward_only(owner, recorded):
    for table in HEADS:
        for change in ["DELETE FROM {}", "TRUNCATE {}"]:
            with pytest.raises(asyncpg.InsufficientPrivilegeError, match="append-only"):
                await owner.execute(change.format(table))
    for change in ["seq = seq - 1", "hash = sha256('x')", "seq = 5, recorded_at = 'epoch'"]:
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="forward only"):
            await owner.execute(f"UPDATE audit.chain_heads SET {change}")


@pytest.mark.parametrize(
    "change",
    [
        "number = number - 1",
        "seq = seq - 1",
        "seal_hash = sha256('x')",
        "link_hash = sha256('x')",
        "removed_seq = 1",
        "archived = archived - 1",
        "archived = number + 1",
        "forgotten_seq = 1",
        "org_id = gen_random_uuid()",
    ],
)
async def test_a_head_of_seals_moves_with_a_seal_only(owner, recorded, change):
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="forward only"):
        await owner.execute(f"UPDATE audit.seal_heads SET {change}")


async def test_a_seq_is_given_once_whatever_the_month(owner, recorded, org_id):
    with pytest.raises(asyncpg.UniqueViolationError, match="a_chain_has_no_fork"):
        await owner.execute("INSERT INTO audit.event_ids VALUES ($1, gen_random_uuid(), 1)", org_id)


async def _partition(owner) -> str:
    name = await owner.fetchval("SELECT tableoid::regclass::text FROM audit.events LIMIT 1")
    assert name.startswith("audit.events_")
    return name
