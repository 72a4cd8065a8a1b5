"""ERP connections in the console: made, tested, mended, paused, disabled."""

from pathlib import Path
from typing import Any

from browser import Operator, People
from playwright.async_api import Locator, Page, expect
from system import System
from tenant import Tenant
from waiting import eventually

# As ssh-keygen makes and prints them.
HOST_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFoX/dKK/RuF9ouiNT2IrR/OSvb12AJ933HfRSBB6+YA erp"
FINGERPRINT = "SHA256:Omazu2AjOH5fYOH9Fe1Toy2dWWTXwE0Gk1g8wnybmBs"


async def connections(tenant: Tenant) -> list[dict[str, Any]]:
    answer = await tenant.http.get("/erp-connections")
    assert answer.status_code == 200, answer.text
    return answer.json()["connections"]  # type: ignore[no-any-return]


async def open_form(person: Operator) -> Page:
    page = await person.open("/connections")
    await page.get_by_role("link", name="New connection").click()
    await expect(page.get_by_label("Name", exact=True)).to_be_visible()
    return page


async def fill_folder(page: Page, folder: Path, name: str = "Main ERP") -> None:
    await page.get_by_label("Name", exact=True).fill(name)
    await page.get_by_label("Folder for orders").fill(str(folder))


def steps(page: Page) -> Locator:
    return page.get_by_role("list", name="Steps of the test").get_by_role("listitem")


async def confirm(page: Page, turn: str, reason: str = "") -> None:
    """Ask for the act, give the reason, confirm."""
    await page.get_by_role("button", name=f"{turn}…").click()
    dialog = page.get_by_role("dialog")
    if reason:
        await dialog.get_by_label("Reason").fill(reason)
    await dialog.get_by_role("button", name=turn, exact=True).click()
    await expect(dialog).to_have_count(0)


async def test_a_folder_is_mended_tested_paused_resumed_and_disabled(
    people: People, console_system: System
) -> None:
    """The whole life of a connection; what a failed test says, and that it saves nothing."""
    async with (
        console_system.tenant(connected=False) as tenant,
        people(role="INTEGRATOR", subject="ines", org=tenant.org) as ines,
    ):
        page = await open_form(ines)
        missing = tenant.dropzone / "missing" / "in"
        await fill_folder(page, missing)
        await page.get_by_role("button", name="Save").click()
        alert = page.get_by_role("alert")
        await expect(alert).to_contain_text("The dropzone's folder does not exist")
        await expect(alert).to_contain_text("Connect")
        assert await connections(tenant) == []

        missing.mkdir(parents=True)
        await page.get_by_role("button", name="Save").click()
        await expect(page.get_by_role("heading", name="Main ERP")).to_be_visible()
        await expect(page.get_by_role("definition").filter(has_text=str(missing))).to_be_visible()

        await page.get_by_role("button", name="Test").click()
        await expect(page.get_by_text("The test passed.")).to_be_visible()
        await expect(steps(page).filter(has_text="Rename it")).to_contain_text("Done:")
        await ines.check_accessibility()
        await ines.screenshot("connection")

        missing.rmdir()
        await page.get_by_role("button", name="Test").click()
        await expect(page.get_by_role("alert")).to_contain_text("Connect")
        await expect(steps(page)).to_have_count(1)
        await expect(steps(page)).to_contain_text("Failed:")

        await confirm(page, "Pause", "ERP maintenance")
        await expect(page.get_by_text("Paused", exact=True)).to_be_visible()
        [paused] = await tenant.wait_audit(1, action="CONNECTION_CHANGED")
        assert "ERP maintenance" in str(paused)
        assert paused["actor_user_id"] == "ines"
        await confirm(page, "Resume")
        await expect(page.get_by_text("Active", exact=True)).to_be_visible()
        await confirm(page, "Disable")
        await expect(page.get_by_text("Disabled", exact=True)).to_be_visible()
        await expect(page.get_by_role("button", name="Pause…")).to_have_count(0)
        [stored] = await connections(tenant)
        assert stored["status"] == "DISABLED"


async def test_what_is_malformed_is_said_beside_its_field(
    people: People, console_system: System
) -> None:
    """The form's own complaints first, then the server's; the first one has the focus."""
    async with (
        console_system.tenant(connected=False) as tenant,
        people(role="ADMIN", org=tenant.org) as ada,
    ):
        page = await open_form(ada)
        await page.get_by_label("Attempts", exact=True).fill("many")
        await page.get_by_role("button", name="Save").click()
        name = page.get_by_label("Name", exact=True)
        await expect(name).to_be_focused()
        await expect(name).to_have_accessible_description("This is needed.")
        attempts = page.get_by_label("Attempts", exact=True)
        await expect(attempts).to_have_attribute("aria-invalid", "true")
        await attempts.fill("")
        await fill_folder(page, Path("relative"))
        await page.get_by_role("button", name="Save").click()
        folder = page.get_by_label("Folder for orders")
        await expect(folder).to_be_focused()
        await expect(page.get_by_text("must be an absolute path")).to_be_visible()
        await ada.check_accessibility()
        assert await connections(tenant) == []


async def test_secrets_are_written_and_never_shown_again(
    people: People, console_system: System
) -> None:
    """Over SFTP: the host key's fingerprint; a secret that is kept, and one that is removed."""
    async with (
        console_system.tenant(connected=False) as tenant,
        people(role="INTEGRATOR", org=tenant.org) as ines,
    ):
        page = await open_form(ines)
        await page.get_by_text("An SFTP server").click()
        await fill_folder(page, Path("/outbound"), "SFTP")
        await page.get_by_label("Server", exact=True).fill("sftp.erp.example")
        await page.get_by_label("User name").fill("countersign")
        await page.get_by_label("Host keys of the server").fill(HOST_KEY)
        await expect(page.get_by_role("list", name="Fingerprints")).to_contain_text(FINGERPRINT)
        secret = "correct horse battery staple"
        password = page.get_by_label("Password", exact=True)
        await expect(password).to_have_attribute("type", "password")
        await password.fill(secret)
        await page.get_by_label("Passphrase of the private key").fill("of no use")
        await page.get_by_text("Test before saving").click()
        await page.get_by_role("button", name="Save").click()
        await expect(page.get_by_text("Password: set")).to_be_visible()
        await expect(page.get_by_role("list", name="Fingerprints")).to_contain_text(FINGERPRINT)
        assert secret not in await page.content()

        await page.get_by_role("link", name="Change").click()
        await expect(page.get_by_text("It is set.").first).to_be_visible()
        await expect(password).to_have_value("")
        await page.get_by_text("Remove: Passphrase of the private key").click()
        await page.get_by_label("Port", exact=True).fill("2222")
        await page.get_by_text("Test before saving").click()
        await page.get_by_role("button", name="Save").click()
        await expect(page.get_by_text("2222")).to_be_visible()
        [stored] = await connections(tenant)
        assert stored["secret_names"] == ["password"]
        assert stored["config"]["port"] == 2222
        assert secret not in str(stored)


async def test_a_form_that_someone_overtook_keeps_its_entries(
    people: People, tenant: Tenant
) -> None:
    """The other's change is named; saving again is a decision."""
    async with people(role="INTEGRATOR") as ines:
        [before] = await connections(tenant)
        page = await ines.open(f"/connections/{before['id']}/change")
        await page.get_by_label("Name", exact=True).fill("Mine")
        answer = await tenant.http.patch(
            f"/erp-connections/{before['id']}", json={"terms": {"max_attempts": 7}}
        )
        assert answer.status_code == 200, answer.text
        await page.get_by_role("button", name="Save").click()
        await expect(page.get_by_text("changed: Attempts")).to_be_visible()
        await expect(page.get_by_label("Name", exact=True)).to_have_value("Mine")
        await page.get_by_role("button", name="Save").click()
        await expect(page.get_by_role("heading", name="Mine", exact=True)).to_be_visible()
        [after] = await connections(tenant)
        assert after["name"] == "Mine"
        assert after["terms"]["max_attempts"] == 7


async def test_an_http_connection_is_made_with_its_headers(
    people: People, console_system: System
) -> None:
    async with (
        console_system.tenant(connected=False) as tenant,
        people(role="ADMIN", org=tenant.org) as ada,
    ):
        page = await open_form(ada)
        await page.get_by_text("HTTP: one signed POST per order").click()
        await page.get_by_label("Name", exact=True).fill("HTTP")
        await page.get_by_label("Address", exact=True).fill("https://erp.example/orders")
        await page.get_by_text("More settings").click()
        await page.get_by_label("Headers").fill("X-Tenant: 7\nX-Site: Ulm")
        await page.get_by_label("Signing secret", exact=True).fill("too short")
        await page.get_by_text("Test before saving").click()
        await page.get_by_role("button", name="Save").click()
        await expect(page.get_by_text("must have at least 16 characters")).to_be_visible()
        await page.get_by_label("Signing secret", exact=True).fill("long enough to be hard")
        await page.get_by_role("button", name="Save").click()
        await expect(page.get_by_role("heading", name="HTTP", exact=True)).to_be_visible()
        [stored] = await connections(tenant)
        assert stored["config"] == {
            "url": "https://erp.example/orders",
            "headers": {"X-Tenant": "7", "X-Site": "Ulm"},
        }


async def test_a_viewer_reads_and_is_offered_no_change(people: People, tenant: Tenant) -> None:
    async with people(role="VIEWER", subject="vera") as vera:
        page = await vera.open("/connections")
        await expect(page.get_by_role("row", name="folder")).to_contain_text("Active")
        await expect(page.get_by_role("link", name="New connection")).to_have_count(0)
        await vera.check_accessibility()
        await vera.screenshot("connections")
        await page.get_by_role("link", name="folder", exact=True).click()
        await expect(page.get_by_text(str(tenant.dropzone))).to_be_visible()
        for act in ("Test", "Pause…", "Disable…"):
            await expect(page.get_by_role("button", name=act)).to_have_count(0)
        await expect(page.get_by_role("link", name="Change")).to_have_count(0)
        await vera.open("/connections/new")
        await expect(page.get_by_text("Your role may not change connections.")).to_be_visible()
        await expect(page.get_by_role("button", name="Save")).to_have_count(0)


async def test_an_operator_pauses_but_does_not_change(olga: Operator, tenant: Tenant) -> None:
    [before] = await connections(tenant)
    page = await olga.open(f"/connections/{before['id']}")
    await confirm(page, "Pause", "Stocktaking")
    await expect(page.get_by_text("Paused", exact=True)).to_be_visible()
    await expect(page.get_by_role("button", name="Disable…")).to_have_count(0)
    await expect(page.get_by_role("link", name="Change")).to_have_count(0)


async def test_connections_speak_german_and_take_the_keyboard(
    people: People, tenant: Tenant
) -> None:
    [before] = await connections(tenant)
    async with people(role="INTEGRATOR", locale="de-DE") as ines:
        page = await ines.open(f"/connections/{before['id']}")
        await page.get_by_role("button", name="Testen").focus()
        await page.keyboard.press("Enter")
        await expect(page.get_by_text("Der Test war erfolgreich.")).to_be_visible()
        await page.get_by_role("link", name="Ändern").focus()
        await page.keyboard.press("Enter")
        await expect(page.get_by_label("Ordner für Aufträge")).to_have_value(str(tenant.dropzone))
        await page.get_by_label("Name", exact=True).fill("Hauptsystem")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("heading", name="Hauptsystem", exact=True)).to_be_visible()

    async def renamed() -> bool:
        return (await connections(tenant))[0]["name"] == "Hauptsystem"

    await eventually(renamed, what="the name is stored")
