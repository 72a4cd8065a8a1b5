"""Servers that are away: nothing that was accepted is lost or doubled when they come back."""

import asyncio
import signal
from typing import Any

import pytest
from system import System
from tenant import Tenant
from waiting import eventually

from countersign_platform.testing.databases import cloned_database, make_template
from countersign_platform.testing.postgres_server import PostgresServer, StopMode

pytestmark = pytest.mark.chaos

DRAFTS = 50
# Leases that run out, and sweeps that come, within a test's patience.
FAST = {"COUNTERSIGN_LEASE_SECONDS": "2", "COUNTERSIGN_SWEEP_INTERVAL_SECONDS": "2"}


async def push_all(tenant: Tenant, ids: list[str]) -> None:
    answers = await asyncio.gather(*(tenant.push(each) for each in ids))
    assert [answer.status_code for answer in answers] == [200] * len(ids)


async def assert_each_arrived_once(tenant: Tenant, ids: list[str], seconds: float = 90.0) -> None:
    await tenant.wait_all("PUSHED", len(ids), seconds=seconds)
    documents = tenant.documents()
    assert sorted(document["draft_order_id"] for document in documents) == sorted(ids)
    await eventually(lambda: no_leftovers(tenant), seconds=60, what="no temporary file is left")
    for action in ("DRAFT_PUSHED", "DRAFT_PUSH_SUCCEEDED"):
        await tenant.wait_audit(len(ids), seconds=60, action=action)


async def no_leftovers(tenant: Tenant) -> bool:
    return all(path.name.startswith("sales_order_") for path in tenant.dropzone.iterdir())


async def test_pushes_go_on_while_the_broker_is_away_and_arrive_when_it_is_back(
    start_system: Any, rabbit: Any
) -> None:
    """The outbox keeps what the broker cannot take."""
    system = await start_system(broker_url=rabbit.url, push=2, workers=2)
    async with system.tenant() as tenant:
        ids = await tenant.approved_many(DRAFTS)
        rabbit.stop()
        try:
            await push_all(tenant, ids)
            assert tenant.files() == []
        finally:
            rabbit.start()
        await assert_each_arrived_once(tenant, ids)


async def test_pushes_go_on_while_the_audit_service_is_away_and_are_on_record_when_it_is_back(
    start_system: Any,
) -> None:
    """No act waits for the trail, and none is missing from it."""
    system = await start_system()
    async with system.tenant() as tenant:
        await pushed_without_audit(system, tenant)


async def pushed_without_audit(system: System, tenant: Tenant) -> None:
    ids = await tenant.approved_many(DRAFTS)
    await tenant.wait_audit(DRAFTS, action="DRAFT_APPROVED")
    [audit] = system.named("audit")
    await audit.kill()
    await push_all(tenant, ids)
    await eventually(lambda: all_files(tenant), what="delivered without the audit service")
    await audit.start()
    await audit.ready()
    await eventually(lambda: answers(tenant, "/audit-log"), what="the gateway found it again")
    await assert_each_arrived_once(tenant, ids)
    verdict = (await tenant.http.get("/audit-log/verify")).json()
    assert verdict["valid"], verdict


async def answers(tenant: Tenant, path: str) -> bool:
    return (await tenant.http.get(path)).is_success


async def all_files(tenant: Tenant) -> bool:
    return len(tenant.files()) == DRAFTS


@pytest.mark.parametrize("with_broker", [True, False], ids=["broker", "no-broker"])
async def test_workers_killed_in_mid_delivery_lose_and_double_nothing(
    start_system: Any, rabbit: Any, with_broker: bool
) -> None:
    """SIGKILL to every worker, again and again while files are being written."""
    settings = FAST
    system = await start_system(
        broker_url=rabbit.url if with_broker else None, workers=2, settings=settings
    )
    async with system.tenant() as tenant:
        ids = await tenant.approved_many(DRAFTS)
        pushing = asyncio.create_task(push_all(tenant, ids))
        for _ in range(4):
            await asyncio.sleep(0.15)  # the load is the clock here: kill at any moment of it
            for worker in system.named("worker"):
                await worker.kill()
            for worker in system.named("worker"):
                await worker.start()
            await asyncio.gather(*(worker.ready() for worker in system.named("worker")))
        await pushing
        await assert_each_arrived_once(tenant, ids)


async def test_a_worker_that_wakes_up_after_its_lease_changes_nothing(start_system: Any) -> None:
    """SIGSTOP in mid-delivery, the other worker delivers, SIGCONT: still one file."""
    settings = FAST
    system = await start_system(workers=2, settings=settings)
    async with system.tenant() as tenant:
        ids = await tenant.approved_many(DRAFTS)
        sleeper = system.named("worker")[0]
        pushing = asyncio.create_task(push_all(tenant, ids))
        await eventually(lambda: any_file(tenant), what="the first file")
        sleeper.send(signal.SIGSTOP)
        try:
            await pushing
            await tenant.wait_all("PUSHED", DRAFTS, seconds=60)
        finally:
            sleeper.send(signal.SIGCONT)
        await assert_each_arrived_once(tenant, ids)


async def any_file(tenant: Tenant) -> bool:
    return bool(tenant.files())


async def test_postgres_crash_loses_no_accepted_push(start_system: Any) -> None:
    """Immediate shutdown and restart: what was answered 200 is delivered, once."""
    with PostgresServer() as server:
        async with cloned_database(server, await make_template(server)) as databases:
            system = await start_system(on=databases, settings=FAST)
            async with system.tenant() as tenant:
                ids = await tenant.approved_many(DRAFTS)
                pushes = [asyncio.create_task(tenant.push(each)) for each in ids]
                await eventually(lambda: any_file(tenant), what="the first file")
                server.stop(StopMode.IMMEDIATE)
                server.start()
                answers = await asyncio.gather(*pushes)
                assert {answer.status_code for answer in answers} <= {200, 503, 504}
                for each in ids:
                    await eventually(lambda each=each: settled(tenant, each), what="accepted")
                await assert_each_arrived_once(tenant, ids)
            await system.stop()


async def settled(tenant: Tenant, draft_id: str) -> bool:
    """Push again until it is known to be pushed: an answer that was lost may have been yes."""
    answer = await tenant.push(draft_id)
    return answer.status_code in {200, 409}


async def test_sigterm_drains_every_process(start_system: Any) -> None:
    """A rolling restart ends each process with code 0, in any order."""
    system = await start_system()
    async with system.tenant() as tenant:
        draft = await tenant.approved()
        await tenant.push(draft["id"])
        await tenant.wait_status(draft["id"], "PUSHED")
        for kind in ("worker", "push", "gateway", "approval", "audit"):
            [process] = system.named(kind)
            assert await process.stop() == 0, process.tail()
