"""The example connector: built, installed, announced and used, without a change to our code."""

import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from example_connector import EXAMPLE, install_example
from waiting import eventually

pytestmark = [pytest.mark.integration, pytest.mark.e2e]


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that it was installed into."""
    wheels, place = tmp_path_factory.mktemp("wheels"), tmp_path_factory.mktemp("plugins")
    install_example(wheels, place)
    return place


def path_with(installed: Path) -> dict[str, str]:
    return {"PYTHONPATH": str(installed), "PYTHONDONTWRITEBYTECODE": "1"}


def test_the_installed_connector_passes_the_conformance_suite(installed: Path) -> None:
    """In a process that knows the checkout only through what is installed."""
    tests = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", "."]
    run = subprocess.run(
        [*tests, "-c", os.devnull, "-o", "asyncio_mode=strict", "tests"],
        cwd=EXAMPLE,
        env=os.environ | path_with(installed),
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert "11 passed" in run.stdout


@pytest_asyncio.fixture(loop_scope="session")
async def line_erp(installed: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Any]:
    """The example's own ERP."""
    monkeypatch.syspath_prepend(str(installed))
    from countersign_connector_line.line_server import LineServer  # noqa: PLC0415

    server = LineServer()
    await server.start()
    yield server
    await server.stop()


async def test_a_push_is_delivered_through_an_installed_plug_in(
    start_system: Any, installed: Path, line_erp: Any
) -> None:
    """The worker finds it, announces it, tests its connection, and delivers once through it."""
    system = await start_system(settings=path_with(installed))
    async with system.tenant(connected=False) as tenant:

        async def announced() -> list[dict[str, Any]]:
            known = (await tenant.http.get("/erp-connectors")).json()["connectors"]
            return [each for each in known if each["connector_type"] == "LINE_JSON_V1"]

        [kind] = await eventually(announced, what="the worker announced the plug-in")
        assert kind["title"] == "One document per order over a line protocol"

        body = {"name": "Line", "connector_type": "LINE_JSON_V1", "test_on_save": True}
        wrong = body | {"config": {"host": "127.0.0.1", "prot": 1}}
        refused = await tenant.http.post("/erp-connections", json=wrong)
        assert refused.status_code == 400, refused.text
        body["config"] = {"host": "127.0.0.1", "port": line_erp.port, "timeout_seconds": 2}
        made = await tenant.http.post("/erp-connections", json=body)
        assert made.status_code == 201, made.text
        assert made.json()["last_test_result"]["ok"]

        draft = await tenant.approved()
        await tenant.push(draft["id"])
        await tenant.wait_status(draft["id"], "PUSHED")
        [export] = (await tenant.http.get("/erp-exports")).json()["exports"]
        [(export_id, document)] = line_erp.received
        assert export_id == export["id"]
        answer = await tenant.http.get(f"/erp-exports/{export['id']}/document")
        assert answer.content == document


async def test_an_erp_that_can_be_asked_settles_a_held_export_itself(
    start_system: Any, installed: Path, line_erp: Any
) -> None:
    """It took the document and never answered; the next attempt asks, and sends nothing."""
    system = await start_system(settings=path_with(installed))
    async with system.tenant(connected=False) as tenant:
        body = {
            "name": "Line",
            "connector_type": "LINE_JSON_V1",
            "config": {"host": "127.0.0.1", "port": line_erp.port, "timeout_seconds": 1},
            "terms": {"first_delay_seconds": 0.2, "longest_delay_seconds": 0.4},
        }

        async def made() -> bool:
            return (await tenant.http.post("/erp-connections", json=body)).status_code == 201

        await eventually(made, what="the plug-in was announced and a connection made")
        line_erp.mode = "swallow"
        draft = await tenant.approved()
        await tenant.push(draft["id"])
        await tenant.wait_status(draft["id"], "PUSHED")
        [export] = (await tenant.http.get("/erp-exports")).json()["exports"]
        assert (export["status"], export["evidence"]) == ("SENT", "FOUND")
        assert len(line_erp.received) == 1
