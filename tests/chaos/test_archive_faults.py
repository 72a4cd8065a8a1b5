"""The archive is away, or push dies beside it: every document is kept all the same, once."""

from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
from system import System
from tenant import Tenant
from waiting import eventually

pytestmark = pytest.mark.chaos

DRAFTS = 20


async def archived(tenant: Tenant) -> int:
    exports = await tenant.pages("/erp-exports", "exports")
    return sum(export["archived"] for export in exports)


def kept(system: System) -> dict[str, bytes]:
    """What the archive has, by export."""
    return {file.stem: file.read_bytes() for file in system.archive.glob("documents/*/*/*.json")}


async def assert_all_kept(system: System, tenant: Tenant, count: int) -> None:
    async def all_archived() -> bool:
        return await archived(tenant) == count

    await eventually(all_archived, seconds=60, what="every document is archived")
    exports = await tenant.pages("/erp-exports", "exports")
    sent = {file.name: file.read_bytes() for file in tenant.files()}
    assert kept(system) == {export["id"]: sent[export["file_name"]] for export in exports}


def take_away(system: System) -> Path:
    """As an unmounted share."""
    return system.archive.rename(system.folder / "unmounted")


async def metric(system: System, line: str) -> float:
    [push] = system.named("push")
    async with httpx.AsyncClient() as client:
        text = (await client.get(f"http://127.0.0.1:{push.probe_port}/metrics")).text
    found = [each for each in text.splitlines() if each.startswith(line)]
    return float(found[0].rpartition(" ")[2]) if found else 0.0


async def test_pushes_go_on_while_the_archive_is_away_and_are_kept_when_it_is_back(
    start_system: Any,
) -> None:
    system = await start_system()
    async with system.tenant() as tenant:
        ids = await tenant.approved_many(DRAFTS)
        unmounted = take_away(system)
        for each in ids:
            assert (await tenant.push(each)).status_code == 200
        await tenant.wait_all("PUSHED", DRAFTS)
        assert len(tenant.files()) == DRAFTS
        assert await archived(tenant) == 0

        async def seen() -> bool:
            rows = await metric(system, 'countersign_outbox_rows{lane="archive"')
            return rows == DRAFTS

        await eventually(seen, what="the metric shows what waits")
        unmounted.rename(system.archive)
        await assert_all_kept(system, tenant, DRAFTS)


async def test_push_killed_between_put_and_mark_leaves_it_to_the_next(
    start_system: Any, databases: Any
) -> None:
    """The object is there, its mark is not: the next relay finds the same bytes and marks."""
    system = await start_system()
    async with system.tenant() as tenant:
        draft = await tenant.approved()
        unmounted = take_away(system)
        await tenant.push(draft["id"])
        await tenant.wait_status(draft["id"], "PUSHED")
        owner = await asyncpg.connect(databases.owner_url)
        try:
            async with owner.transaction():
                # The mark waits for this lock.
                await owner.execute("SELECT FROM push.exports FOR UPDATE")
                unmounted.rename(system.archive)
                await eventually(lambda: is_kept(system), what="the object is there")
                [file] = system.archive.glob("documents/*/*/*.json")
                written = file.stat().st_ino, file.stat().st_mtime_ns
                [push] = system.named("push")
                await push.kill()
        finally:
            await owner.close()
        await push.start()
        await push.ready()
        await eventually(lambda: reachable(tenant), what="the gateway found push again")
        await assert_all_kept(system, tenant, 1)
        assert (file.stat().st_ino, file.stat().st_mtime_ns) == written


async def is_kept(system: System) -> bool:
    return len(kept(system)) == 1


async def reachable(tenant: Tenant) -> bool:
    return (await tenant.http.get("/erp-exports")).is_success
