"""Exports and history on the draft page: what was sent, what waits, what changed, what is proven."""

import hashlib
from typing import Any

from browser import Operator, People, downloaded
from draft_page import open_draft, status
from playwright.async_api import Locator, Page, Route, expect
from tenant import Tenant

DELIVERY_MILLISECONDS = 30_000


async def waiting(tenant: Tenant) -> dict[str, Any]:
    """A draft whose export failed once and waits five minutes for its next attempt."""
    draft = await tenant.approved()
    [connection] = (await tenant.http.get("/erp-connections")).json()["connections"]
    terms = {"first_delay_seconds": 300, "longest_delay_seconds": 300}
    path = f"/erp-connections/{connection['id']}"
    assert (await tenant.http.patch(path, json={"terms": terms})).status_code == 200
    tenant.dropzone.rmdir()
    assert (await tenant.push(draft["id"])).status_code == 200
    return draft


def exports(page: Page) -> Locator:
    return page.get_by_role("region", name="Exports")


async def test_the_exact_bytes_are_saved_and_their_digest_is_checked(
    olga: Operator, tenant: Tenant
) -> None:
    draft = await tenant.approved()
    await tenant.push(draft["id"])
    await tenant.wait_status(draft["id"], "PUSHED")
    page = await open_draft(olga, draft)
    button = page.get_by_role("button", name="Download what was sent")
    data = await downloaded(page, button.click())
    [path] = tenant.files()
    assert data == path.read_bytes()
    digest = hashlib.sha256(data).hexdigest()
    await expect(exports(page).get_by_text(digest, exact=True)).to_be_visible()
    await expect(page.get_by_text("checked in this browser.", exact=False).first).to_be_visible()
    await expect(exports(page)).to_contain_text("The bytes have this SHA-256")


async def test_bytes_of_another_digest_are_not_saved(olga: Operator, tenant: Tenant) -> None:
    draft = await tenant.approved()
    await tenant.push(draft["id"])
    await tenant.wait_status(draft["id"], "PUSHED")
    page = await open_draft(olga, draft)

    async def alter(route: Route) -> None:
        answer = await route.fetch()
        await route.fulfill(response=answer, body=(await answer.body()) + b" ")

    await page.route("**/document", alter)
    await page.get_by_role("button", name="Download what was sent").click()
    await expect(exports(page)).to_contain_text("nothing was saved")


async def test_a_waiting_export_is_tried_at_once(olga: Operator, tenant: Tenant) -> None:
    draft = await waiting(tenant)
    page = await open_draft(olga, draft)
    await expect(exports(page)).to_contain_text(
        "The dropzone's folder does not exist", timeout=DELIVERY_MILLISECONDS
    )
    await expect(page.get_by_text("The next one is due").first).to_be_visible()
    tenant.dropzone.mkdir()
    await page.get_by_role("button", name="Try now").click()
    dialog = page.get_by_role("dialog", name="Try this export now?")
    await dialog.get_by_label("Reason").fill("the folder is back")
    await dialog.get_by_role("button", name="Try now").click()
    await expect(status(page)).to_have_text("Pushed", timeout=DELIVERY_MILLISECONDS)
    [event] = await tenant.wait_audit(1, draft_order_id=draft["id"], action="EXPORT_EXPEDITED")
    assert event["after"]["reason"] == "the folder is back"


async def test_a_waiting_export_is_cancelled_with_a_reason(olga: Operator, tenant: Tenant) -> None:
    draft = await waiting(tenant)
    page = await open_draft(olga, draft)
    await page.get_by_role("button", name="Cancel export").click()
    dialog = page.get_by_role("dialog", name="Cancel this export?")
    await expect(dialog.get_by_role("button", name="Cancel export")).to_be_disabled()
    await olga.check_accessibility()
    await dialog.get_by_label("Reason").fill("the customer called")
    await dialog.get_by_role("button", name="Cancel export").click()
    await expect(status(page)).to_have_text("Error", timeout=DELIVERY_MILLISECONDS)
    await expect(exports(page)).to_contain_text("the customer called")
    tenant.dropzone.mkdir()


async def test_what_changed_since_the_approval_is_shown(olga: Operator, tenant: Tenant) -> None:
    draft = await tenant.approved()
    await tenant.wait_audit(2, draft_order_id=draft["id"])
    edit = {"header": {"notes": "urgent"}}
    assert (await tenant.http.patch(f"/draft-orders/{draft['id']}", json=edit)).status_code == 200
    page = await open_draft(olga, draft)
    since = page.get_by_role("region", name="Changed since the last approval")
    await expect(since.get_by_role("row", name="Notes")).to_contain_text("urgent")
    await expect(since).to_contain_text("user-1 approved version 1")
    await olga.check_accessibility()
    await olga.screenshot("draft-since-approval")


async def test_an_auditor_has_the_whole_chain_verified(people: People, tenant: Tenant) -> None:
    draft = await tenant.approved()
    await tenant.wait_audit(2, draft_order_id=draft["id"])
    verdict = (await tenant.http.get("/audit-log/verify")).json()
    async with people(role="ADMIN", subject="ada") as ada:
        page = await open_draft(ada, draft)
        await page.get_by_role("button", name="Verify the whole chain").click()
        await expect(page.get_by_text(f"Last: #{verdict['head_seq']}")).to_contain_text(
            verdict["head_hash"]
        )


async def test_who_may_not_verify_is_not_asked_to(olga: Operator, tenant: Tenant) -> None:
    page = await open_draft(olga, await tenant.submit())
    await expect(page.get_by_role("heading", name="History")).to_be_visible()
    await expect(page.get_by_role("button", name="Verify the whole chain")).to_have_count(0)


async def test_history_is_whole_however_long(olga: Operator, tenant: Tenant) -> None:
    """200 events come with the page, the older ones when asked for; every one is proven.

    What changed since the approval is shown although that is one of the older ones.
    """
    draft = await tenant.approved()
    path = f"/draft-orders/{draft['id']}"
    for note in range(1, 205):
        answer = await tenant.http.patch(path, json={"header": {"notes": f"note {note}"}})
        assert answer.status_code == 200, answer.text
    total = 204 + 3  # submitted, approved, and the approval that the first edit took
    await tenant.wait_audit(total, draft_order_id=draft["id"])
    page = await open_draft(olga, draft)
    history = page.get_by_role("region", name="History")
    await expect(history.get_by_text("200 events, every hash checked")).to_be_visible()
    await expect(history.get_by_text("Submitted", exact=True)).to_have_count(0)
    since = page.get_by_role("region", name="Changed since the last approval")
    await expect(since).to_contain_text("user-1 approved version 1")
    await expect(since.get_by_role("row", name="Notes")).to_contain_text("note 204")
    await history.get_by_role("button", name="Older events").click()
    await expect(history.get_by_text(f"{total} events, every hash checked")).to_be_visible()
    await expect(history.get_by_text("Submitted", exact=True)).to_be_visible()
    await expect(history.get_by_role("button", name="Older events")).to_have_count(0)
    answer = await tenant.http.patch(path, json={"header": {"notes": "the last"}})
    assert answer.status_code == 200, answer.text
    await expect(history.get_by_text(f"{total + 1} events, every hash checked")).to_be_visible()
