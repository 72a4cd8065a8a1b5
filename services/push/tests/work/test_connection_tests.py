"""Connection tests: asked for by a person, run by a (fake) worker over real gRPC."""

import asyncio
import json
from uuid import UUID, uuid4

import pytest

from countersign.push.v1 import connection_service_pb2 as pb
from countersign.push.v1 import work_service_pb2 as work_pb
from countersign_core.reasons import Reason

pytestmark = pytest.mark.integration

PASSED = pb.ConnectionTestResult(
    ok=True,
    steps=[pb.ConnectionTestStep(name="connect", ok=True, duration_ms=1.5)],
    capabilities={"posix_rename": "true"},
    clock_difference_ms=-3.25,
)
REFUSED = pb.ConnectionTestResult(
    ok=False,
    failure="PERMISSION_DENIED",
    message="The folder is not writable",
    steps=[
        pb.ConnectionTestStep(name="connect", ok=True, duration_ms=float("nan")),
        pb.ConnectionTestStep(name="write", ok=False, detail="EACCES\x00", duration_ms=2),
    ],
)


async def claim_test(worker, wait=0.0, types=()):
    request = work_pb.ClaimConnectionTestRequest(
        worker_id="w1", wait_seconds=wait, connector_types=types
    )
    return await worker.call("ClaimConnectionTest", request)


async def report(worker, claimed, result):
    request = work_pb.ReportConnectionTestRequest(
        org_id=claimed.connection.org_id, test_id=claimed.test_id, result=result
    )
    await worker.call("ReportConnectionTest", request)


@pytest.fixture
def tester(site):
    """A fake worker: answers the next test with `result`; what it was given."""

    async def answer(result, worker=None):
        worker = worker or site.worker()
        claimed = await claim_test(worker, wait=10)
        assert claimed.test_id
        await report(worker, claimed, result)
        return claimed

    return answer


@pytest.fixture
def org():
    return uuid4()


@pytest.fixture
def integrator(site, org):
    return site.integrator(org)


@pytest.fixture
async def made(integrator, folder):
    request = folder(secrets={"password": "hunter2"})
    return (await integrator.call("CreateConnection", request)).connection


def ask(integrator, connection, seconds=10):
    request = pb.TestConnectionRequest(erp_connection_id=connection.id)
    return integrator.call("TestConnection", request, seconds=seconds)


async def read(integrator, connection):
    request = pb.GetConnectionRequest(erp_connection_id=connection.id)
    return (await integrator.call("GetConnection", request)).connection


async def test_a_worker_tests_what_is_stored_and_the_result_is_kept(
    queue, integrator, made, tester, org
):
    asked = asyncio.create_task(ask(integrator, made))
    claimed = await tester(PASSED)
    assert (await asked).result == PASSED
    assert (claimed.connection.id, claimed.connection.org_id) == (made.id, str(org))
    assert dict(claimed.connection.secrets) == {"password": "hunter2"}
    assert json.loads(claimed.connection.config_json)["export_path"] == "/srv/drop"
    kept = await read(integrator, made)
    assert (kept.last_test_result, kept.version) == (PASSED, 1)
    assert kept.HasField("last_test_at")
    act = (await queue.acts(org))[-1]
    assert (act.action, act.entity_id, act.actor_user_id) == ("CONNECTION_TESTED", made.id, "ian")
    assert act.request_id == "req-9"
    assert json.loads(act.after_json)["ok"] is True


async def test_a_failed_test_says_what_and_where(queue, integrator, made, tester, refused, org):
    answering = asyncio.create_task(tester(REFUSED))
    error = await refused(ask(integrator, made))
    await answering
    assert (error.reason, error.message) == (
        Reason.CONNECTION_TEST_FAILED, "The folder is not writable",
    )  # fmt: skip
    assert dict(error.metadata) == {"failure": "PERMISSION_DENIED", "step": "write"}
    kept = await read(integrator, made)
    assert not kept.last_test_result.ok
    assert kept.last_test_result.steps[1].detail == "EACCES�"
    assert json.loads((await queue.acts(org))[-1].after_json)["failure"] == "PERMISSION_DENIED"


async def test_without_a_worker_the_call_ends_before_its_deadline(
    integrator, made, refused, worker
):
    """And a worker that comes later is not given a test nobody waits for."""
    error = await refused(ask(integrator, made, seconds=1.0))
    assert error.reason is Reason.CONNECTION_TEST_TIMEOUT
    assert (await claim_test(worker)).test_id == ""


async def test_a_test_is_left_to_workers_that_have_the_connector(queue, integrator, folder, worker):
    """While a plug-in is rolled out; one that nobody announced is anybody's, to fail at once."""
    await queue.sql.execute(
        "INSERT INTO push.connectors (connector_type, config_schema, secret_names, title,"
        " announced_by) VALUES ('SPOOL_V1', '{}', '{}', 'Spool', 'w2')"
    )
    request = folder(connector_type="SPOOL_V1", config_json="{}")
    made = (await integrator.call("CreateConnection", request)).connection
    asked = asyncio.create_task(ask(integrator, made))
    claimed = await claim_test(worker, wait=10, types=["DROPZONE_JSON_V1", "SPOOL_V1"])
    assert claimed.connection.id == made.id
    await report(worker, claimed, PASSED)
    await asked

    again = asyncio.create_task(ask(integrator, made))
    assert (await claim_test(worker, wait=1.0, types=["DROPZONE_JSON_V1"])).test_id == ""
    await queue.sql.execute("DELETE FROM push.connectors")
    claimed = await claim_test(worker, wait=10, types=["DROPZONE_JSON_V1"])
    await report(worker, claimed, PASSED)
    await again


async def test_a_result_reported_to_another_replica_is_found(site_of, folder, org):
    async with site_of() as one, site_of() as other:
        integrator = one.integrator(org)
        made = (await integrator.call("CreateConnection", folder())).connection
        asked = asyncio.create_task(ask(integrator, made))
        worker = other.worker()
        claimed = await claim_test(worker, wait=10)
        await report(worker, claimed, PASSED)
        assert (await asked).result == PASSED


async def test_a_failed_test_on_save_saves_nothing(queue, integrator, folder, tester, refused, org):
    answering = asyncio.create_task(tester(REFUSED))
    error = await refused(integrator.call("CreateConnection", folder(test_on_save=True)))
    await answering
    assert error.reason is Reason.CONNECTION_TEST_FAILED
    assert await queue.sql.fetchval("SELECT count(*) FROM push.erp_connections") == 0
    assert [act.action for act in await queue.acts(org)] == ["CONNECTION_TESTED"]


async def test_a_passed_test_on_save_saves_with_its_result(queue, integrator, folder, tester, org):
    answering = asyncio.create_task(tester(PASSED))
    request = folder(test_on_save=True, secrets={"password": "hunter2"})
    made = (await integrator.call("CreateConnection", request)).connection
    claimed = await answering
    assert claimed.connection.id == made.id
    assert dict(claimed.connection.secrets) == {"password": "hunter2"}
    assert made.last_test_result == PASSED
    assert [a.action for a in await queue.acts(org)] == ["CONNECTION_TESTED", "CONNECTION_CREATED"]


async def test_an_update_tests_the_new_settings_with_the_kept_secrets(
    queue, integrator, made, tester, refused, org
):
    """A failed test changes nothing; neither does it speak for what is stored."""

    def change():
        return integrator.call(
            "UpdateConnection",
            pb.UpdateConnectionRequest(
                erp_connection_id=made.id,
                config_json='{"transport":"folder","export_path":"/srv/new"}',
                test_on_save=True,
            ),
        )

    answering = asyncio.create_task(tester(REFUSED))
    assert (await refused(change())).reason is Reason.CONNECTION_TEST_FAILED
    claimed = await answering
    assert json.loads(claimed.connection.config_json)["export_path"] == "/srv/new"
    assert dict(claimed.connection.secrets) == {"password": "hunter2"}
    kept = await read(integrator, made)
    assert (kept.version, kept.HasField("last_test_result")) == (1, False)

    answering = asyncio.create_task(tester(PASSED))
    changed = (await change()).connection
    await answering
    assert (changed.version, changed.last_test_result) == (2, PASSED)


async def test_a_change_during_the_test_is_not_overwritten(integrator, made, site, refused, org):
    request = pb.UpdateConnectionRequest(erp_connection_id=made.id, name="A", test_on_save=True)
    changing = asyncio.create_task(integrator.call("UpdateConnection", request))
    worker = site.worker()
    claimed = await claim_test(worker, wait=10)
    other = pb.UpdateConnectionRequest(erp_connection_id=made.id, name="B")
    await site.integrator(org).call("UpdateConnection", other)
    await report(worker, claimed, PASSED)
    assert (await refused(changing)).reason is Reason.VERSION_MISMATCH
    assert (await read(integrator, made)).name == "B"


async def test_a_test_that_changes_nothing_is_a_test_of_what_is_stored(integrator, made, tester):
    answering = asyncio.create_task(tester(PASSED))
    request = pb.UpdateConnectionRequest(erp_connection_id=made.id, test_on_save=True)
    same = (await integrator.call("UpdateConnection", request)).connection
    await answering
    assert (same.version, same.last_test_result) == (1, PASSED)


async def test_the_first_result_counts_and_may_be_repeated(integrator, made, site, refused, queue):
    asked = asyncio.create_task(ask(integrator, made))
    worker = site.worker()
    claimed = await claim_test(worker, wait=10)
    await report(worker, claimed, PASSED)
    await asked
    await report(worker, claimed, PASSED)
    assert (await refused(report(worker, claimed, REFUSED))).reason is Reason.LEASE_LOST
    actions = [act.action for act in await queue.acts(UUID(claimed.connection.org_id))]
    assert actions.count("CONNECTION_TESTED") == 1


async def test_of_many_results_at_once_one_is_kept(integrator, made, site, queue, org):
    """The row decides; the others are told that the test is not theirs."""
    asked = asyncio.create_task(ask(integrator, made))
    claimed = await claim_test(site.worker(), wait=10)
    results = [
        pb.ConnectionTestResult(ok=True, clock_difference_ms=n, capabilities={}) for n in range(8)
    ]
    reports = [report(site.worker(), claimed, result) for result in results]
    outcomes = await asyncio.gather(*reports, return_exceptions=True)
    lost = [outcome for outcome in outcomes if outcome is not None]
    assert [error.reason for error in lost] == [Reason.LEASE_LOST] * 7
    assert (await asked).result == results[outcomes.index(None)]
    assert [act.action for act in await queue.acts(org)].count("CONNECTION_TESTED") == 1


async def test_a_result_for_an_unknown_test_or_another_org_is_a_lost_lease(
    integrator, made, site, refused
):
    asked = asyncio.create_task(ask(integrator, made, seconds=2))
    worker = site.worker()
    claimed = await claim_test(worker, wait=10)
    claimed.connection.org_id = str(uuid4())
    assert (await refused(report(worker, claimed, PASSED))).reason is Reason.LEASE_LOST
    assert (await refused(asked)).reason is Reason.CONNECTION_TEST_TIMEOUT


async def test_a_test_is_leased_to_one_worker_and_passed_on_when_that_dies(
    queue, integrator, made, site
):
    asked = asyncio.create_task(ask(integrator, made))
    first = await claim_test(site.worker(), wait=10)
    assert (await claim_test(site.worker())).test_id == ""
    await queue.sql.execute("UPDATE push.connection_tests SET leased_until = now()")
    second = await claim_test(site.worker())
    assert second.test_id == first.test_id
    await report(site.worker(), second, PASSED)
    assert (await asked).result.ok


async def test_a_finished_test_keeps_no_access(queue, integrator, made, tester):
    asked = asyncio.create_task(ask(integrator, made))
    await tester(PASSED)
    await asked
    row = await queue.sql.fetchrow("SELECT access, result FROM push.connection_tests")
    assert row["access"] == b""
    assert json.loads(row["result"])["ok"] is True
