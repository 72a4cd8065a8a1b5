"""What one statement does for several callers, over real PostgreSQL."""

import asyncio
from uuid import UUID

import pytest

from countersign_core.errors import CountersignError
from countersign_core.reasons import Reason
from countersign_platform.database.pool import Database

pytestmark = pytest.mark.integration
PATIENCE_SECONDS = 120.0


@pytest.fixture
async def database(databases):
    """As patient as a test that holds a lock must be, on a machine of any speed."""
    opened = await Database.connect(
        databases.url_for("push"), "push-tests", statement_timeout_seconds=PATIENCE_SECONDS
    )
    yield opened
    await opened.close()


@pytest.fixture
async def callers(world):
    """Operators of three orgs, each with a connection."""
    clients = [world.client(subject=name) for name in ("ada", "ben", "cleo")]
    for client in clients:
        await world.orders.connection(client.org_id)
    return clients


async def test_every_caller_gets_its_own(world, callers):
    """Org, operator, key and trace of each push stand in its own rows and nowhere else."""
    drafts = [await world.orders.approved(client.org_id) for client in callers for _ in range(8)]
    owners = [client for client in callers for _ in range(8)]
    replies = await asyncio.gather(
        *(
            client.push(draft, f"key-{n}")
            for n, (client, draft) in enumerate(zip(owners, drafts, strict=True))
        )
    )
    for n, (client, draft, reply) in enumerate(zip(owners, drafts, replies, strict=True)):
        (export,) = await world.orders.exports(client.org_id, draft)
        assert export["id"] == UUID(reply.erp_export_id)
        assert export["created_by"] == ["ada", "ben", "cleo"][callers.index(client)]
        again = await client.push(draft, f"key-{n}")
        assert (again.erp_export_id, again.replayed) == (reply.erp_export_id, True)
    for client in callers:
        assert len(await world.orders.keys(client.org_id)) == 8
        assert len(await world.orders.outbox(client.org_id, "work")) == 8


async def test_a_refusal_stays_with_its_draft(world, callers):
    """Beside drafts that may be pushed, one that may not be is refused alone."""
    ada = callers[0]
    good = [await world.orders.approved(ada.org_id) for _ in range(10)]
    unready = await world.orders.ready(ada.org_id)
    strange = await world.orders.approved(callers[1].org_id)
    answers = await asyncio.gather(
        *(ada.push(draft) for draft in [*good, unready, strange]), return_exceptions=True
    )
    assert not any(isinstance(each, BaseException) for each in answers[:10])
    assert [each.reason for each in answers[10:]] == [Reason.WRONG_STATE, Reason.DRAFT_NOT_FOUND]


async def test_a_locked_draft_delays_nobody_elses_push(world, callers):
    """Whoever holds the lock, the others are pushed while it is held; then this one is as well."""
    ada, ben, _ = callers
    locked = [await world.orders.approved(ada.org_id) for _ in range(2)]
    others = [await world.orders.approved(ben.org_id) for _ in range(20)]
    async with world.orders.sql.transaction():
        await world.orders.sql.execute(
            "SELECT FROM approval.draft_orders WHERE id = ANY ($1) FOR UPDATE", locked
        )
        # As many clicks as there are statements at once, and then some.
        waiting = [asyncio.ensure_future(ada.push(draft, "k")) for draft in locked * 3]
        await asyncio.gather(*(ben.push(draft) for draft in others))
        assert not any(task.done() for task in waiting)
    answers = await asyncio.gather(*waiting)
    assert sum(not answer.replayed for answer in answers) == len(locked)


async def test_a_key_that_came_meanwhile_undoes_its_own_push_alone(world, callers):
    """The constraint ends the whole statement; the others are then pushed without it."""
    ada, ben, _ = callers
    locked = await world.orders.approved(ada.org_id)
    others = [await world.orders.approved(ben.org_id) for _ in range(5)]
    first = await ada.push(locked, "one-key")
    await world.orders.failed(ada.org_id, UUID(first.erp_export_id))
    answers = await asyncio.gather(
        ada.push(locked, "one-key"),
        ada.push(locked, "other-key"),
        *(ben.push(draft) for draft in others),
        return_exceptions=True,
    )
    assert answers[0].replayed
    assert isinstance(answers[1], CountersignError)
    assert not any(isinstance(each, BaseException) for each in answers[2:])
