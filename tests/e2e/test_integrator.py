"""A new integrator, with docs/connectors.md as the only guide: each of its commands is run here."""

import base64
import json
import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio
from guide import Block, Shell, blocks
from system import System
from tenant import Tenant
from waiting import eventually

from countersign_core.connector_schemas import connector_schema
from countersign_core.roles import Role
from countersign_export_worker.testing.erp_server import (
    Certificates,
    ErpServer,
    answering,
    make_certificates,
    swallow,
)
from countersign_platform.testing.sshd_server import SshdServer

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).parents[2]
QUICK = {"first_delay_seconds": 0.2, "longest_delay_seconds": 0.4}


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("certificates"))


@pytest_asyncio.fixture(loop_scope="session")
async def erp(certificates: Certificates) -> AsyncIterator[ErpServer]:
    server = ErpServer(certificates.server)
    await server.start()
    yield server
    await server.stop()


class Integrator:
    """Reads the guide from top to bottom and does what it says, in this place instead of that."""

    def __init__(self, system: System, tenant: Tenant, folder: Path, **places: Any) -> None:
        self.system = system
        self.tenant = tenant
        self.folder = folder
        self.ran: list[Block] = []
        self.settings: dict[str, dict[str, Any]] = {}
        self.places = places
        environment = {k: v for k, v in os.environ.items() if not k.startswith("COUNTERSIGN_")}
        environment |= {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "COUNTERSIGN_URL": system.url(),
            "COUNTERSIGN_TOKEN": system.token(tenant.org, Role.ADMIN, subject="ada"),
            "COUNTERSIGN_SECRET_KEYS_FILE": str(system.keys / "secret_keys"),
            "PUSH_DATABASE_URL": system.database_urls["push"],
            "COLUMNS": "200",
        }
        self.shell = Shell(folder, environment)

    async def read(self, heading: str, *, stop_at: int | None = None, start: int = 0) -> str:
        """Write the section's files and run its commands; what they print."""
        printed = ""
        for block in [each for each in blocks() if each.heading == heading][start:stop_at]:
            if block.language == "json":
                self._write(block)
            elif block.language == "bash":
                text = block.text
                for there, here in self.places.get("words", {}).items():
                    text = text.replace(there, here)
                printed += await self.shell.run(text)
                self.ran.append(block)
            elif block.language == "python":
                (self.folder / block.title).write_text(block.text)
        return printed

    def _write(self, block: Block) -> None:
        settings = json.loads(block.text)
        settings |= {
            key: value
            for key, value in self.places.get(block.title, {}).items()
            if key in settings or key != "port"
        }
        self.settings[block.title] = settings
        (self.folder / block.title).write_text(json.dumps(settings))

    async def variable(self, name: str) -> str:
        return (await self.shell.run(f'echo "${name}"')).strip()

    async def connection(self, variable: str) -> dict[str, Any]:
        path = f"/erp-connections/{await self.variable(variable)}"
        return (await self.tenant.http.get(path)).json()  # type: ignore[no-any-return]

    async def push(self) -> dict[str, Any]:
        draft = await self.tenant.approved()
        answer = await self.tenant.push(draft["id"])
        assert answer.status_code == 200, answer.text
        return {"draft": draft["id"], "id": answer.json()["erp_export_id"]}

    async def delivered(self) -> dict[str, Any]:
        export = await self.push()
        await self.tenant.wait_status(export["draft"], "PUSHED")
        return export

    async def held(self) -> dict[str, Any]:
        export = await self.push()

        async def is_held() -> bool:
            found = (await self.tenant.http.get("/erp-exports", params={"held": True})).json()
            return export["id"] in [each["id"] for each in found["exports"]]

        await eventually(is_held, what="the export is held")
        return export


@pytest.fixture
async def integrator(
    start_system: Any,
    sshd: SshdServer,
    erp: ErpServer,
    certificates: Certificates,
    tmp_path: Path,
) -> AsyncIterator[Integrator]:
    system = await start_system(
        settings={
            "COUNTERSIGN_ACK_INTERVAL_SECONDS": "0.5",
            "COUNTERSIGN_ACK_ASK_SECONDS": "0.2",
        }
    )
    work = tmp_path / "integrator"
    work.mkdir()
    (work / "erp_key").write_text(sshd.private_key.read_text())
    (work / "new_erp_key").write_text(sshd.private_key.read_text())
    folders = {"export_path": str(tmp_path / "in"), "ack_path": str(tmp_path / "answers")}
    for folder in folders.values():
        Path(folder).mkdir()
    server = {
        "host": sshd.host,
        "port": sshd.port,
        "username": sshd.username,
        "export_path": str(sshd.make_folder(f"outbound-{uuid4().hex[:8]}")),
    }
    async with system.tenant(connected=False) as tenant:
        person = Integrator(
            system,
            tenant,
            work,
            words={"sftp.erp.example": sshd.host, "-p 22": f"-p {sshd.port}"},
            **{
                "folder.json": folders,
                "sftp.json": server | {"host_keys": [sshd.host_keys[0]]},
                "sftp-rotation.json": server
                | {"host_keys": [sshd.host_keys[0], sshd.prepare_host_key()]},
                "http.json": {
                    "url": erp.url,
                    "timeout_seconds": 1,
                    "allow_private_addresses": True,
                    "tls_ca": certificates.authority,
                },
                "terms.json": QUICK,
            },
        )
        yield person
        await person.shell.close()


async def test_the_guide_from_top_to_bottom(
    integrator: Integrator, sshd: SshdServer, erp: ErpServer
) -> None:
    """Folder, SFTP, HTTP, limits, retries, pause, held exports, answers, keys: as written."""
    assert "DROPZONE_JSON_V1" in await integrator.read("Part A: connections")
    await _folder_with_answers(integrator)
    await _sftp(integrator, sshd)
    await _http(integrator, erp)
    await integrator.read("Limits of a connection")
    assert (await integrator.connection("HTTP"))["terms"]["max_attempts"] == 20
    await _retries(integrator, erp)
    assert "PAUSED" in await integrator.read("Pause and resume")
    assert (await integrator.connection("HTTP"))["status"] == "ACTIVE"
    await _held(integrator, erp)
    await integrator.read("The ERP's answers (acks)")
    await _keys(integrator)

    commands = [each for each in blocks() if each.language == "bash" and each.title != "plugin"]
    assert {each.text for each in integrator.ran} == {each.text for each in commands}


async def _folder_with_answers(integrator: Integrator) -> None:
    assert "✓" in await integrator.read("A folder")
    assert (await integrator.connection("FOLDER"))["last_test_result"]["ok"]
    config = integrator.settings["folder.json"]
    place, acks = Path(config["export_path"]), Path(config["ack_path"])
    files = {each.title: each.text for each in blocks() if each.title.endswith("sales_order.json")}

    export = await integrator.delivered()
    [document] = place.glob("*.json")
    assert (place / f"{document.name}.ok").exists()
    (acks / f"ack_{document.name}").write_text(files["ack_sales_order.json"])
    await _status(integrator, export["id"], "ACKED", erp_order_id="4711")

    export = await integrator.delivered()
    [document] = set(place.glob("*.json")) - {document}
    (acks / f"error_{document.name}").write_text(files["error_sales_order.json"])
    failed = await _status(integrator, export["id"], "FAILED")
    assert failed["error"]["code"] == "UNKNOWN_SKU"


async def _sftp(integrator: Integrator, sshd: SshdServer) -> None:
    assert "SHA256:" in await integrator.read("An SFTP server")
    scanned = (integrator.folder / "host_key.pub").read_text().split()
    assert scanned[:2] == sshd.host_keys[0].split()[:2]
    made = await integrator.connection("SFTP")
    assert made["secret_names"] == ["private_key"]
    assert made["name"] == "SFTP of the ERP"
    assert len(made["config"]["host_keys"]) == 2
    await integrator.delivered()
    assert list(Path(made["config"]["export_path"]).glob("sales_order_*.json"))


async def _http(integrator: Integrator, erp: ErpServer) -> None:
    await integrator.read("An HTTP endpoint")
    assert (await integrator.connection("HTTP"))["secret_names"] == ["hmac_secret"]
    await integrator.delivered()
    [order] = erp.orders
    spoken = order.headers["x-countersign-signature"], order.headers["idempotency-key"]
    assert _verifies(integrator.folder, *spoken, order.body)
    assert not _verifies(integrator.folder, *spoken, order.body + b" ")


async def _retries(integrator: Integrator, erp: ErpServer) -> None:
    """Put off for an hour by the ERP; tried at once, and taken back, by an operator."""
    erp.behave = answering(503, Retry_After="3600")
    waiting, unwanted = await integrator.push(), await integrator.push()

    async def put_off() -> bool:
        listed = (await integrator.tenant.http.get("/erp-exports?retrying=true")).json()["exports"]
        return {waiting["id"], unwanted["id"]} <= {each["id"] for each in listed}

    await eventually(put_off, what="both exports are put off")
    erp.behave = answering(201)
    await integrator.shell.run(f"WAITING={waiting['id']}; UNWANTED={unwanted['id']}")
    assert waiting["id"] in await integrator.read("Retries")
    await integrator.tenant.wait_status(waiting["draft"], "PUSHED")
    await integrator.tenant.wait_status(unwanted["draft"], "ERROR")
    assert [order.headers["idempotency-key"] for order in erp.orders].count(unwanted["id"]) == 1


async def _held(integrator: Integrator, erp: ErpServer) -> None:
    erp.behave = swallow
    there, not_there = await integrator.held(), await integrator.held()
    posts = len(erp.orders)
    erp.behave = answering(201)
    await integrator.shell.run(f"EXPORT={there['id']}; OTHER_EXPORT={not_there['id']}")
    assert there["id"] in await integrator.read("Held exports", stop_at=2)
    await integrator.tenant.wait_status(there["draft"], "PUSHED")
    await _nobody_looks_at(integrator, not_there["id"])
    await integrator.read("Held exports", start=2)
    await integrator.tenant.wait_status(not_there["draft"], "ERROR")
    assert len(erp.orders) == posts
    events = await integrator.tenant.wait_audit(2, action="EXPORT_RESOLVED")
    assert {event["actor_user_id"] for event in events} == {"ada"}


async def _keys(integrator: Integrator) -> None:
    """A new key in front; everything sealed anew; then the old key is gone for good."""
    ring = integrator.system.keys / "secret_keys"
    new = "k2:" + base64.b64encode(secrets.token_bytes(32)).decode()
    ring.write_text(f"{new},{ring.read_text()}")
    await _restart_push(integrator.system)
    printed = await integrator.read("Secrets and their keys")
    assert "No old key is needed any more." in printed
    ring.write_text(new)
    await _restart_push(integrator.system)
    path = f"/erp-connections/{await integrator.variable('HTTP')}/resume"

    async def resumed() -> bool:
        # Refused with 503 until the gateway has found push again.
        return (await integrator.tenant.http.post(path, json={})).status_code == 200

    await eventually(resumed, what="the connection is resumed")
    await integrator.delivered()


async def _status(
    integrator: Integrator, export_id: str, status: str, **fields: Any
) -> dict[str, Any]:
    async def look() -> dict[str, Any] | None:
        found = (await integrator.tenant.http.get(f"/erp-exports/{export_id}")).json()
        return found if found["status"] == status else None

    found = await eventually(look, what=f"{export_id} is {status}")
    assert {key: found[key] for key in fields} == fields
    return found  # type: ignore[no-any-return]


async def _nobody_looks_at(integrator: Integrator, export_id: str) -> None:
    """While it is paused, no worker takes the export up again."""
    path = f"/erp-connections/{await integrator.variable('HTTP')}/pause"
    assert (await integrator.tenant.http.post(path, json={})).status_code == 200

    async def is_free() -> bool:
        found = (await integrator.tenant.http.get(f"/erp-exports/{export_id}")).json()
        return found["next_attempt_at"] is not None

    await eventually(is_free, what="no worker has the export")


def _verifies(folder: Path, signature: str, key: str, body: bytes) -> bool:
    """By the code in the guide, with the secret that the guide's commands made."""
    code = (
        "import sys; from verify import verifies; secret = open('hmac_secret').read().strip();"
        "sys.exit(not verifies(secret, sys.argv[1], sys.argv[2], sys.stdin.buffer.read()))"
    )
    command = [sys.executable, "-c", code, signature, key]
    return subprocess.run(command, cwd=folder, input=body, check=False).returncode == 0


async def _restart_push(system: System) -> None:
    [push] = system.named("push")
    assert await push.stop() == 0
    await push.start()
    await push.ready()


def test_the_guides_plug_in_is_the_example(tmp_path: Path) -> None:
    """Its code, its entry point and its tests stand in the guide as they are, and they work."""
    shown = [each for each in blocks() if each.title.startswith("examples/")]
    assert len(shown) == 3
    for block in shown:
        assert block.text == (ROOT / block.title).read_text(), block.title
        place = tmp_path / block.title
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(block.text)
    package = "src/countersign_connector_line"
    for name in ("line_server.py", "py.typed"):
        source = ROOT / "examples/connector-line" / package / name
        shutil.copy(source, tmp_path / "examples/connector-line" / package / name)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    environment = os.environ | {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(tmp_path / "examples/connector-line/src"),
    }
    for block in blocks():
        if block.title == "plugin":
            run = subprocess.run(
                ["bash", "-e", "-c", block.text],
                cwd=tmp_path,
                env=environment,
                capture_output=True,
                text=True,
                check=False,
            )
            assert run.returncode == 0, run.stdout + run.stderr
    assert len(list((tmp_path / "dist").glob("*.whl"))) == 1


@pytest.mark.parametrize(
    ("connector_type", "heading"),
    [
        ("DROPZONE_JSON_V1", "Settings of a dropzone"),
        ("HTTP_JSON_V1", "Settings of HTTP_JSON_V1"),
    ],
)
def test_every_setting_stands_in_the_guide_with_its_default(
    connector_type: str, heading: str
) -> None:
    guide = (ROOT / "docs/connectors.md").read_text()
    section = guide.split(f"### {heading}\n")[1].split("\n#")[0]
    rows = {
        row.split("|")[1].strip().strip("`"): row.split("|")[2].strip().strip("`")
        for row in section.splitlines()
        if row.startswith("| `")
    }
    schema = connector_schema(connector_type)
    settings = schema["properties"] | schema.get("then", {}).get("properties", {})
    assert rows.keys() == settings.keys()
    for name, setting in settings.items():
        if "default" in setting:
            assert json.loads(rows[name]) == setting["default"], name


def test_every_failure_stands_in_the_guide() -> None:
    """Whatever code a connector can end with, an integrator can look it up."""
    guide = (ROOT / "docs/connectors.md").read_text()
    errors = ROOT / "services/export-worker/src/countersign_export_worker/errors.py"
    listed = errors.read_text().split("Codes: ")[1].split(".\n")[0]
    missing = [code for code in listed.replace("\n", " ").split(", ") if f"`{code}`" not in guide]
    assert missing == []
