"""Approve, push, retry and the rest, as a person does them; what is refused, and what is lost."""

import asyncio
from typing import Any

import pytest
from browser import Operator, People
from draft_page import ask, open_draft, status
from playwright.async_api import Page, Route, expect
from tenant import Tenant

DELIVERY_MILLISECONDS = 30_000


async def exports_of(tenant: Tenant, draft: dict[str, Any]) -> list[dict[str, Any]]:
    return await tenant.pages("/erp-exports", "exports", draft_order_id=draft["id"])


async def pushed(page: Page) -> None:
    await expect(status(page)).to_have_text("Pushed", timeout=DELIVERY_MILLISECONDS)


async def test_approve_then_push_then_pushed_without_a_reload(
    olga: Operator, tenant: Tenant
) -> None:
    draft = await tenant.submit()
    page = await open_draft(olga, draft)
    dialog = await ask(page, "Approve", title="Approve this order?")
    await expect(dialog).to_contain_text("One line, £8.30")
    await olga.check_accessibility()
    await dialog.get_by_role("button", name="Approve").click()
    await expect(status(page)).to_have_text("Approved")
    await expect(page.get_by_text("Approved by olga")).not_to_have_count(0)
    dialog = await ask(page, "Push", title="Push this order to the ERP?")
    await expect(dialog).to_contain_text("Through folder")
    await dialog.get_by_role("button", name="Push").click()
    await pushed(page)
    [export] = await exports_of(tenant, draft)
    region = page.get_by_role("region", name="Exports")
    await expect(region.get_by_text(export["file_name"])).to_be_visible()
    assert [path.name for path in tenant.files()] == [export["file_name"]]
    await olga.check_accessibility()
    await olga.screenshot("draft-pushed")


async def test_everything_can_be_done_by_keyboard(olga: Operator, tenant: Tenant) -> None:
    draft = await tenant.submit()
    page = await open_draft(olga, draft)
    await page.keyboard.press("a")
    await expect(page.get_by_role("dialog").get_by_role("button", name="Approve")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(status(page)).to_have_text("Approved")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await expect(page.get_by_role("group", name="Actions")).to_be_focused()
    await page.keyboard.press("s")
    await expect(page.get_by_role("dialog")).to_contain_text("orderflow_export_json_v1")
    await page.keyboard.press("Escape")
    await page.keyboard.press("p")
    await expect(page.get_by_role("dialog").get_by_role("button", name="Push")).to_be_focused()
    await page.keyboard.press("Enter")
    await pushed(page)
    await expect(page.get_by_role("status").filter(has_text="Status: Pushed.")).to_have_count(1)


async def test_a_double_click_pushes_once(olga: Operator, tenant: Tenant) -> None:
    draft = await tenant.approved()
    page = await open_draft(olga, draft)
    dialog = await ask(page, "Push", title="Push this order to the ERP?")
    await dialog.get_by_role("button", name="Push").dblclick()
    await pushed(page)
    assert len(await exports_of(tenant, draft)) == 1
    assert len(tenant.files()) == 1


async def test_a_lost_answer_is_asked_for_again_with_the_same_key(
    olga: Operator, tenant: Tenant
) -> None:
    draft = await tenant.approved()
    page = await open_draft(olga, draft)
    keys: list[str] = []

    async def lose_the_first_answer(route: Route) -> None:
        keys.append(route.request.headers["idempotency-key"])
        if len(keys) > 1:
            await route.continue_()
            return
        await route.fetch()
        await route.abort()

    await page.route("**/push", lose_the_first_answer)
    # What became of it must not show before the person asks again.
    await page.route(f"**/draft-orders/{draft['id']}", lambda route: route.abort())
    dialog = await ask(page, "Push", title="Push this order to the ERP?")
    await dialog.get_by_role("button", name="Push").click()
    await expect(dialog).to_contain_text("No answer came.")
    await dialog.get_by_role("button", name="Ask again").click()
    await page.unroute(f"**/draft-orders/{draft['id']}")
    await pushed(page)
    assert len(keys) == 2
    assert len(set(keys)) == 1
    assert len(await exports_of(tenant, draft)) == 1
    assert len(tenant.files()) == 1
    assert (
        await page.evaluate("Object.keys(sessionStorage).filter(k => k.includes('intent'))") == []
    )


async def test_a_push_that_never_left_is_asked_for_again_after_a_reload(
    olga: Operator, tenant: Tenant
) -> None:
    draft = await tenant.approved()
    page = await open_draft(olga, draft)
    keys: list[str] = []
    asked = asyncio.Event()

    async def swallow(route: Route) -> None:
        keys.append(route.request.headers["idempotency-key"])
        asked.set()

    await page.route("**/push", swallow)
    dialog = await ask(page, "Push", title="Push this order to the ERP?")
    await dialog.get_by_role("button", name="Push").click()
    await asked.wait()
    await page.reload()
    await expect(page.get_by_text("You asked to push version 2")).to_be_visible()
    await page.unroute("**/push")

    async def note(route: Route) -> None:
        keys.append(route.request.headers["idempotency-key"])
        await route.continue_()

    await page.route("**/push", note)
    await page.get_by_role("button", name="Ask again").click()
    await page.get_by_role("dialog").get_by_role("button", name="Push").click()
    await pushed(page)
    assert len(set(keys)) == 1
    assert len(tenant.files()) == 1


async def test_a_reload_amid_a_push_pushes_once(olga: Operator, tenant: Tenant) -> None:
    draft = await tenant.approved()
    page = await open_draft(olga, draft)

    async def never_answer(route: Route) -> None:
        await route.fetch()

    await page.route("**/push", never_answer)
    dialog = await ask(page, "Push", title="Push this order to the ERP?")
    await dialog.get_by_role("button", name="Push").click()
    await tenant.wait_status(draft["id"], "PUSHED")
    await page.reload()
    await pushed(page)
    await expect(page.get_by_text("You asked to push")).to_have_count(0)
    assert len(await exports_of(tenant, draft)) == 1
    assert len(tenant.files()) == 1


async def test_a_failure_is_shown_its_cause_mended_and_the_retry_arrives(
    olga: Operator, tenant: Tenant
) -> None:
    draft = await tenant.approved()
    tenant.dropzone.rmdir()
    tenant.dropzone.write_text("a file stands where the folder was")
    page = await open_draft(olga, draft)
    dialog = await ask(page, "Push", title="Push this order to the ERP?")
    await dialog.get_by_role("button", name="Push").click()
    await expect(status(page)).to_have_text("Error", timeout=DELIVERY_MILLISECONDS)
    exports = page.get_by_role("region", name="Exports")
    await expect(exports).to_contain_text("The dropzone's path is no folder")
    await olga.check_accessibility()
    await olga.screenshot("draft-error")
    tenant.dropzone.unlink()
    tenant.dropzone.mkdir()
    dialog = await ask(page, "Retry", title="Push this order again?")
    await expect(dialog.get_by_role("button", name="Retry")).to_be_disabled()
    await dialog.get_by_label("Reason").fill("the folder is back")
    await dialog.get_by_role("button", name="Retry").click()
    await pushed(page)
    await expect(exports).to_contain_text("the folder is back")
    assert [each["status"] for each in await exports_of(tenant, draft)] == ["SENT", "FAILED"]
    assert len(tenant.files()) == 1


async def test_approving_what_somebody_changed_shows_the_difference_first(
    olga: Operator, tenant: Tenant
) -> None:
    draft = await tenant.submit()
    page = await open_draft(olga, draft)
    # Only the approval's own answer may tell.
    await page.route(f"**/draft-orders/{draft['id']}", lambda route: route.abort())
    dialog = await ask(page, "Approve", title="Approve this order?")
    edit = {"header": {"notes": "deliver on Monday"}}
    assert (await tenant.http.patch(f"/draft-orders/{draft['id']}", json=edit)).status_code == 200
    await dialog.get_by_role("button", name="Approve").click()
    await expect(dialog).to_contain_text("Someone changed this draft order")
    await page.unroute(f"**/draft-orders/{draft['id']}")
    await expect(dialog).to_contain_text("It changed while you were looking at it")
    await expect(dialog.get_by_role("row", name="Notes")).to_contain_text("deliver on Monday")
    assert (await tenant.draft(draft["id"]))["status"] == "READY"
    await olga.check_accessibility()
    await olga.screenshot("draft-conflict")
    await dialog.get_by_role("button", name="Approve version 2").click()
    await expect(status(page)).to_have_text("Approved")


async def test_reject_wants_a_reason_and_shows_it(olga: Operator, tenant: Tenant) -> None:
    page = await open_draft(olga, await tenant.submit())
    dialog = await ask(page, "Reject", title="Reject this order for good?")
    await expect(dialog.get_by_role("button", name="Reject")).to_be_disabled()
    await dialog.get_by_label("Reason").fill("ordered twice")
    await dialog.get_by_role("button", name="Reject").click()
    await expect(status(page)).to_have_text("Rejected")
    await expect(page.get_by_text("Rejected by olga").first).to_contain_text("ordered twice")


async def test_an_approval_is_taken_back_and_the_order_validated_again(
    olga: Operator, tenant: Tenant
) -> None:
    page = await open_draft(olga, await tenant.approved())
    dialog = await ask(page, "Take back approval", title="Take back the approval?")
    await dialog.get_by_role("button", name="Take back approval").click()
    await expect(status(page)).to_have_text("Needs review")
    await page.get_by_role("button", name="Validate again").click()
    await expect(status(page)).to_have_text("Ready")


async def test_a_viewer_is_offered_nothing_that_changes_the_order(
    people: People, tenant: Tenant
) -> None:
    draft = await tenant.approved()
    async with people(role="VIEWER", subject="vera") as vera:
        page = await open_draft(vera, draft)
        actions = page.get_by_role("group", name="Actions").get_by_role("button")
        await expect(actions).to_have_text(["Export preview"])
        await page.keyboard.press("p")
        await expect(page.get_by_role("dialog")).to_have_count(0)


async def test_four_eyes_is_explained(olga: Operator, tenant: Tenant) -> None:
    policy = {"four_eyes_above": "1"}
    assert (await tenant.http.put("/approval-policy", json=policy)).status_code == 200
    draft = await tenant.submit()
    page = await open_draft(olga, draft)
    dialog = await ask(page, "Approve", title="Approve this order?")
    await dialog.get_by_role("button", name="Approve").click()
    await expect(status(page)).to_have_text("Approved")
    dialog = await ask(page, "Push", title="Push this order to the ERP?")
    await dialog.get_by_role("button", name="Push").click()
    await expect(dialog.get_by_role("alert")).to_contain_text("A second person is needed")
    assert tenant.files() == []


async def test_the_actions_speak_german(people: People, tenant: Tenant) -> None:
    draft = await tenant.submit()
    async with people(locale="de-DE") as person:
        page = await open_draft(person, draft)
        await page.get_by_role("button", name="Freigeben").click()
        dialog = page.get_by_role("dialog", name="Diesen Auftrag freigeben?")
        await expect(dialog).to_contain_text("Eine Position, 8,30")
        await dialog.get_by_role("button", name="Freigeben").click()
        await expect(status(page)).to_have_text("Freigegeben")


@pytest.mark.parametrize("act", ["approve", "push"])
async def test_the_gateway_restarts_in_mid_session_and_the_work_goes_on(
    olga: Operator, tenant: Tenant, act: str
) -> None:
    draft = await (tenant.submit() if act == "approve" else tenant.approved())
    page = await open_draft(olga, draft)
    gateway = tenant.system.processes["gateway-1"]  # the one that the page talks to
    name, title = (
        act.capitalize(),
        {
            "approve": "Approve this order?",
            "push": "Push this order to the ERP?",
        },
    )
    dialog = await ask(page, name, title=title[act])
    await gateway.stop()
    try:
        await dialog.get_by_role("button", name=name).click()
        await expect(dialog).to_contain_text("No answer came.", timeout=DELIVERY_MILLISECONDS)
    finally:
        await gateway.start()
        await gateway.ready()
    await dialog.get_by_role("button", name="Ask again").click()
    await expect(status(page)).to_have_text(
        "Approved" if act == "approve" else "Pushed", timeout=DELIVERY_MILLISECONDS
    )
