"""The list: found, filtered, sorted, selected, approved and pushed many at once."""

import re
from typing import Any

import pytest
from browser import Operator, People
from playwright.async_api import Page, expect
from tenant import Tenant, order

INCOMPLETE = [{"line_no": 1, "qty": "2", "uom": "ST", "unit_price": "4.15"}]


async def submit_many(tenant: Tenant, count: int, prefix: str, **changes: Any) -> list[str]:
    """Drafts `prefix-000` and so on, oldest first; their ids."""
    found = []
    for number in range(count):
        body = order(**{"external_ref": f"{prefix}-{number:03}", **changes})
        answer = await tenant.http.post("/draft-orders", json=body)
        assert answer.status_code == 201, answer.text
        found.append(str(answer.json()["id"]))
    return found


def tab(page: Page, name: str) -> Any:
    return page.get_by_role("navigation", name="Status").get_by_role("link", name=name)


def references(page: Page) -> Any:
    return page.get_by_role("table", name="Draft orders").get_by_role("rowheader")


async def test_tabs_count_drafts_and_show_those_of_a_status(olga: Operator, tenant: Tenant) -> None:
    await submit_many(tenant, 2, "ready")
    await submit_many(tenant, 1, "review", lines=INCOMPLETE)
    page = await olga.open()
    await expect(tab(page, "Ready")).to_have_text("Ready2")
    await expect(tab(page, "Needs review")).to_have_text("Needs review1")
    await expect(tab(page, "All")).to_have_text("All3")
    await tab(page, "Needs review").click()
    await expect(references(page)).to_have_text(["review-000"])
    await expect(page.get_by_text("The internal SKU is missing.")).to_be_visible()
    assert "status=NEEDS_REVIEW" in page.url


async def test_a_narrow_window_has_room_for_rows_and_filters_when_asked_for(
    olga: Operator, tenant: Tenant
) -> None:
    await submit_many(tenant, 1, "web")
    page = await olga.open()
    await page.set_viewport_size({"width": 390, "height": 844})
    customer = page.get_by_label("Customer", exact=True)
    await expect(page.get_by_label("Search", exact=True)).to_be_visible()
    await expect(customer).to_be_hidden()
    await expect(references(page).first).to_be_in_viewport()
    await page.get_by_role("button", name="Filters", exact=True).click()
    await customer.fill("nobody")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("No draft order fits.")).to_be_visible()
    await page.get_by_role("button", name="Filters", exact=True).click()
    await expect(customer).to_be_hidden()
    await page.get_by_role("button", name="Clear filters").click()
    await expect(references(page)).to_have_text(["web-000"])


async def test_filters_are_in_the_address_and_outlive_a_reload(
    olga: Operator, tenant: Tenant
) -> None:
    await submit_many(tenant, 1, "web", customer={"erp_customer_number": "7", "name": "Otto KG"})
    await submit_many(tenant, 1, "mail")
    page = await olga.open()
    await page.get_by_label("Search", exact=True).fill("web")
    await page.keyboard.press("Enter")
    await expect(references(page)).to_have_text(["web-000"])
    await page.reload()
    await expect(page.get_by_label("Search", exact=True)).to_have_value("web")
    await expect(references(page)).to_have_text(["web-000"])
    await expect(tab(page, "All")).to_have_text("All1")
    await page.get_by_label("Customer", exact=True).fill("Spaceboy")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("No draft order fits")).to_be_visible()
    await page.go_back()
    await expect(references(page)).to_have_text(["web-000"])
    await page.get_by_role("button", name="Clear filters").click()
    await expect(references(page)).to_have_count(2)


async def test_a_head_sorts_falling_then_rising(olga: Operator, tenant: Tenant) -> None:
    for number, price in enumerate(("9.50", "10.00", "2.00")):
        line = {"line_no": 1, "internal_sku": "1", "qty": "1", "uom": "ST", "unit_price": price}
        await submit_many(tenant, 1, f"v{number}", lines=[line])
    page = await olga.open()
    head = page.get_by_role("columnheader", name="Value")
    await head.get_by_role("button").click()
    await expect(references(page)).to_have_text(["v1-000", "v0-000", "v2-000"])
    await expect(head).to_have_attribute("aria-sort", "descending")
    await head.get_by_role("button").click()
    await expect(references(page)).to_have_text(["v2-000", "v0-000", "v1-000"])
    assert "sort=LOWEST_VALUE" in page.url


async def test_two_hundred_of_mixed_kinds_are_approved_and_pushed_with_a_result_each(
    olga: Operator, tenant: Tenant
) -> None:
    """202 drafts: more than a page, some not eligible, and one that changes while one looks."""
    ready = await submit_many(tenant, 150, "ready")
    await submit_many(tenant, 52, "review", lines=INCOMPLETE)
    page = await olga.open()
    await expect(page.get_by_role("link", name="Next page")).to_be_visible()
    assert await page.locator("tr[data-draft]").count() < 60
    await page.get_by_role("button", name="Select all that fit").click()
    await expect(page.get_by_text("202 selected").first).to_be_visible()
    await page.get_by_role("button", name="Approve selected").click()
    dialog = page.get_by_role("dialog", name="Approve draft orders")
    await expect(dialog.get_by_text("150 draft orders can be approved")).to_be_visible()
    await expect(dialog.get_by_text("52 are in the state Needs review")).to_be_visible()
    await olga.check_accessibility()
    await olga.screenshot("bulk-preview")
    changed = await tenant.http.patch(
        f"/draft-orders/{ready[0]}", json={"header": {"notes": "behind your back"}}
    )
    assert changed.status_code == 200, changed.text
    await dialog.get_by_role("button", name="Approve 150 draft orders").click()
    await expect(dialog.get_by_text("149 done, 1 not")).to_be_visible()
    refused = dialog.get_by_role("row", name="ready-000")
    await expect(refused).to_contain_text("Someone changed this draft order since you saw it")
    await olga.check_accessibility()
    await dialog.get_by_role("button", name="Close").click()

    await tab(page, "Approved").click()
    await expect(tab(page, "Approved")).to_have_text("Approved149")
    await page.get_by_label("Select all rows of this page").check()
    await page.get_by_role("button", name="Push selected").click()
    dialog = page.get_by_role("dialog", name="Push draft orders")
    await dialog.get_by_role("button", name="Push 149 draft orders").dblclick()
    await expect(dialog.get_by_text("149 done, 0 not")).to_be_visible()
    await olga.screenshot("bulk-results")
    await dialog.get_by_role("button", name="Close").click()
    await tenant.wait_all("PUSHED", 149, seconds=120)
    assert len(tenant.files()) == 149
    await expect(tab(page, "Pushed")).to_have_text("Pushed149")


async def test_pages_follow_each_other_by_their_address(olga: Operator, tenant: Tenant) -> None:
    await submit_many(tenant, 201, "ref")
    page = await olga.open()
    await page.get_by_role("link", name="Next page").click()
    await expect(references(page)).to_have_text(["ref-000"])
    await page.reload()
    await expect(references(page)).to_have_text(["ref-000"])
    await page.get_by_role("link", name="First page").click()
    await expect(references(page).first).to_have_text("ref-200")


async def test_everything_in_the_list_is_done_by_keyboard(olga: Operator, tenant: Tenant) -> None:
    [draft] = await submit_many(tenant, 1, "mine")
    await submit_many(tenant, 2, "other")
    page = await olga.open()
    await expect(references(page)).to_have_count(3)
    press = page.keyboard.press
    await press("/")
    await page.keyboard.type("mine")
    await press("Enter")
    await expect(references(page)).to_have_text(["mine-000"])
    await page.evaluate("document.activeElement.blur()")
    await press("j")
    await expect(page.get_by_role("link", name="mine-000")).to_be_focused()
    await press("x")
    await expect(page.get_by_text("1 selected").first).to_be_visible()
    await press("a")
    confirm = page.get_by_role("button", name="Approve 1 draft order")
    await expect(confirm).to_be_visible()
    await confirm.focus()
    await press("Enter")
    await expect(page.get_by_text("1 done, 0 not").first).to_be_visible()
    await press("Escape")
    await tenant.wait_status(draft, "APPROVED")


async def test_a_viewer_is_offered_nothing_to_change(people: People, tenant: Tenant) -> None:
    await submit_many(tenant, 1, "ref")
    async with people(role="VIEWER") as viewer:
        page = await viewer.open()
        await expect(references(page)).to_have_text(["ref-000"])
        await expect(page.get_by_role("checkbox")).to_have_count(0)
        await expect(page.get_by_role("group", name="Selection")).to_have_count(0)
        await page.keyboard.press("?")
        await expect(page.get_by_text("Search").last).to_be_visible()
        await expect(page.get_by_text("Approve selected")).to_have_count(0)


async def test_four_eyes_are_previewed(people: People, tenant: Tenant) -> None:
    answer = await tenant.http.put("/approval-policy", json={"four_eyes_above": "5"})
    assert answer.status_code == 200, answer.text
    await submit_many(tenant, 1, "mine")
    # The tenant's own client submits as user-1.
    async with people(subject="user-1") as editor:
        page = await editor.open()
        await page.get_by_label("Select mine-000").check()
        await page.get_by_role("button", name="Approve selected").click()
        await expect(page.get_by_text("1 needs a second person")).to_be_visible()
        await expect(page.get_by_role("button", name=re.compile("^Approve 1"))).to_have_count(0)


async def test_what_is_retrying_is_found_and_goes_out_when_its_cause_is_mended(
    olga: Operator, tenant: Tenant
) -> None:
    draft = await tenant.approved(external_ref="broken")
    await submit_many(tenant, 1, "fine")
    away = tenant.dropzone.rename(tenant.dropzone.with_name(f"{tenant.dropzone.name}-away"))
    await tenant.push(draft["id"])
    page = await olga.open()
    await page.get_by_role("button", name="Export").click()
    await page.get_by_role("option", name="Retrying").click()
    await expect(references(page)).to_have_text(["broken"])
    await expect(page.locator(f"tr[data-draft='{draft['id']}']")).to_contain_text("next try")
    code = (await tenant.draft(draft["id"]))["exports"][0]["error"]["code"]
    await page.get_by_label("Error code").fill(code.lower())
    await page.keyboard.press("Enter")
    await expect(page).to_have_url(re.compile(f"state=RETRYING&error={code}"))
    await expect(references(page)).to_have_text(["broken"])
    away.rename(tenant.dropzone)
    await page.get_by_role("button", name="Clear filters").click()
    await expect(page.locator(f"tr[data-draft='{draft['id']}']")).to_contain_text("Pushed")


@pytest.mark.parametrize(("locale", "name"), [("en-GB", "drafts"), ("de-DE", "drafts-de")])
async def test_the_list_is_accessible_and_pictured(
    people: People, tenant: Tenant, locale: str, name: str
) -> None:
    await submit_many(tenant, 4, "PO-2026")
    await submit_many(tenant, 2, "WEB-77", lines=INCOMPLETE)
    await tenant.approved(external_ref="PO-2026-100")
    done = await tenant.approved(external_ref="PO-2026-101")
    await tenant.push(done["id"])
    await tenant.wait_status(done["id"], "PUSHED")
    async with people(locale=locale) as person:
        page = await person.open()
        await expect(page.get_by_role("row")).to_have_count(9)
        await person.check_accessibility()
        await person.screenshot(name)
