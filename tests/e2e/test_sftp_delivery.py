"""An SFTP dropzone end to end: REST, push, worker, a real OpenSSH server."""

import asyncio
import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from problems import assert_problem
from system import System
from tenant import Tenant
from waiting import eventually

from countersign_platform.testing.sshd_server import SshdServer

pytestmark = pytest.mark.e2e


def sftp_body(sshd: SshdServer, folder: Path, **changes: Any) -> dict[str, Any]:
    """A connection with everything that an integrator would set."""
    config = {
        "transport": "sftp",
        "host": sshd.host,
        "port": sshd.port,
        "username": sshd.username,
        "host_keys": [sshd.host_keys[0]],
        "export_path": str(folder),
    }
    return {
        "name": "SFTP",
        "connector_type": "DROPZONE_JSON_V1",
        "config": config | changes.pop("config", {}),
        "secrets": {"private_key": sshd.private_key.read_text()},
        "test_on_save": True,
    } | changes


@pytest.fixture
def folder(sshd: SshdServer) -> Path:
    return sshd.make_folder(f"drop-{uuid4().hex[:8]}")


async def connected(tenant: Tenant, body: dict[str, Any]) -> dict[str, Any]:
    answer = await tenant.http.post("/erp-connections", json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()  # type: ignore[no-any-return]


def visible(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.name.startswith("sales_order_"))


async def test_an_order_arrives_over_sftp_once(
    system: System, sshd: SshdServer, folder: Path
) -> None:
    """Tested when saved, delivered with a done-file, nothing else left; the bytes can be read."""
    async with system.tenant(connected=False) as tenant:
        made = await connected(tenant, sftp_body(sshd, folder, config={"done_file": ".ok"}))
        assert made["last_test_result"]["ok"]
        assert "private_key" in made["secret_names"]
        draft = await tenant.approved()
        await tenant.push(draft["id"])
        await tenant.wait_status(draft["id"], "PUSHED")
        names = [path.name for path in visible(folder)]
        [final] = [name for name in names if name.endswith(".json")]
        assert names == [final, f"{final}.ok"]
        [export] = (await tenant.http.get("/erp-exports")).json()["exports"]
        document = await tenant.http.get(f"/erp-exports/{export['id']}/document")
        assert document.content == (folder / final).read_bytes()
        assert document.headers["x-document-sha256"] == export["document_sha256"]
        hidden = {path.name for path in folder.iterdir()} - set(names)
        assert hidden <= {".countersign-place"}


async def test_a_server_with_another_host_key_is_refused_by_its_fingerprint(
    system: System, sshd: SshdServer, folder: Path
) -> None:
    """424 with HOST_KEY_MISMATCH; nothing is saved."""
    stranger = sshd.prepare_host_key()
    async with system.tenant(connected=False) as tenant:
        body = sftp_body(sshd, folder, config={"host_keys": [stranger]})
        answer = await tenant.http.post("/erp-connections", json=body)
        problem = assert_problem(answer, 424, "CONNECTION_TEST_FAILED")
        assert problem["failure"] == "HOST_KEY_MISMATCH"
        assert "SHA256:" in problem["detail"]
        assert (await tenant.http.get("/erp-connections")).json() == {"connections": []}


async def test_a_connection_without_a_way_to_log_in_is_refused(
    system: System, sshd: SshdServer, folder: Path
) -> None:
    """Before anything is tried."""
    async with system.tenant(connected=False) as tenant:
        answer = await tenant.http.post(
            "/erp-connections", json=sftp_body(sshd, folder, secrets={})
        )
        assert_problem(answer, 400, "VALIDATION_FAILED")


async def test_the_erps_answer_is_read_over_sftp(
    start_system: Any, sshd: SshdServer, folder: Path
) -> None:
    """By its export_id, though the ERP gave the answer a name of its own choice of file."""
    acks = sshd.make_folder(f"acks-{uuid4().hex[:8]}")
    settings = {
        "COUNTERSIGN_ACK_INTERVAL_SECONDS": "0.5",
        "COUNTERSIGN_ACK_ASK_SECONDS": "0.2",
    }
    system = await start_system(settings=settings)
    async with system.tenant(connected=False) as tenant:
        await connected(tenant, sftp_body(sshd, folder, config={"ack_path": str(acks)}))
        draft = await tenant.approved()
        await tenant.push(draft["id"])
        await tenant.wait_status(draft["id"], "PUSHED")
        [export] = (await tenant.http.get("/erp-exports")).json()["exports"]
        answer = acks / "ack_order-received.json"
        answer.write_text(json.dumps({"erp_order_id": "4711", "export_id": export["id"]}))
        sshd.give(answer)

        async def acked() -> bool:
            found = (await tenant.http.get(f"/erp-exports/{export['id']}")).json()
            return (found["status"], found["erp_order_id"]) == ("ACKED", "4711")

        await eventually(acked, what="ACKED")
        filed = acks / "processed" / answer.name
        await eventually(lambda: _exists(filed), what="the answer is filed away")


async def _exists(path: Path) -> bool:
    return path.exists()


async def test_what_waits_for_a_dead_server_can_be_cancelled_or_tried_at_once(
    system: System, sftp_account: Any
) -> None:
    """The server is down: one export is taken back; the other is expedited when it is up."""
    server = SshdServer(sftp_account)
    with server:
        folder = server.make_folder("drop")
        async with system.tenant(connected=False) as tenant:
            terms = {"first_delay_seconds": 3000, "longest_delay_seconds": 3600}
            await connected(tenant, sftp_body(server, folder, terms=terms))
            server.stop()
            first, second = await tenant.approved_many(2)
            for draft in (first, second):
                await tenant.push(draft)

            async def waiting() -> bool:
                rows = (await tenant.http.get("/erp-exports", params={"retrying": True})).json()
                return len(rows["exports"]) == 2

            await eventually(waiting, what="both wait for another attempt")
            exports = {
                row["draft_order_id"]: row
                for row in (await tenant.http.get("/erp-exports")).json()["exports"]
            }
            assert exports[first]["error"]["code"] == "UNREACHABLE"
            path = f"/erp-exports/{exports[first]['id']}/cancel"
            cancelled = await tenant.http.post(path, json={"reason": "wrong customer"})
            assert cancelled.status_code == 200, cancelled.text
            assert cancelled.json()["error"]["code"] == "CANCELLED"
            await tenant.wait_status(first, "ERROR")
            server.start()
            path = f"/erp-exports/{exports[second]['id']}/expedite"
            assert (await tenant.http.post(path)).status_code == 200
            await tenant.wait_status(second, "PUSHED")
            assert len(visible(folder)) == 1


async def test_a_paused_connection_takes_pushes_and_delivers_when_it_is_resumed(
    tenant: Tenant,
) -> None:
    """Nothing leaves meanwhile, whatever is tried."""
    [connection] = (await tenant.http.get("/erp-connections")).json()["connections"]
    path = f"/erp-connections/{connection['id']}"
    paused = await tenant.http.post(f"{path}/pause", json={"reason": "stock-taking"})
    assert paused.json()["status"] == "PAUSED"
    draft = await tenant.approved()
    assert (await tenant.push(draft["id"])).status_code == 200
    await asyncio.sleep(1.5)  # three looks of push for due work
    assert tenant.files() == []
    assert (await tenant.http.post(f"{path}/resume")).json()["status"] == "ACTIVE"
    await tenant.wait_status(draft["id"], "PUSHED")
    assert len(tenant.files()) == 1
