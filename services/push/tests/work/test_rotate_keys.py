"""A change of the key that seals secrets, while connections are used and changed."""

import asyncio
import base64
import os
from uuid import UUID, uuid4

import pytest

from countersign.push.v1 import connection_service_pb2 as pb
from countersign_platform.database.pool import Database
from countersign_push.commands.rotate_keys import RotateKeys
from countersign_push.secret_box import KeyRing
from countersign_push.store.sealed_values import Kind, SealedValueStore

pytestmark = pytest.mark.integration

SFTP = (
    '{"transport": "sftp", "export_path": "/in", "host": "erp.example", "username": "u", '
    '"host_keys": ["ssh-ed25519 '
    'AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ"]}'
)


def entry(key_id: str) -> str:
    return f"{key_id}:{base64.b64encode(os.urandom(32)).decode()}"


OLD, NEW = entry("old"), entry("new")


@pytest.fixture
def secret(folder):
    """A request for an SFTP connection with this password."""
    return lambda password="hunter2": folder(config_json=SFTP, secrets={"password": password})


def rotate(database: Database, ring: str = f"{NEW},{OLD}", batch: int = 2) -> RotateKeys:
    return RotateKeys(SealedValueStore(database), KeyRing.parse(ring), batch=batch)


async def many(site, secret, count):
    """Connections of as many orgs."""
    orgs = [uuid4() for _ in range(count)]
    for org in orgs:
        await site.integrator(org).call("CreateConnection", secret(f"pw-{org}"))
    return orgs


async def test_the_whole_rotation_from_the_old_key_to_the_new_one(site_of, database, queue, secret):
    """New ring, rotate while exports are claimed, old key removed: every secret still opens."""
    async with site_of(loops=False, secret_keys=OLD) as before:
        orgs = await many(before, secret, 5)
    versions = "SELECT id, version, updated_at FROM push.erp_connections ORDER BY id"
    kept = await queue.sql.fetch(versions)
    async with site_of(loops=False, secret_keys=f"{NEW},{OLD}") as during:
        worker = during.worker()

        async def deliver():
            for org in orgs:
                connection = await queue.sql.fetchval(
                    "SELECT id FROM push.erp_connections WHERE org_id = $1", org
                )
                [export] = await queue.pending(org, connection)
                claimed = await worker.claim(org, export)
                assert claimed.connection.secrets["password"] == f"pw-{org}"

        done, _ = await asyncio.gather(rotate(database)(), deliver())
    assert (done.sealed_anew, done.overtaken, done.unreadable) == (5, 0, [])
    assert (await rotate(database).use()).still_needed == {}
    assert await queue.sql.fetch(versions) == kept
    async with site_of(loops=False, secret_keys=NEW) as after:
        for org in orgs:
            connection = await queue.sql.fetchval(
                "SELECT id FROM push.erp_connections WHERE org_id = $1", org
            )
            [export] = await queue.pending(org, connection)
            claimed = await after.worker().claim(org, export)
            assert claimed.connection.secrets["password"] == f"pw-{org}"


async def test_a_second_run_finds_nothing_to_do(site_of, database, secret):
    """Safe to repeat."""
    async with site_of(loops=False, secret_keys=OLD) as site:
        await many(site, secret, 3)
    assert (await rotate(database)()).sealed_anew == 3
    assert (await rotate(database)()).sealed_anew == 0


async def test_a_run_that_was_cut_off_is_finished_by_the_next(site_of, database, secret):
    """What is sealed anew stays so; the rest follows."""
    async with site_of(loops=False, secret_keys=OLD) as site:
        await many(site, secret, 3)
    store, ring = SealedValueStore(database), KeyRing.parse(f"{NEW},{OLD}")
    [value] = await store.not_under("new", Kind.SECRETS, None, 1)
    anew = ring.seal(ring.open(value.sealed, value.owner), value.owner)
    assert await store.replace(value, anew)
    assert (await rotate(database).use()).still_needed == {"old": 2}
    assert (await rotate(database)()).sealed_anew == 2


async def test_what_does_not_open_is_named_and_left_alone(site_of, database, secret, queue):
    """A key that was lost: the others are sealed anew nevertheless, and its key stays needed."""
    async with site_of(loops=False, secret_keys=entry("lost")) as site:
        [broken] = await many(site, secret, 1)
    async with site_of(loops=False, secret_keys=OLD) as site:
        await many(site, secret, 2)
    sealed = "SELECT secrets FROM push.erp_connections WHERE org_id = $1"
    before = await queue.sql.fetchval(sealed, broken)
    done = await rotate(database)()
    assert done.sealed_anew == 2
    assert [(each.owner.org_id, each.sealed.key_id) for each in done.unreadable] == [
        (broken, "lost")
    ]
    assert await queue.sql.fetchval(sealed, broken) == before
    assert (await rotate(database).use()).still_needed == {"lost": 1}


async def test_a_secret_that_was_set_meanwhile_wins(site_of, database, secret):
    """Compare-and-set: what the rotation read is no longer there."""
    async with site_of(loops=False, secret_keys=f"{OLD},{NEW}") as site:
        [org] = await many(site, secret, 1)
        store, ring = SealedValueStore(database), KeyRing.parse(f"{NEW},{OLD}")
        [value] = await store.not_under("new", Kind.SECRETS, None, 9)
        integrator = site.integrator(org)
        await integrator.call(
            "UpdateConnection",
            pb.UpdateConnectionRequest(
                erp_connection_id=str(value.id), secrets={"password": "newer"}
            ),
        )
        stale = ring.seal(ring.open(value.sealed, value.owner), value.owner)
        assert not await store.replace(value, stale)


async def test_a_change_of_the_name_does_not_bring_the_old_key_back(
    site_of, database, secret, monkeypatch
):
    """The change read the connection before it was sealed anew, and wrote it after."""
    async with site_of(loops=False, secret_keys=f"{NEW},{OLD}") as site:
        async with site_of(loops=False, secret_keys=OLD) as old:
            [org] = await many(old, secret, 1)
        change = site.hand_out.connections._commands.change
        read = change._read

        async def read_and_be_overtaken(*args):
            found = await read(*args)
            await rotate(database)()
            return found

        monkeypatch.setattr(change, "_read", read_and_be_overtaken)
        integrator = site.integrator(org)
        listed = await integrator.call("ListConnections", pb.ListConnectionsRequest())
        named = {"erp_connection_id": listed.connections[0].id, "name": "Renamed"}
        stored = await integrator.call("UpdateConnection", pb.UpdateConnectionRequest(**named))
        assert (stored.connection.name, stored.connection.version) == ("Renamed", 2)
    assert (await rotate(database).use()).values == {"new": 1}


async def test_a_waiting_test_is_sealed_anew_and_one_that_is_over_is_not(
    site_of, database, secret, queue
):
    """Whoever claims it with the new key alone can run it."""
    async with site_of(loops=False, secret_keys=OLD) as site:
        org = uuid4()
        made = await site.integrator(org).call("CreateConnection", secret())
        request = pb.TestConnectionRequest(erp_connection_id=made.connection.id)
        asked = asyncio.create_task(site.integrator(org).call("TestConnection", request, 5))
        waiting = "SELECT count(*) FROM push.connection_tests WHERE finished_at IS NULL"
        while not await queue.sql.fetchval(waiting):
            await asyncio.sleep(0.01)
        assert (await rotate(database)()).sealed_anew == 2
        key = await queue.sql.fetchval("SELECT access_key_id FROM push.connection_tests")
        assert key == "new"
        await queue.sql.execute("UPDATE push.connection_tests SET expires_at = now()")
        asked.cancel()
        await asyncio.gather(asked, return_exceptions=True)
    assert UUID(made.connection.id)
