"""The overview in the console: what was pushed, what became of it, what waits."""

from browser import Operator, People
from playwright.async_api import Locator, Page, expect
from tenant import Tenant


async def two_delivered_and_one_that_waits(tenant: Tenant) -> None:
    """Today's pushes of a tenant whose ERP is being worked on."""
    for _ in range(2):
        draft = await tenant.approved()
        await tenant.push(draft["id"])
        await tenant.wait_status(draft["id"], "PUSHED")
    [connection] = (await tenant.http.get("/erp-connections")).json()["connections"]
    paused = await tenant.http.post(f"/erp-connections/{connection['id']}/pause", json={})
    assert paused.status_code == 200, paused.text
    await tenant.push((await tenant.approved())["id"])


def fact(page: Page, term: str) -> Locator:
    return page.locator("dl > div").filter(has=page.get_by_text(term, exact=True))


async def test_the_overview_adds_up_and_shows_what_waits(olga: Operator, tenant: Tenant) -> None:
    """Totals, both charts with their tables, sums by connection, and what waits now."""
    await two_delivered_and_one_that_waits(tenant)
    page = await olga.open("/overview")
    await expect(fact(page, "Pushed").get_by_role("definition")).to_have_text("3")
    await expect(fact(page, "Delivered").get_by_role("definition")).to_have_text("2")
    await expect(fact(page, "Failed").get_by_role("definition")).to_have_text("0")
    await expect(fact(page, "Oldest waiting since")).to_contain_text(":")

    by_connection = page.get_by_role("table", name="By connection").get_by_role("row")
    await expect(by_connection).to_have_count(2)
    await expect(by_connection.nth(1).get_by_role("cell").nth(0)).to_have_text("3")
    waiting = page.get_by_role("table", name="Waiting now").get_by_role("row")
    await expect(waiting).to_have_count(2)
    await expect(waiting.nth(1).get_by_role("cell").nth(0)).to_have_text("1")

    await expect(page.get_by_role("img", name="Chart: Pushes by day")).to_be_visible()
    await page.get_by_text("As a table: Pushes by day").click()
    days = page.get_by_role("table", name="Pushes by day").get_by_role("row")
    await expect(days).to_have_count(8)
    await expect(days.last.get_by_role("cell").nth(0)).to_have_text("3")
    await expect(days.nth(1).get_by_role("cell").nth(0)).to_have_text("0")
    await page.get_by_text("As a table: Time from push to delivery").click()
    await olga.check_accessibility()
    await olga.screenshot("overview")


async def test_the_stretch_of_time_is_kept_in_the_address(olga: Operator) -> None:
    """A link to a month shows a month; nothing is an answer too."""
    page = await olga.open("/overview")
    await expect(page.get_by_text("Nothing waits.")).to_be_visible()
    await page.get_by_role("link", name="30 days").click()
    await expect(page.get_by_role("link", name="30 days")).to_have_attribute("aria-current", "page")
    assert "days=30" in page.url
    await page.reload()
    await page.get_by_text("As a table: Pushes by day").click()
    days = page.get_by_role("table", name="Pushes by day").get_by_role("row")
    await expect(days).to_have_count(31)


async def test_the_overview_speaks_german_and_is_for_viewers_too(people: People) -> None:
    """Every role reads it; figures in the person's form."""
    async with people(role="VIEWER", locale="de-DE") as vera:
        page = await vera.open("/overview")
        await expect(page.get_by_role("heading", name="Überblick")).to_be_visible()
        await expect(fact(page, "Beauftragt").get_by_role("definition")).to_have_text("0")
        await expect(page.get_by_text("Nichts wartet.")).to_be_visible()
        await vera.check_accessibility()
