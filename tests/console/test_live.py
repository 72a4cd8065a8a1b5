"""Status changes come by themselves, are read out, and survive a server that was away."""

from browser import Operator, operator
from playwright.async_api import Browser, Page, expect
from system import System
from tenant import Tenant


def row(page: Page, draft_id: str) -> object:
    return page.locator(f"tr[data-draft='{draft_id}']")


async def test_a_push_of_someone_else_shows_as_it_happens(olga: Operator, tenant: Tenant) -> None:
    draft = await tenant.approved()
    page = await olga.open()
    await expect(row(page, draft["id"])).to_contain_text("Approved")
    await tenant.push(draft["id"])
    await expect(row(page, draft["id"])).to_contain_text("Pushed")
    await expect(page.get_by_role("log")).to_contain_text("1 draft order: Pushed.")


async def test_a_draft_that_comes_in_is_shown(olga: Operator, tenant: Tenant) -> None:
    page = await olga.open()
    await expect(page.get_by_text("No draft order fits")).to_be_visible()
    draft = await tenant.submit()
    await expect(row(page, draft["id"])).to_contain_text("Ready")


async def test_a_server_that_restarts_is_told_about_and_what_was_missed_is_shown(
    browser: Browser, console_system: System, tenant: Tenant
) -> None:
    """The second gateway is this test's own; its page loses the server in mid-session."""
    draft = await tenant.approved()
    gateway = console_system.processes["gateway-2"]
    async with operator(browser, console_system.url(2), org=tenant.org) as olga:
        page = await olga.open()
        await expect(row(page, draft["id"])).to_contain_text("Approved")
        await gateway.kill()
        await expect(
            page.get_by_text("The server does not answer")
            .or_(page.get_by_text("Live updates are interrupted"))
            .first
        ).to_be_visible()
        await olga.check_accessibility()
        await tenant.push(draft["id"])
        await tenant.wait_status(draft["id"], "PUSHED")
        await gateway.start()
        await gateway.ready()
        await expect(row(page, draft["id"])).to_contain_text("Pushed", timeout=90_000)
        await expect(page.locator(".banner")).to_have_count(0)
