"""Races over real HTTP, with two gateways in front of two push replicas.

Whatever is clicked at once, one draft gives one export, one file and one audit event.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from uuid import uuid4

import httpx
import pytest
import pytest_asyncio
from system import System
from tenant import Tenant

from countersign_platform.testing.databases import cloned_database

pytestmark = pytest.mark.e2e

DRAFTS = 100
CLICKS = 32
TOGETHER = 4  # drafts raced at once: enough to mix them, few enough for two cores


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def pair(
    postgres: Any,
    template_database: str,
    rabbit_server: Any,
    redis_server: Any,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[System]:
    """Two of everything that takes requests, and two workers."""
    async with cloned_database(postgres, template_database) as databases:
        urls = {role: databases.url_for(role) for role in ("approval", "push", "audit")}
        folder = tmp_path_factory.mktemp("pair") / "system"
        broker = rabbit_server.add_virtual_host("races")
        system = System(folder, urls, broker, redis_server.url)
        try:
            await system.start(push=2, gateways=2, workers=2)
            yield system
        finally:
            await system.stop()


@pytest.fixture
async def clicker(pair: System) -> AsyncIterator[Tenant]:
    async with pair.tenant() as tenant:
        yield tenant


async def race(
    tenant: Tenant,
    ids: list[str],
    click: Callable[[httpx.AsyncClient, str], Awaitable[httpx.Response]],
) -> dict[str, list[httpx.Response]]:
    """Every draft clicked CLICKS times at once, half of them at each gateway."""
    clients = [tenant.client("ADMIN", gateway=number) for number in (1, 2)]
    answers: dict[str, list[httpx.Response]] = {}

    async def one(draft_id: str) -> None:
        answers[draft_id] = list(
            await asyncio.gather(*(click(clients[n % 2], draft_id) for n in range(CLICKS)))
        )

    for start in range(0, len(ids), TOGETHER):
        await asyncio.gather(*(one(each) for each in ids[start : start + TOGETHER]))
    return answers


async def assert_delivered_once(tenant: Tenant, ids: list[str], exports_per_draft: int = 1) -> None:
    await tenant.wait_all("PUSHED", len(ids))
    exports = await tenant.pages("/erp-exports", "exports")
    by_draft = Counter(export["draft_order_id"] for export in exports)
    assert by_draft == dict.fromkeys(ids, exports_per_draft)
    sent = [export for export in exports if export["status"] == "SENT"]
    assert sorted(path.name for path in tenant.files()) == sorted(
        each["file_name"] for each in sent
    )
    assert len(sent) == len(ids)


async def test_32_pushes_at_once_without_a_key_make_one_export(clicker: Tenant) -> None:
    """One push answers 200; every other says that an export exists, and names it."""
    ids = await clicker.approved_many(DRAFTS)
    answers = await race(
        clicker, ids, lambda client, each: client.post(f"/draft-orders/{each}/push")
    )
    for draft_answers in answers.values():
        statuses = Counter(answer.status_code for answer in draft_answers)
        assert statuses == {200: 1, 409: CLICKS - 1}
        [won] = [answer.json() for answer in draft_answers if answer.status_code == 200]
        for answer in draft_answers:
            assert answer.json()["erp_export_id"] == won["erp_export_id"]
            if answer.status_code == 409:
                assert answer.json()["detail"] == "Export already in progress or completed"
    await assert_delivered_once(clicker, ids)
    await clicker.wait_audit(DRAFTS, action="DRAFT_PUSHED")
    await clicker.wait_audit(DRAFTS, action="DRAFT_PUSH_SUCCEEDED")


async def pushed_with_one_key(tenant: Tenant) -> None:
    ids = await tenant.approved_many(DRAFTS)
    keys = {each: str(uuid4()) for each in ids}

    async def click(client: httpx.AsyncClient, draft_id: str) -> httpx.Response:
        return await client.post(
            f"/draft-orders/{draft_id}/push", headers={"Idempotency-Key": keys[draft_id]}
        )

    answers = await race(tenant, ids, click)
    for draft_answers in answers.values():
        assert {answer.status_code for answer in draft_answers} <= {200, 202}
        assert len({answer.json()["erp_export_id"] for answer in draft_answers}) == 1
        first = [answer for answer in draft_answers if "Idempotent-Replayed" not in answer.headers]
        assert len(first) == 1
        assert first[0].json()["status"] == "PUSHING"
        assert {answer.json()["status"] for answer in draft_answers} <= {
            "PUSHING",
            "in_progress",
            "SENT",
        }
    await assert_delivered_once(tenant, ids)
    await tenant.wait_audit(DRAFTS, action="DRAFT_PUSHED")


async def test_32_pushes_at_once_with_one_key_answer_the_same_export(clicker: Tenant) -> None:
    """All succeed: one pushes, the others replay it."""
    await pushed_with_one_key(clicker)


async def test_32_pushes_at_once_with_one_key_need_no_redis(
    clicker: Tenant, redis_server: Any
) -> None:
    """Redis is a saving of queries and nothing else: stopped, every promise stays."""
    redis_server.stop()
    try:
        await pushed_with_one_key(clicker)
    finally:
        redis_server.start()


async def test_32_retries_at_once_make_one_new_export(clicker: Tenant) -> None:
    """ERROR → PUSHING happens once, and the new export names the one it follows."""
    blocked = clicker.dropzone.with_suffix(".away")
    clicker.dropzone.rename(blocked)
    clicker.dropzone.write_text("a file stands where the folder should be")
    ids = await clicker.approved_many(DRAFTS)
    items = [{"draft_order_id": each} for each in ids]
    answer = await clicker.http.post("/draft-orders/batch-push", json={"items": items})
    assert all(result.get("problem") is None for result in answer.json()["results"])
    await clicker.wait_all("ERROR", DRAFTS)
    clicker.dropzone.unlink()
    blocked.rename(clicker.dropzone)
    answers = await race(
        clicker, ids, lambda client, each: client.post(f"/draft-orders/{each}/retry-push")
    )
    for draft_answers in answers.values():
        statuses = Counter(each.status_code for each in draft_answers)
        assert statuses == {200: 1, 409: CLICKS - 1}
    await assert_delivered_once(clicker, ids, exports_per_draft=2)
    await clicker.wait_audit(DRAFTS, action="DRAFT_PUSH_RETRIED")
    await clicker.wait_audit(DRAFTS, action="DRAFT_PUSH_FAILED")


async def test_32_approves_at_once_approve_once(clicker: Tenant) -> None:
    """One approve answers 200, every other that it was approved already."""
    drafts = await asyncio.gather(*(clicker.submit() for _ in range(DRAFTS)))
    ids = [draft["id"] for draft in drafts]
    answers = await race(
        clicker, ids, lambda client, each: client.post(f"/draft-orders/{each}/approve")
    )
    for draft_answers in answers.values():
        statuses = Counter(answer.status_code for answer in draft_answers)
        assert statuses == {200: 1, 409: CLICKS - 1}
        refused = {answer.json()["detail"] for answer in draft_answers if answer.status_code == 409}
        assert refused == {"Draft already approved"}
    await clicker.wait_audit(DRAFTS, action="DRAFT_APPROVED")
