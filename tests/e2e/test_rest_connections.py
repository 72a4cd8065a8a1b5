"""ERP connections over REST: every row of the table, success and each refusal."""

from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from problems import assert_problem, fields
from system import System
from tenant import Tenant

pytestmark = pytest.mark.e2e


def body(folder: Path, **changes: Any) -> dict[str, Any]:
    return {
        "name": "ERP",
        "connector_type": "DROPZONE_JSON_V1",
        "config": {"transport": "folder", "export_path": str(folder)},
    } | changes


async def test_a_connection_is_created_listed_and_read(system: System) -> None:
    """201 with the connection; ACTIVE at once."""
    async with system.tenant(connected=False) as tenant:
        answer = await tenant.http.post("/erp-connections", json=body(tenant.dropzone))
        assert answer.status_code == 201, answer.text
        made = answer.json()
        assert made["status"] == "ACTIVE"
        assert made["config"]["export_path"] == str(tenant.dropzone)
        assert (await tenant.http.get(f"/erp-connections/{made['id']}")).json() == made
        assert (await tenant.http.get("/erp-connections")).json()["connections"] == [made]
        await tenant.wait_audit(1, action="CONNECTION_CREATED")


async def test_a_second_active_connection_is_409(tenant: Tenant) -> None:
    """One ACTIVE per org and type."""
    answer = await tenant.http.post("/erp-connections", json=body(tenant.dropzone))
    assert_problem(answer, 409, "CONNECTION_ALREADY_ACTIVE")


async def test_a_malformed_connection_names_its_fields(system: System) -> None:
    """A relative path, an unknown key, an unknown type."""
    async with system.tenant(connected=False) as tenant:
        config = {"transport": "folder", "export_path": "relative", "colour": "red"}
        answer = await tenant.http.post(
            "/erp-connections", json=body(tenant.dropzone, config=config)
        )
        named = fields(assert_problem(answer, 400, "VALIDATION_FAILED"))
        assert named == {"config.export_path", "config.colour"}
        answer = await tenant.http.post(
            "/erp-connections", json=body(tenant.dropzone, connector_type="FAX_V1")
        )
        assert fields(assert_problem(answer, 400, "VALIDATION_FAILED")) == {"connector_type"}


async def test_a_test_runs_in_the_worker_and_says_what_it_did(tenant: Tenant) -> None:
    """What a delivery does: write, fsync, rename, read back, delete; nothing stays."""
    [made] = (await tenant.http.get("/erp-connections")).json()["connections"]
    answer = await tenant.http.post(f"/erp-connections/{made['id']}/test")
    assert answer.status_code == 200, answer.text
    result = answer.json()
    assert result["ok"] is True
    assert {step["name"] for step in result["steps"]} >= {"write", "rename", "read_back", "delete"}
    assert list(tenant.dropzone.iterdir()) == []
    [after] = (await tenant.http.get("/erp-connections")).json()["connections"]
    assert after["last_test_result"]["ok"] is True
    await tenant.wait_audit(1, action="CONNECTION_TESTED")


async def test_a_failed_test_is_424_with_the_reason(tenant: Tenant) -> None:
    """The folder is not there: which step, and why."""
    [made] = (await tenant.http.get("/erp-connections")).json()["connections"]
    tenant.dropzone.rmdir()
    answer = await tenant.http.post(f"/erp-connections/{made['id']}/test")
    problem = assert_problem(answer, 424, "CONNECTION_TEST_FAILED", failure="PATH_MISSING")
    assert problem["detail"]
    tenant.dropzone.mkdir()


async def test_a_failed_test_on_save_saves_nothing(system: System) -> None:
    """Better no connection than one that cannot deliver."""
    async with system.tenant(connected=False) as tenant:
        missing = body(tenant.dropzone / "missing", test_on_save=True)
        answer = await tenant.http.post("/erp-connections", json=missing)
        assert_problem(answer, 424, "CONNECTION_TEST_FAILED")
        assert (await tenant.http.get("/erp-connections")).json()["connections"] == []
        answer = await tenant.http.post(
            "/erp-connections", json=body(tenant.dropzone, test_on_save=True)
        )
        assert answer.status_code == 201, answer.text


async def test_secrets_are_written_and_never_read_back(tenant: Tenant) -> None:
    """Not in replies, not in the trail; their names only."""
    [made] = (await tenant.http.get("/erp-connections")).json()["connections"]
    answer = await tenant.http.patch(
        f"/erp-connections/{made['id']}",
        json={"name": "Renamed", "secrets": {"password": "hunter2!"}},
    )
    assert answer.status_code == 200, answer.text
    assert answer.json()["secret_names"] == ["password"]
    assert answer.json()["name"] == "Renamed"
    [event] = await tenant.wait_audit(1, action="CONNECTION_CHANGED")
    listed = await tenant.http.get("/erp-connections")
    for text in (answer.text, listed.text, str(event)):
        assert "hunter2!" not in text
    for process in tenant.system.processes.values():
        assert "hunter2!" not in process.log.read_text()


async def test_a_disabled_connection_takes_no_push(tenant: Tenant) -> None:
    """And another can then be made."""
    [made] = (await tenant.http.get("/erp-connections")).json()["connections"]
    answer = await tenant.http.post(f"/erp-connections/{made['id']}/disable")
    assert (answer.status_code, answer.json()["status"]) == (200, "DISABLED")
    draft = await tenant.approved()
    assert_problem(await tenant.push(draft["id"]), 400, "NO_ACTIVE_CONNECTION")
    assert (
        await tenant.http.post("/erp-connections", json=body(tenant.dropzone))
    ).status_code == 201
    await tenant.wait_audit(1, action="CONNECTION_DISABLED")


async def test_a_connection_of_nobody_is_404(tenant: Tenant) -> None:
    """For each act."""
    path = f"/erp-connections/{uuid4()}"
    for answer in (
        await tenant.http.get(path),
        await tenant.http.patch(path, json={"name": "x"}),
        await tenant.http.post(f"{path}/test"),
        await tenant.http.post(f"{path}/disable"),
    ):
        assert_problem(answer, 404, "CONNECTION_NOT_FOUND")
