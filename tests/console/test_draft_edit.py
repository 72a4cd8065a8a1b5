"""Editing a draft order in place, and what happens when two people do."""

from typing import Any

from browser import Operator, People
from draft_page import open_draft, status
from playwright.async_api import Page, expect
from tenant import Tenant

LINES: list[dict[str, Any]] = [
    {"line_no": number, "internal_sku": f"SKU-{number}", "qty": "2", "uom": "ST"}
    for number in (1, 2)
]


async def edit(page: Page) -> None:
    await page.get_by_role("button", name="Edit").click()
    await expect(page.get_by_text("Nothing changed yet")).to_be_visible()


async def save(page: Page) -> None:
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("button", name="Edit")).to_be_visible()


async def test_findings_are_mended_in_place_with_every_digit(
    olga: Operator, tenant: Tenant
) -> None:
    lines = [LINES[0] | {"qty": "0"}, LINES[1] | {"uom": None, "unit_price": "1.10"}]
    draft = await tenant.submit(lines=lines, header={"currency": None})
    page = await open_draft(olga, draft)
    await page.keyboard.press("e")
    await page.get_by_label("Currency", exact=True).fill("gbp")
    await page.get_by_label("Quantity, line 1").fill("2.500000")
    await page.get_by_label("Unit, line 2").fill("KG")
    await expect(page.get_by_text("3 changes")).to_be_visible()
    await olga.check_accessibility()
    await page.keyboard.press("Control+s")
    await expect(status(page)).to_have_text("Ready")
    after = await tenant.draft(draft["id"])
    assert after["header"]["currency"] == "GBP"
    assert [line["qty"] for line in after["lines"]] == ["2.500000", "2"]
    assert after["lines"][1]["unit_price"] == "1.10"


async def test_lines_come_and_go(olga: Operator, tenant: Tenant) -> None:
    draft = await tenant.submit(lines=LINES)
    page = await open_draft(olga, draft)
    await edit(page)
    await page.get_by_role("button", name="Remove line 1").click()
    await page.get_by_role("button", name="Add a line").click()
    await page.get_by_label("SKU, line 3").fill("NEW")
    await page.get_by_label("Quantity, line 3").fill("1")
    await page.get_by_label("Unit, line 3").fill("ST")
    await save(page)
    after = await tenant.draft(draft["id"])
    assert [line["internal_sku"] for line in after["lines"]] == ["SKU-2", "NEW"]


async def test_a_number_that_could_mean_two_is_not_saved(people: People, tenant: Tenant) -> None:
    draft = await tenant.submit()
    async with people(locale="de-DE") as person:
        page = await open_draft(person, draft)
        await page.get_by_role("button", name="Bearbeiten").click()
        quantity = page.get_by_label("Menge, Position 1")
        await quantity.fill("1.234")
        await expect(page.get_by_role("alert")).to_contain_text("Zahl mit Komma")
        await expect(page.get_by_role("button", name="Speichern")).to_be_disabled()
        await quantity.fill("1,234")
        await page.get_by_role("button", name="Speichern").click()
        await expect(page.get_by_role("button", name="Bearbeiten")).to_be_visible()
    assert (await tenant.draft(draft["id"]))["lines"][0]["qty"] == "1.234"


async def test_what_the_server_refuses_stands_beside_its_field(
    olga: Operator, tenant: Tenant
) -> None:
    draft = await tenant.submit(lines=LINES)
    page = await open_draft(olga, draft)
    await edit(page)
    field = page.get_by_label("SKU, line 2")
    # The field would let nobody type so much.
    await field.evaluate("input => input.removeAttribute('maxlength')")
    await field.fill("X" * 101)
    await page.get_by_role("button", name="Save").click()
    await expect(field).to_have_attribute("aria-invalid", "true")
    await expect(field).to_have_value("X" * 101)


async def test_editing_an_approved_order_says_that_it_takes_the_approval_back(
    olga: Operator, tenant: Tenant
) -> None:
    draft = await tenant.approved()
    page = await open_draft(olga, draft)
    await edit(page)
    await expect(page.get_by_text("Saving takes the approval back.")).to_be_visible()
    await page.get_by_label("Notes").fill("urgent")
    await save(page)
    await expect(status(page)).to_have_text("Needs review")
    await expect(page.get_by_text("Its approval was taken back.").first).to_be_visible()
    await page.get_by_role("button", name="Validate again").click()
    await expect(status(page)).to_have_text("Ready")


async def test_two_people_edit_one_order_and_nothing_is_lost(
    people: People, tenant: Tenant
) -> None:
    draft = await tenant.submit(lines=LINES)
    async with people() as olga, people(subject="otto") as otto:
        hers, his = await open_draft(olga, draft), await open_draft(otto, draft)
        await edit(hers)
        await edit(his)
        await hers.get_by_label("Notes").fill("olga's note")
        await hers.get_by_label("Quantity, line 2").fill("7")
        await his.get_by_label("Notes").fill("otto's note")
        await his.get_by_label("Quantity, line 1").fill("5")
        await save(his)
        await hers.get_by_role("button", name="Save").click()
        await expect(hers.get_by_text("It changed while you were looking at it")).to_be_visible()
        await expect(hers.get_by_role("row", name="Quantity, line 1")).to_contain_text("5")
        choice = hers.get_by_role("radiogroup", name="Notes")
        await expect(choice.get_by_label("Theirs: otto's note")).to_be_visible()
        await expect(choice.get_by_label("Yours: olga's note")).to_be_checked()
        await olga.check_accessibility()
        await olga.screenshot("draft-edit-conflict")
        await hers.get_by_role("button", name="Put my changes on version 2").click()
        await save(hers)
    after = await tenant.draft(draft["id"])
    assert after["header"]["notes"] == "olga's note"
    assert [line["qty"] for line in after["lines"]] == ["5", "7"]


async def test_edits_survive_a_reload(olga: Operator, tenant: Tenant) -> None:
    draft = await tenant.submit()
    page = await open_draft(olga, draft)
    await edit(page)
    await page.get_by_label("Notes").fill("not saved yet")
    await page.reload()
    await expect(page.get_by_label("Notes")).to_have_value("not saved yet")
    await page.get_by_role("button", name="Drop changes").click()
    await page.get_by_role("dialog").get_by_role("button", name="Drop changes").click()
    await page.reload()
    await expect(page.get_by_role("button", name="Edit")).to_be_visible()
    await expect(page.get_by_text("not saved yet")).to_have_count(0)


async def test_a_remark_is_settled_and_the_order_is_ready(olga: Operator, tenant: Tenant) -> None:
    issue = {"id": "i-1", "code": "SKU_UNMATCHED", "severity": "ERROR", "message": "Which mug?"}
    page = await open_draft(olga, await tenant.submit(issues=[issue]))
    await page.get_by_role("button", name="Mark as settled").click()
    await expect(status(page)).to_have_text("Ready")
    await expect(page.get_by_text("settled", exact=True)).to_be_visible()


async def test_an_order_of_thousands_of_lines_is_edited_and_survives_a_reload(
    olga: Operator, tenant: Tenant
) -> None:
    """One field of 5,000 lines: typed, kept over a reload, saved; every other line as it was."""
    lines = [LINES[0] | {"line_no": number, "description": "x" * 200} for number in range(1, 5001)]
    draft = await tenant.submit(lines=lines)
    page = await open_draft(olga, draft)
    await edit(page)
    await page.get_by_label("Find in lines").fill("4987")
    quantity = page.get_by_label("Quantity, line 4987")
    await quantity.fill("")
    await quantity.press_sequentially("12.50")
    await page.reload()
    await page.get_by_label("Find in lines").fill("4987")
    await expect(quantity).to_have_value("12.50")
    await save(page)
    after = (await tenant.draft(draft["id"]))["lines"]
    assert after[4986]["qty"] == "12.50"
    assert {line["qty"] for line in after[:4986] + after[4987:]} == {"2"}
