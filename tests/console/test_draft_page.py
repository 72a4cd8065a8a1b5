"""What the page of one draft order shows."""

from typing import Any

from browser import Operator, People
from draft_page import open_draft
from playwright.async_api import expect
from tenant import Tenant

LINES = 500


def many_lines(**changes: Any) -> list[dict[str, Any]]:
    """500 positions; `changes` go into the 487th."""
    lines: list[dict[str, Any]] = [
        {
            "line_no": number,
            "internal_sku": f"SKU-{number:04}",
            "qty": "3",
            "uom": "ST",
            "unit_price": "1.25",
            "description": f"ARTICLE {number}",
        }
        for number in range(1, LINES + 1)
    ]
    lines[486] |= changes
    return lines


async def test_a_draft_shows_what_it_says_and_where_it_stands(
    olga: Operator, tenant: Tenant
) -> None:
    draft = await tenant.submit()
    page = await olga.open()
    await page.get_by_role("link", name=draft["external_ref"]).click()
    await expect(page.get_by_role("heading", name=draft["external_ref"])).to_be_visible()
    await expect(page.get_by_text("Nothing blocks it.").first).to_be_visible()
    await expect(page.get_by_text("Spaceboy Gifts Ltd")).to_be_visible()
    await expect(page.get_by_role("row", name="CUTLERY")).to_contain_text("£8.30")
    await expect(page).to_have_title(f"Draft order {draft['external_ref']}")


async def test_findings_stand_beside_their_fields_and_lead_there(
    olga: Operator, tenant: Tenant
) -> None:
    lines = many_lines(qty="0", uom=None)
    header = {"external_order_number": "PO-1", "currency": None}
    draft = await tenant.submit(lines=lines, header=header)
    page = await open_draft(olga, draft)
    await expect(page.get_by_text("3 findings keep this order")).to_be_visible()
    await expect(
        page.get_by_role("definition").filter(has_text="The currency is missing.")
    ).to_be_visible()
    await page.get_by_role("link", name="Line 487: The quantity must be more than zero.").click()
    row = page.get_by_role("row", name="ARTICLE 487")
    await expect(row).to_be_focused()
    await expect(row).to_contain_text("The unit is missing.")
    await olga.check_accessibility()


async def test_five_hundred_lines_are_found_and_not_all_drawn(
    olga: Operator, tenant: Tenant
) -> None:
    page = await open_draft(olga, await tenant.submit(lines=many_lines()))
    await expect(page.get_by_text("500 lines")).to_be_visible()
    table = page.get_by_role("table", name="Lines")
    await expect(table).to_have_attribute("aria-rowcount", str(LINES + 1))
    assert await table.locator("tr").count() < 60
    await page.get_by_label("Find in lines").fill("article 487")
    await expect(page.get_by_text("1 of 500 lines")).to_be_visible()
    await expect(page.get_by_role("row", name="ARTICLE 487")).to_be_visible()
    await page.get_by_label("Find in lines").fill("")
    await page.get_by_role("region", name="Table of lines").focus()
    await page.keyboard.press("End")
    await expect(page.get_by_role("row", name="ARTICLE 500")).to_be_visible()


async def test_every_event_is_proven_in_the_browser(olga: Operator, tenant: Tenant) -> None:
    draft = await tenant.approved()
    await tenant.wait_audit(2, draft_order_id=draft["id"])
    page = await open_draft(olga, draft)
    await expect(page.get_by_text("2 events, every hash checked in this browser")).to_be_visible()
    approved = page.get_by_role("listitem").filter(has_text="Approved")
    await approved.get_by_text("Details").click()
    await expect(approved).to_contain_text("the event is what was recorded")
    event = (await tenant.audit(draft_order_id=draft["id"], action="DRAFT_APPROVED"))[0]
    await expect(approved).to_contain_text(event["hash"])
    await expect(approved.get_by_role("row", name="status READY APPROVED")).to_be_visible()


async def test_an_event_that_was_altered_on_its_way_shows(olga: Operator, tenant: Tenant) -> None:
    draft = await tenant.approved()
    await tenant.wait_audit(2, draft_order_id=draft["id"])

    async def alter(route: Any) -> None:
        answer = await route.fetch()
        body = (await answer.text()).replace('"READY\\"', '"NEVER\\"')
        await route.fulfill(response=answer, body=body)

    await olga.page.route(f"**/draft-orders/{draft['id']}", alter)
    page = await open_draft(olga, draft)
    await expect(
        page.get_by_text("2 events are not what their hashes were made of")
    ).to_be_visible()


async def test_the_page_speaks_german(people: People, tenant: Tenant) -> None:
    draft = await tenant.submit(header={"external_order_number": "PO-1", "currency": None})
    async with people(locale="de-DE") as person:
        page = await open_draft(person, draft)
        await expect(page.get_by_text("Ein Befund verhindert die Freigabe")).to_be_visible()
        await expect(
            page.get_by_role("definition").filter(has_text="Die Währung fehlt.")
        ).to_be_visible()
        await expect(page.get_by_text("4,15")).to_be_visible()
        await expect(page.get_by_text("Eingereicht").first).to_be_visible()


async def test_a_draft_of_another_tenant_is_not_there(olga: Operator, tenant: Tenant) -> None:
    async with tenant.system.tenant(connected=False) as other:
        foreign = await other.submit()
    page = await olga.open(f"/drafts/{foreign['id']}")
    await expect(page.get_by_text("This draft order does not exist.")).to_be_visible()
