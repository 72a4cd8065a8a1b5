"""Every kind of connection, made in the browser and used from it; what became of the deliveries."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio
from browser import Operator, People
from draft_page import ask, open_draft, status
from example_connector import install_example
from playwright.async_api import Page, expect
from system import Process, System
from tenant import Tenant
from waiting import eventually

from countersign_export_worker.testing.erp_server import ErpServer, swallow
from countersign_platform.testing.ports import HOST, free_ports
from countersign_platform.testing.sshd_server import SshdServer


@pytest_asyncio.fixture(loop_scope="session")
async def erp() -> AsyncIterator[ErpServer]:
    async with ErpServer() as server:
        yield server


@pytest.fixture
async def unconnected(console_system: System) -> AsyncIterator[Tenant]:
    """A new org without a connection."""
    async with console_system.tenant(connected=False) as made:
        yield made


@pytest.fixture
async def ada(people: People, unconnected: Tenant) -> AsyncIterator[Operator]:
    """An administrator of that org."""
    async with people(role="ADMIN", subject="ada", org=unconnected.org) as person:
        yield person


async def connect(tenant: Tenant, **body: Any) -> dict[str, Any]:
    answer = await tenant.http.post("/erp-connections", json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()  # type: ignore[no-any-return]


async def connect_http(tenant: Tenant, erp: ErpServer, **config: Any) -> dict[str, Any]:
    settings = {"url": erp.url, "allow_insecure": True, "allow_private_addresses": True}
    return await connect(
        tenant,
        name="HTTP",
        connector_type="HTTP_JSON_V1",
        config=settings | config,
        secrets={"hmac_secret": "the-secret-of-this-year"},
        terms={"first_delay_seconds": 0.2, "longest_delay_seconds": 0.4},
    )


async def push(page: Page, through: str = "") -> None:
    dialog = await ask(page, "Push", title="Push this order to the ERP?")
    if through:
        await expect(dialog.get_by_role("button", name="Push")).to_be_disabled()
        await dialog.get_by_text(through, exact=True).click()
    await dialog.get_by_role("button", name="Push").click()
    await expect(dialog).to_have_count(0)


async def test_an_sftp_server_is_connected_tested_and_delivered_to(
    ada: Operator, unconnected: Tenant, sshd: SshdServer
) -> None:
    """A wrong folder is told step by step; mended, it is saved, tested again and used."""
    folder = sshd.make_folder(f"drop-{uuid4().hex[:8]}")
    page = await ada.open("/connections/new")
    await page.get_by_text("An SFTP server").click()
    await page.get_by_label("Name", exact=True).fill("SFTP")
    await page.get_by_label("Server", exact=True).fill(sshd.host)
    await page.get_by_label("Port", exact=True).fill(str(sshd.port))
    await page.get_by_label("User name").fill(sshd.username)
    await page.get_by_label("Host keys of the server").fill(sshd.host_keys[0])
    await page.get_by_label("Private key", exact=True).fill(sshd.private_key.read_text())
    await page.get_by_label("Folder for orders").fill(f"{folder}-that-is-not-there")
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("alert")).to_contain_text("The dropzone's folder does not exist")
    await page.get_by_label("Folder for orders").fill(str(folder))
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("heading", name="SFTP", exact=True)).to_be_visible()
    await page.get_by_role("button", name="Test").click()
    await expect(page.get_by_text("The test passed.")).to_be_visible()
    steps = page.get_by_role("list", name="Steps of the test").get_by_role("listitem")
    await expect(steps.filter(has_text="Rename it")).to_contain_text("Done:")
    await expect(steps.filter(has_text="Check the host key")).to_contain_text("Done:")
    await expect(steps.filter(has_text="_")).to_have_count(0)  # a name without words for it
    await ada.screenshot("connection-sftp")

    draft = await unconnected.approved()
    page = await open_draft(ada, draft)
    await push(page)
    await expect(status(page)).to_have_text("Pushed")
    [delivered] = [each for each in folder.iterdir() if each.name.startswith("sales_order_")]
    assert json.loads(delivered.read_bytes())["draft_order_id"] == draft["id"]


async def test_a_held_export_is_settled_by_an_administrator(
    ada: Operator, unconnected: Tenant, erp: ErpServer
) -> None:
    """The ERP took the order and said nothing: a person looks there, and says what is so."""
    await connect_http(unconnected, erp, timeout_seconds=1)
    erp.behave = swallow
    draft = await unconnected.approved()
    assert (await unconnected.push(draft["id"])).status_code == 200
    page = await open_draft(ada, draft)
    await expect(page.get_by_text("Outcome unknown since").first).to_be_visible()
    await page.get_by_role("button", name="Settle by hand").click()
    dialog = page.get_by_role("dialog", name="Settle what nobody knows?")
    settle = dialog.get_by_role("button", name="Settle by hand")
    await dialog.get_by_label("Reason").fill("order 4711 is in the ERP")
    await expect(settle).to_be_disabled()
    await dialog.get_by_text("Yes, it has it").click()
    await ada.check_accessibility()
    await ada.screenshot("draft-settle")
    await settle.click()
    await expect(status(page)).to_have_text("Pushed")
    [event] = await unconnected.wait_audit(1, draft_order_id=draft["id"], action="EXPORT_RESOLVED")
    assert event["after"]["reason"] == "order 4711 is in the ERP"
    assert event["actor_user_id"] == "ada"
    assert len(erp.orders) == 1


async def test_the_erps_answer_is_shown(ada: Operator, unconnected: Tenant) -> None:
    """The order's number there, as soon as the ERP has filed its answer."""
    acks = unconnected.dropzone / "answers"
    acks.mkdir()
    config = {
        "transport": "folder",
        "export_path": str(unconnected.dropzone),
        "ack_path": str(acks),
    }
    await connect(
        unconnected,
        name="folder",
        connector_type="DROPZONE_JSON_V1",
        config=config,
        terms={"ack_poll_seconds": 1},
    )
    draft = await unconnected.approved()
    page = await open_draft(ada, draft)
    await push(page)
    await expect(status(page)).to_have_text("Pushed")
    [path] = unconnected.files()
    answer = acks / f".{path.name}"
    answer.write_text(json.dumps({"erp_order_id": "SO-4711"}))
    answer.rename(acks / f"ack_{path.name}")
    exports = page.get_by_role("region", name="Exports")
    await expect(exports).to_contain_text("Acknowledged", timeout=90_000)
    await expect(exports).to_contain_text("SO-4711")
    await ada.check_accessibility()
    await ada.screenshot("draft-acknowledged")


async def test_who_has_several_connections_chooses_one(
    people: People, tenant: Tenant, erp: ErpServer
) -> None:
    """From the connections' page, whose answer the dialog shares."""
    await connect_http(tenant, erp)
    draft = await tenant.approved()
    async with people() as olga:
        page = await olga.open("/connections")
        await expect(page.get_by_role("link", name="HTTP", exact=True)).to_be_visible()
        await page.get_by_role("link", name="Draft orders").click()
        await page.get_by_role("link", name=draft["external_ref"]).click()
        await push(page, through="HTTP")
        await expect(status(page)).to_have_text("Pushed")
    assert len(erp.orders) == 1
    assert tenant.files() == []


async def test_a_server_that_is_left_alone_says_so(
    ada: Operator, unconnected: Tenant, sshd: SshdServer
) -> None:
    """After failures in a row: on the connection's page, in the list, and why."""
    made = await connect(
        unconnected,
        name="dead",
        connector_type="DROPZONE_JSON_V1",
        config={
            "transport": "sftp",
            "host": HOST,
            "port": free_ports(1)[0],
            "username": "u",
            "host_keys": [sshd.host_keys[0]],
            "export_path": "/drop",
        },
        secrets={"password": "p"},
        terms={"first_delay_seconds": 0.1, "longest_delay_seconds": 0.2},
    )
    draft = await unconnected.approved()
    assert (await unconnected.push(draft["id"])).status_code == 200
    page = await ada.open(f"/connections/{made['id']}")
    health = page.get_by_text("Left alone after failures").or_(
        page.get_by_text("Being tried again")
    )
    await expect(health.first).to_be_visible(timeout=90_000)
    await expect(page.get_by_text("The ERP's server cannot be reached").first).to_be_visible()
    await ada.check_accessibility()
    await ada.screenshot("connection-dead")


@pytest.fixture
async def line_erp(
    console_system: System, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Any]:
    """The example's own ERP, and one more worker, which has the example connector."""
    wheels, plugins = tmp_path / "wheels", tmp_path / "plugins"
    install_example(wheels, plugins)
    monkeypatch.syspath_prepend(str(plugins))
    from countersign_connector_line.line_server import LineServer  # noqa: PLC0415

    like = console_system.processes["worker-1"].environment
    probe = free_ports(1)[0]
    environment = like | {
        "PYTHONPATH": str(plugins),
        "COUNTERSIGN_PROBE_LISTEN": f"{HOST}:{probe}",
    }
    worker = Process("worker-line", environment, console_system.folder, 0, probe)
    server = LineServer()
    await server.start()
    try:
        async with worker.running():
            yield server
    finally:
        await server.stop()


async def test_a_plug_ins_form_is_made_from_what_it_says_of_itself(
    ada: Operator, unconnected: Tenant, line_erp: Any
) -> None:
    """Its settings, its refusals, and a delivery through it."""

    async def announced() -> bool:
        known = (await unconnected.http.get("/erp-connectors")).json()["connectors"]
        return any(each["connector_type"] == "LINE_JSON_V1" for each in known)

    await eventually(announced, what="the worker announced the plug-in")
    page = await ada.open("/connections/new")
    await page.get_by_text("One document per order over a line protocol").click()
    await page.get_by_label("Name", exact=True).fill("Line")
    await page.get_by_label("Server", exact=True).fill(HOST)
    await page.get_by_label("Port", exact=True).fill("a port")
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_label("Port", exact=True)).to_have_attribute("aria-invalid", "true")
    await page.get_by_label("Port", exact=True).fill("99999")
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_label("Port", exact=True)).to_have_attribute("aria-invalid", "true")
    await page.get_by_label("Port", exact=True).fill(str(line_erp.port))
    await ada.check_accessibility()
    await ada.screenshot("connection-plug-in")
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("heading", name="Line", exact=True)).to_be_visible()
    page = await open_draft(ada, await unconnected.approved())
    await push(page)
    await expect(status(page)).to_have_text("Pushed")
    assert len(line_erp.received) == 1


_FOCUSED = """() => {
  const it = document.activeElement;
  return [it.id || it.name, it.tagName, (it.labels?.[0] ?? it).innerText?.split('\\n')[0] ?? ''];
}"""
_CONTROLS = """() => [...document.querySelectorAll(
  'main form :is(input:not([type=radio],[type=hidden]), textarea, select, button)'
)].filter(it => it.checkVisibility() && !it.disabled && it.tabIndex >= 0).length"""


async def test_the_whole_form_is_filled_in_by_keyboard(ada: Operator, unconnected: Tenant) -> None:
    """Tab reaches each control once, in the order of the page, and Enter saves."""
    page = await ada.open("/connections/new")
    typed = {"Name": "By keyboard", "Folder for orders": str(unconnected.dropzone)}
    await page.get_by_label("Name", exact=True).focus()
    reached: list[str] = []
    while True:
        name, tag, label = await page.evaluate(_FOCUSED)
        if await page.evaluate("document.activeElement.closest('main form') !== null"):
            reached.append(name)
        if label in typed:
            await page.keyboard.type(typed.pop(label))
        if tag == "BUTTON" and label == "Save":
            break
        assert len(reached) < 80, reached
        await page.keyboard.press("Tab")
    assert not typed
    assert len(reached) >= await page.evaluate(_CONTROLS)
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="By keyboard", exact=True)).to_be_visible()
