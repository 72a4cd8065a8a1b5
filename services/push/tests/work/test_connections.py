"""ConnectionService over a real socket: what is kept, what is refused, what never shows."""

import asyncio
import json
from uuid import UUID, uuid4

import pytest

from countersign.push.v1 import connection_service_pb2 as pb
from countersign.push.v1 import work_service_pb2 as work_pb
from countersign_core.reasons import Reason
from countersign_core.roles import Role

pytestmark = pytest.mark.integration

SECRET = "hunter2-äöü"
ACTIVE, DISABLED = pb.CONNECTION_STATUS_ACTIVE, pb.CONNECTION_STATUS_DISABLED


@pytest.fixture
def org():
    return uuid4()


@pytest.fixture
def integrator(site, org):
    return site.integrator(org)


@pytest.fixture
def create(integrator, folder):
    async def make(**different):
        return (await integrator.call("CreateConnection", folder(**different))).connection

    return make


@pytest.fixture
def update(integrator):
    async def change(connection, **fields):
        request = pb.UpdateConnectionRequest(erp_connection_id=connection.id, **fields)
        return (await integrator.call("UpdateConnection", request)).connection

    return change


async def stored(queue, connection):
    return await queue.sql.fetchrow(
        "SELECT * FROM push.erp_connections WHERE id = $1", UUID(connection.id)
    )


async def test_a_connection_is_made_active_and_recorded(queue, create, org):
    made = await create(name="  Main ERP ", secrets={"password": SECRET})
    assert (made.name, made.status, made.version) == ("Main ERP", ACTIVE, 1)
    assert json.loads(made.config_json) == {"transport": "folder", "export_path": "/srv/drop"}
    assert list(made.secret_names) == ["password"]
    row = await stored(queue, made)
    assert (row["org_id"], row["created_by"], row["secrets_key_id"]) == (org, "ian", "k1")
    [act] = await queue.acts(org)
    assert (act.action, act.entity_type, act.entity_id) == (
        "CONNECTION_CREATED", "erp_connection", made.id,
    )  # fmt: skip
    assert (act.actor_user_id, act.request_id, act.before_json) == ("ian", "req-9", "")
    assert json.loads(act.after_json)["secret_names"] == ["password"]


async def test_secrets_appear_in_no_reply_no_audit_row_no_log_and_no_column(
    queue, create, update, integrator, org, capsys, refused, folder
):
    """Made, changed, listed, refused, tested in vain: the value is nowhere but in the box."""
    made = await create(secrets={"password": SECRET})
    replies = [made, await update(made, secrets={"password": SECRET + "!"}, name="x")]
    replies.append(await integrator.call("ListConnections", pb.ListConnectionsRequest()))
    replies.append(
        await integrator.call("GetConnection", pb.GetConnectionRequest(erp_connection_id=made.id))
    )
    error = await refused(integrator.call("CreateConnection", folder(secrets={"password": SECRET})))
    error2 = await refused(integrator.call("CreateConnection", folder(secrets={"pin": SECRET})))
    test = pb.TestConnectionRequest(erp_connection_id=made.id)
    error3 = await refused(integrator.call("TestConnection", test, seconds=1))
    rows = await queue.sql.fetch(
        """SELECT to_jsonb(c)::text FROM push.erp_connections c
           UNION ALL SELECT to_jsonb(t)::text FROM push.connection_tests t
           UNION ALL SELECT encode(payload, 'escape') || headers::text FROM push.outbox"""
    )
    output = capsys.readouterr()
    seen = [str(replies), *(str(row[0]) for row in rows), output.out, output.err]
    seen += [f"{e.message}{dict(e.metadata)}{e.field_errors}" for e in (error, error2, error3)]
    hexed = SECRET.encode().hex()
    for text in seen:
        assert "hunter2" not in text
        assert hexed not in text
    assert len(rows) == 4


async def test_only_a_worker_gets_the_secrets(queue, create, worker, org):
    made = await create(secrets={"password": SECRET})
    [export] = await queue.pending(org, UUID(made.id))
    assignment = await worker.claim(org, export)
    assert dict(assignment.connection.secrets) == {"password": SECRET}
    assert assignment.connection.version == 1


@pytest.mark.parametrize(
    ("different", "field"),
    [
        ({"name": "   "}, "name"),
        ({"name": "a\x00b"}, "name"),
        ({"connector_type": "PIGEON"}, "connector_type"),
        ({"config_json": '{"transport":"folder","export_path":"drop"}'}, "config_json.export_path"),
        ({"config_json": '{"transport":"folder","export_path":"/d","x":1}'}, "config_json.x"),
        ({"config_json": "[]"}, "config_json"),
        ({"secrets": {"pin": "1"}}, "secrets.pin"),
        ({"secrets": {"password": ""}}, "secrets.password"),
    ],
)
async def test_malformed_fields_are_named(
    queue, integrator, folder, refused, different, field, org
):
    error = await refused(integrator.call("CreateConnection", folder(**different)))
    assert error.reason is Reason.VALIDATION_FAILED
    assert [e.field for e in error.field_errors] == [field]
    assert await queue.acts(org) == []


async def test_a_second_active_connection_is_refused_with_the_first_ones_id(create, refused):
    first = await create()
    error = await refused(create())
    assert error.reason is Reason.CONNECTION_ALREADY_ACTIVE
    assert error.metadata["erp_connection_id"] == first.id


async def test_of_many_that_become_active_at_once_one_does(queue, site, org, folder):
    """The unique index decides, not the order of looks."""
    calls = [
        site.integrator(org).call("CreateConnection", folder(name=f"ERP {n}")) for n in range(16)
    ]
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    refusals = [o for o in outcomes if isinstance(o, Exception)]
    assert len(refusals) == 15
    assert {error.reason for error in refusals} == {Reason.CONNECTION_ALREADY_ACTIVE}
    assert len(await queue.acts(org)) == 1


async def test_two_orgs_do_not_see_or_hinder_each_other(site, folder, refused):
    mine, theirs = site.integrator(uuid4()), site.integrator(uuid4())
    made = (await mine.call("CreateConnection", folder())).connection
    await theirs.call("CreateConnection", folder())
    for method, request in (
        ("GetConnection", pb.GetConnectionRequest(erp_connection_id=made.id)),
        ("UpdateConnection", pb.UpdateConnectionRequest(erp_connection_id=made.id, name="x")),
        ("DisableConnection", pb.DisableConnectionRequest(erp_connection_id=made.id)),
        ("TestConnection", pb.TestConnectionRequest(erp_connection_id=made.id)),
    ):
        assert (await refused(theirs.call(method, request))).reason is Reason.CONNECTION_NOT_FOUND


async def test_an_update_changes_what_it_names_and_leaves_all_else(queue, create, update, org):
    made = await create(secrets={"password": SECRET, "private_key": "k"})
    changed = await update(made, name="New", secrets={"private_key": ""})
    assert (changed.name, changed.version, changed.config_json) == ("New", 2, made.config_json)
    assert list(changed.secret_names) == ["password"]
    act = (await queue.acts(org))[-1]
    before, after = json.loads(act.before_json), json.loads(act.after_json)
    assert (act.action, before["name"], after["name"]) == ("CONNECTION_CHANGED", "ERP", "New")
    assert after["secrets_changed"] == ["private_key"]
    assert (before["version"], after["version"]) == (1, 2)


async def test_a_changed_secret_reaches_the_worker(create, update, worker, queue, org):
    made = await create(secrets={"password": "old", "private_key": "k"})
    await update(made, secrets={"password": "new"})
    [export] = await queue.pending(org, UUID(made.id))
    assignment = await worker.claim(org, export)
    assert dict(assignment.connection.secrets) == {"password": "new", "private_key": "k"}
    assert assignment.connection.version == 2


async def test_an_update_that_changes_nothing_is_no_act(queue, create, update, org):
    made = await create(secrets={"password": "p"})
    same = await update(made, name="ERP", secrets={"password": "p"}, status=ACTIVE)
    assert same.version == 1
    assert len(await queue.acts(org)) == 1


async def test_an_update_of_another_version_is_refused(create, update, refused):
    made = await create()
    await update(made, name="x", expected_version=1)
    error = await refused(update(made, name="y", expected_version=1))
    assert error.reason is Reason.VERSION_MISMATCH
    assert dict(error.metadata) == {"expected_version": "1", "current_version": "2"}


async def test_concurrent_updates_of_different_fields_are_all_kept(queue, create, site, org):
    made = await create()

    async def change(**fields):
        request = pb.UpdateConnectionRequest(erp_connection_id=made.id, **fields)
        await site.integrator(org).call("UpdateConnection", request)

    await asyncio.gather(
        change(name="New"), change(secrets={"password": "p"}), change(secrets={"private_key": "k"})
    )
    row = await stored(queue, made)
    assert (row["name"], row["secret_names"]) == ("New", ["password", "private_key"])
    assert row["version"] == 4
    assert len(await queue.acts(org)) == 4


async def test_disable_is_recorded_once_and_makes_room(
    queue, create, integrator, update, refused, org
):
    made = await create()
    request = pb.DisableConnectionRequest(erp_connection_id=made.id)
    for _ in range(2):
        reply = await integrator.call("DisableConnection", request)
        assert (reply.connection.status, reply.connection.version) == (DISABLED, 2)
    assert [a.action for a in await queue.acts(org)] == [
        "CONNECTION_CREATED",
        "CONNECTION_DISABLED",
    ]
    second = await create(name="Second")
    error = await refused(update(made, status=ACTIVE))
    assert error.reason is Reason.CONNECTION_ALREADY_ACTIVE
    await update(second, status=DISABLED)
    assert (await update(made, status=ACTIVE)).status == ACTIVE


async def test_a_connection_can_be_disabled_when_its_key_is_lost(queue, create, integrator):
    made = await create(secrets={"password": "p"})
    await queue.sql.execute("UPDATE push.erp_connections SET secrets_key_id = 'lost'")
    request = pb.DisableConnectionRequest(erp_connection_id=made.id)
    assert (await integrator.call("DisableConnection", request)).connection.status == DISABLED


async def test_the_list_is_newest_first_and_of_the_own_org_only(
    create, update, integrator, site, folder
):
    first = await create(name="first")
    await update(first, status=DISABLED)
    await create(name="second")
    await site.integrator(uuid4()).call("CreateConnection", folder())
    reply = await integrator.call("ListConnections", pb.ListConnectionsRequest())
    assert [c.name for c in reply.connections] == ["second", "first"]


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.VIEWER])
async def test_operators_and_viewers_read_and_change_nothing(
    site, create, org, folder, refused, role
):
    made = await create()
    person = site.integrator(org, role)
    await person.call("GetConnection", pb.GetConnectionRequest(erp_connection_id=made.id))
    for method, request in (
        ("CreateConnection", folder()),
        ("UpdateConnection", pb.UpdateConnectionRequest(erp_connection_id=made.id, name="x")),
        ("DisableConnection", pb.DisableConnectionRequest(erp_connection_id=made.id)),
        ("TestConnection", pb.TestConnectionRequest(erp_connection_id=made.id)),
    ):
        assert (await refused(person.call(method, request))).reason is Reason.ROLE_REQUIRED


async def test_workers_learn_of_every_dropzone_that_may_hold_files(queue, site, worker, folder):
    """ACTIVE, switched off lately, or switched off with exports under way; not long gone ones."""

    async def make(status, days, *, pending=False):
        org = uuid4()
        made = (await site.integrator(org).call("CreateConnection", folder())).connection
        if pending:
            await queue.pending(org, UUID(made.id))
        await queue.sql.execute(
            """UPDATE push.erp_connections
                  SET status = $2, updated_at = now() - make_interval(days => $3) WHERE id = $1""",
            UUID(made.id), status, days,
        )  # fmt: skip
        return made.id

    swept = {
        await make("ACTIVE", 100),
        await make("DISABLED", 0),
        await make("DISABLED", 100, pending=True),
    }
    await make("DISABLED", 100)
    reply = await worker.call("ListDropzones", work_pb.ListDropzonesRequest())
    assert {c.id for c in reply.connections} == swept


async def test_one_unreadable_connection_hides_no_other(queue, site, worker, folder):
    made = [
        (await site.integrator(uuid4()).call(
            "CreateConnection", folder(secrets={"password": "p"})
        )).connection
        for _ in range(2)
    ]  # fmt: skip
    await queue.sql.execute(
        "UPDATE push.erp_connections SET secrets = 'x' WHERE id = $1", UUID(made[0].id)
    )
    reply = await worker.call("ListDropzones", work_pb.ListDropzonesRequest())
    assert [c.id for c in reply.connections] == [made[1].id]
