"""Who gets in, and what of them stays in the browser."""

import re
from typing import Any

from browser import Operator, People
from draft_page import open_draft
from playwright.async_api import expect
from tenant import Tenant


async def test_development_sign_in_picks_org_and_role(stranger: Operator, tenant: Tenant) -> None:
    draft = await tenant.submit()
    page = await stranger.open()
    await expect(page.get_by_role("heading", name="Countersign")).to_be_visible()
    await stranger.check_accessibility()
    await page.get_by_label("Organisation (UUID)").fill(str(tenant.org))
    await page.get_by_label("Short name").fill("acme")
    await page.get_by_text("Viewer").click()
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_text(draft["external_ref"])).to_be_visible()
    await page.get_by_role("button", name="Account and settings").click()
    await expect(page.get_by_text("Role: VIEWER")).to_be_visible()


async def test_no_token_is_ever_stored_in_the_browser(olga: Operator) -> None:
    page = await olga.open()
    await expect(page.get_by_role("heading", name="Draft orders")).to_be_visible()
    kept = await page.evaluate(
        "JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])"
    )
    assert not re.search(r"eyJ", kept)


async def test_sign_out_survives_a_reload(olga: Operator) -> None:
    page = await olga.open()
    await page.get_by_role("button", name="Account and settings").click()
    await page.get_by_role("menuitem", name="Sign out").click()
    await expect(page.get_by_label("Organisation (UUID)")).to_be_visible()
    await page.reload()
    await expect(page.get_by_label("Organisation (UUID)")).to_be_visible()


async def test_another_tenants_drafts_are_not_shown(people: People, tenant: Tenant) -> None:
    async with tenant.system.tenant(connected=False) as other:
        foreign = await other.submit()
    async with people() as olga:
        page = await olga.open()
        await expect(page.get_by_text("No draft order fits")).to_be_visible()
        await expect(page.get_by_text(foreign["external_ref"])).to_have_count(0)


async def test_language_and_theme_are_chosen_and_kept(people: People, tenant: Tenant) -> None:
    await tenant.submit()
    async with people(locale="de-DE") as person:
        page = await person.open()
        await expect(page.get_by_role("heading", name="Auftragsentwürfe")).to_be_visible()
        await expect(page.get_by_text("8,30")).to_be_visible()
        await page.get_by_role("button", name="Konto und Einstellungen").click()
        await page.get_by_role("menuitemradio", name="Dunkel").click()
        await page.keyboard.press("Escape")
        await page.get_by_role("button", name="Konto und Einstellungen").click()
        await page.get_by_role("menuitemradio", name="English").click()
        await expect(page.get_by_role("heading", name="Draft orders")).to_be_visible()
        await page.reload()
        await expect(page.get_by_role("heading", name="Draft orders")).to_be_visible()
        state: Any = await page.evaluate(
            "[document.documentElement.lang, getComputedStyle(document.body).backgroundColor]"
        )
        assert state == ["en", "rgb(18, 21, 27)"]


async def test_question_mark_lists_the_shortcuts(olga: Operator) -> None:
    page = await olga.open()
    await expect(page.get_by_role("heading", name="Draft orders")).to_be_visible()
    await page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keyboard shortcuts")
    await expect(dialog).to_be_visible()
    await olga.check_accessibility()
    await page.keyboard.press("Escape")
    await expect(dialog).to_have_count(0)


async def test_another_person_at_the_same_tab_sees_nothing_of_the_one_before(
    people: People, tenant: Tenant
) -> None:
    """Whose sign-in ran out left edits behind; they are neither shown nor saved by somebody else."""
    draft = await tenant.submit()
    async with people() as olga:
        page = await open_draft(olga, draft)
        await page.get_by_role("button", name="Edit").click()
        await page.get_by_label("Notes").fill("olga's own")
        await page.route("**/console/sign-in", lambda route: route.fulfill(status=503, json={}))
        await page.route("**/draft-orders/**", lambda route: route.fulfill(status=401, json={}))
        await expect(page.get_by_text("your page waits as you left it")).to_be_visible()
        await page.unroute_all()
        await expect(page.get_by_label("Name", exact=True)).to_have_value("olga")
        await page.get_by_label("Name", exact=True).fill("otto")
        await page.get_by_role("button", name="Sign in").click()
        await expect(page.get_by_role("button", name="Edit")).to_be_visible()
        await expect(page.get_by_text("olga's own")).to_have_count(0)
