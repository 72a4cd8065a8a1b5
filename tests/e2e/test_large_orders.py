"""Large orders over the whole path: submitted, approved, pushed, delivered, archived, read."""

import asyncio
import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from problems import assert_problem, fields
from system import System
from tenant import Tenant, order
from waiting import eventually

from countersign_platform.testing.sshd_server import SshdServer

pytestmark = pytest.mark.e2e


def lines(count: int, description: str) -> list[dict[str, Any]]:
    return [
        {
            "line_no": number,
            "internal_sku": f"SKU-{number:06}",
            "qty": "12.500",
            "uom": "ST",
            "unit_price": "4.15",
            "customer_sku_raw": f"customer's article {number}",
            "description": description,
        }
        for number in range(1, count + 1)
    ]


# 500 lines as orders have them; 10 MB as long texts; 10 MB as very many lines.
SIZES = {
    "500 lines": (lines(500, "WHITE HANGING HEART T-LIGHT HOLDER, 12 PIECES"), 100_000),
    "10 MB": (lines(10_000, "ä" * 450), 10_000_000),
    "50000 lines": (lines(50_000, "RED WOOLLY HOTTIE WHITE HEART"), 10_000_000),
}


async def sftp(tenant: Tenant, sshd: SshdServer, folder: Path) -> None:
    config = {
        "transport": "sftp",
        "host": sshd.host,
        "port": sshd.port,
        "username": sshd.username,
        "host_keys": [sshd.host_keys[0]],
        "export_path": str(folder),
    }
    secrets = {"private_key": sshd.private_key.read_text()}
    body = {
        "name": "SFTP",
        "connector_type": "DROPZONE_JSON_V1",
        "config": config,
        "secrets": secrets,
    }
    answer = await tenant.http.post("/erp-connections", json=body)
    assert answer.status_code == 201, answer.text


async def delivered_export(tenant: Tenant) -> dict[str, Any]:
    async def look() -> dict[str, Any] | None:
        [export] = (await tenant.http.get("/erp-exports")).json()["exports"]
        return export if export["status"] == "SENT" else None

    return await eventually(look, seconds=120, what="delivered")  # type: ignore[no-any-return]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("transport", ["folder", "sftp"])
async def test_large_order_is_delivered_whole_and_kept(
    system: System, sshd: SshdServer, transport: str, size: str
) -> None:
    """Every line with every digit, in the dropzone as in the archive."""
    wanted, least_bytes = SIZES[size]
    async with system.tenant(connected=transport == "folder") as tenant:
        folder = tenant.dropzone
        if transport == "sftp":
            folder = sshd.make_folder(f"large-{uuid4().hex[:8]}")
            await sftp(tenant, sshd, folder)
        draft = await tenant.approved(lines=wanted)
        assert (await tenant.push(draft["id"])).status_code == 200
        export = await delivered_export(tenant)
        [file] = [each for each in folder.iterdir() if each.name.startswith("sales_order_")]
        data = file.read_bytes()
        assert len(data) > least_bytes
        arrived = json.loads(data)["lines"]
        assert [{name: line[name] for name in wanted[0]} for line in arrived] == wanted
        answer = await tenant.http.get(f"/erp-exports/{export['id']}/document")
        assert answer.status_code == 200, answer.text
        assert answer.content == data


async def test_order_beyond_what_can_be_delivered_is_refused_at_the_door(tenant: Tenant) -> None:
    """400 with the size, before anybody approves it."""
    answer = await tenant.http.post("/draft-orders", json=order(lines=lines(20_000, "x" * 1000)))
    problem = assert_problem(answer, 400, "VALIDATION_FAILED")
    assert fields(problem) == {"content"}
    assert "at most 16777216 can be delivered" in json.dumps(problem)


async def test_others_are_answered_while_a_large_order_is_taken_in(tenant: Tenant) -> None:
    """No process gives all of its time to one caller."""
    small = await tenant.submit()
    body = json.dumps(order(lines=lines(50_000, "RED WOOLLY HOTTIE")))
    large = asyncio.create_task(
        tenant.http.post(
            "/draft-orders", content=body, headers={"Content-Type": "application/json"}
        )
    )
    answered = 0
    while not large.done():
        assert (await tenant.http.get(f"/draft-orders/{small['id']}")).is_success
        answered += 1
    assert (await large).status_code == 201
    assert answered >= 5
