"""The process itself: it starts, says what it does, and drains."""

import asyncio
import os
import re
import signal
import sys

import aiohttp
import pytest

pytestmark = pytest.mark.integration


@pytest.fixture
async def process(databases, tokens, signing_key):
    """`countersign-audit` on free ports, and the port that its probes were bound to."""
    environment = {
        **os.environ,
        "COUNTERSIGN_LISTEN": "127.0.0.1:0",
        "COUNTERSIGN_PROBE_LISTEN": "127.0.0.1:0",
        "COUNTERSIGN_JWKS": tokens.jwks,
        "COUNTERSIGN_DATABASE_URL": databases.url_for("audit"),
        "COUNTERSIGN_AUDIT_SIGNING_KEY": signing_key,
    }
    started = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "countersign_audit"),
        env=environment,
        stderr=asyncio.subprocess.PIPE,
    )
    yield started
    if started.returncode is None:
        started.kill()
        await started.wait()


async def _probe_port(process) -> str:
    async for line in process.stderr:
        if b"probes_started" in line:
            return re.search(rb'"port": ?(\d+)', line)[1].decode()
    raise AssertionError("the process ended while starting")


async def test_it_is_ready_counts_and_ends_with_zero(process):
    port = await asyncio.wait_for(_probe_port(process), 30)
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:
        async with session.get("/readyz") as reply:
            assert (reply.status, await reply.json()) == (200, {"ready": True, "not_ready": []})
        async with session.get("/metrics") as reply:
            assert "countersign_audit_append_seconds_count" in await reply.text()
    process.send_signal(signal.SIGTERM)
    _, log = await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode == 0
    assert b"rpc_server_stopped" in log
