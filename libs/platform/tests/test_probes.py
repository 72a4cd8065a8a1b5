"""What a platform sees of a process."""

import asyncio

import aiohttp
import pytest
from prometheus_client import Counter

from countersign_platform import probes
from countersign_platform.probes import ProbeServer

PROBED = Counter("countersign_test_probed_total", "Counts in a test of the probes")


@pytest.fixture
async def site():
    """Starts a probe server with a given ready check; stops what it started."""
    started = []

    async def start(ready=None) -> str:
        server = ProbeServer("127.0.0.1:0", ready)
        started.append(server)
        return f"http://127.0.0.1:{await server.start()}"

    yield start
    for server in started:
        await server.stop()


async def get(url: str) -> tuple[int, str]:
    async with aiohttp.ClientSession() as session, session.get(url) as reply:
        return reply.status, await reply.text()


async def ready_of(url: str) -> tuple[int, dict]:
    async with aiohttp.ClientSession() as session, session.get(f"{url}/readyz") as reply:
        return reply.status, await reply.json()


async def test_a_process_is_alive_as_long_as_it_answers(site):
    assert (await get(f"{await site()}/healthz"))[0] == 200


async def test_ready_when_nothing_is_missing(site):
    async def ready():
        return {"database": True}

    assert await ready_of(await site(ready)) == (200, {"ready": True, "not_ready": []})


async def test_what_is_not_ready_is_named(site):
    async def ready():
        return {"database": False, "broker": True, "audit": False}

    status, body = await ready_of(await site(ready))
    assert status == 503
    assert body == {"ready": False, "not_ready": ["audit", "database"]}


async def test_a_check_that_fails_is_not_ready(site):
    async def ready():
        raise OSError("password=hunter2")

    status, body = await ready_of(await site(ready))
    assert (status, body["not_ready"]) == (503, ["check"])


async def test_a_check_that_hangs_is_not_ready(site, monkeypatch):
    monkeypatch.setattr(probes, "READY_TIMEOUT_SECONDS", 0.01)

    async def ready():
        await asyncio.Event().wait()

    status, body = await ready_of(await site(ready))
    assert (status, body["not_ready"]) == (503, ["check_in_time"])


async def test_figures_are_served(site):
    PROBED.inc(3)
    status, text = await get(f"{await site()}/metrics")
    assert status == 200
    assert "countersign_test_probed_total 3.0" in text


async def test_ipv6_addresses_are_understood():
    server = ProbeServer("[::1]:0")
    try:
        port = await server.start()
    except OSError:
        pytest.skip("no IPv6 on this machine")
    assert (await get(f"http://[::1]:{port}/healthz"))[0] == 200
    await server.stop()
