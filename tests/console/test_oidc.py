"""Sign-in with an OpenID provider: the code with its proof, and a token that only memory holds.

Hours pass by the page's clock; the provider and the server live in ours.
"""

from collections.abc import AsyncIterator

import pytest
from browser import Operator, operator
from draft_page import ask, open_draft, status
from oidc_provider import OidcProvider
from playwright.async_api import Browser, Page, Route, expect
from system import Process, System
from tenant import Tenant
from waiting import eventually

from countersign_core.roles import Role
from countersign_platform.testing.ports import HOST, free_ports


@pytest.fixture
async def provider(console_system: System, tenant: Tenant) -> AsyncIterator[OidcProvider]:
    """A provider, and in front of the shared system a gateway that sends people to it."""
    port = free_ports(1)[0]
    made = OidcProvider(
        client_id="countersign-console",
        redirect_uri=f"http://{HOST}:{port}/console/signed-in",
        mint=lambda: console_system.token(tenant.org, Role.OPERATOR, subject="olga"),
    )
    async with made, _gateway(console_system, port, made.url).running():
        yield made


def _gateway(system: System, port: int, authority: str) -> Process:
    like = system.processes["gateway-1"]
    probe = free_ports(1)[0]
    environment = like.environment | {
        "COUNTERSIGN_LISTEN": f"{HOST}:{port}",
        "COUNTERSIGN_PROBE_LISTEN": f"{HOST}:{probe}",
        "COUNTERSIGN_CONSOLE_OIDC_AUTHORITY": authority,
    }
    del environment["COUNTERSIGN_DEVELOPMENT_SIGNING_KEY"]
    return Process("gateway-oidc", environment, system.folder, port, probe)


@pytest.fixture
async def olga(browser: Browser, provider: OidcProvider) -> AsyncIterator[Operator]:
    """Someone whom the provider knows, not signed in here."""
    url = provider.redirect_uri.removesuffix("/console/signed-in")
    async with operator(browser, url, provider=provider.url) as person:
        yield person


async def test_the_provider_lets_people_in_where_they_wanted_to_go(
    olga: Operator, provider: OidcProvider, tenant: Tenant
) -> None:
    draft = await tenant.submit(external_ref="wanted")
    await tenant.submit(external_ref="other")
    page = await olga.open("/drafts?q=wanted")
    await olga.check_accessibility()
    await page.get_by_role("button", name="Sign in with your organisation").click()
    await expect(page.get_by_text(draft["external_ref"])).to_be_visible()
    await expect(page.get_by_text("other")).to_have_count(0)
    assert page.url.endswith("/console/drafts?q=wanted")
    assert not provider.refused
    kept = await page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}])")
    assert "eyJ" not in kept


async def test_a_reload_goes_through_the_provider_without_a_question(
    olga: Operator, provider: OidcProvider, tenant: Tenant
) -> None:
    await tenant.submit(external_ref="wanted")
    page = await olga.open()
    await page.get_by_role("button", name="Sign in with your organisation").click()
    await expect(page.get_by_text("wanted")).to_be_visible()
    await page.reload()
    await expect(page.get_by_text("wanted")).to_be_visible()
    assert provider.visits == 2


async def test_an_answer_that_nobody_asked_for_signs_nobody_in(
    olga: Operator, provider: OidcProvider
) -> None:
    page = await olga.open("/signed-in?code=stolen&state=forged")
    await expect(page.get_by_role("alert")).to_contain_text("The sign-in did not work")
    await expect(page.get_by_role("navigation")).to_have_count(0)


async def signed_in(person: Operator) -> Page:
    """Someone whose page's clock can be moved on."""
    await person.page.clock.install()
    page = await person.open()
    await page.get_by_role("button", name="Sign in with your organisation").click()
    await expect(page.get_by_role("heading", name="Draft orders")).to_be_visible()
    return page


async def sign_in_again(page: Page) -> None:
    """In a window of its own, which closes by itself."""
    button = page.get_by_role("button", name="Sign in with your organisation")
    await expect(page.get_by_text("your page waits as you left it")).to_be_visible()
    async with page.expect_popup() as opened:
        await button.click()
    beside = await opened.value
    if not beside.is_closed():
        await beside.wait_for_event("close")
    await expect(button).to_have_count(0)


async def test_a_token_is_renewed_without_a_word(
    olga: Operator, provider: OidcProvider, tenant: Tenant
) -> None:
    """What is being typed stays; the next call carries the new token; nobody left the page."""
    provider.renews = True
    draft = await tenant.submit()
    await signed_in(olga)
    page = await open_draft(olga, draft)
    tokens = {await _token_of(page)}
    await page.get_by_role("button", name="Edit").click()
    await page.get_by_label("Notes").fill("half a sen")
    await page.clock.fast_forward("59:30")

    async def renewed() -> bool:
        tokens.add(await _token_of(page))
        return len(tokens) == 2

    await eventually(renewed, what="the token is renewed")
    await expect(page.get_by_label("Notes")).to_have_value("half a sen")
    await page.get_by_label("Notes").fill("half a sentence")
    latest = await _token_of(page)
    async with page.expect_request(lambda request: request.method == "PATCH") as saved:
        await page.get_by_role("button", name="Save").click()
    assert (await saved.value).headers["authorization"] == latest
    await expect(page.get_by_role("button", name="Edit")).to_be_visible()
    assert not provider.refused


async def test_a_sign_in_that_ran_out_leaves_the_page_as_it_was(
    olga: Operator, provider: OidcProvider, tenant: Tenant
) -> None:
    """A provider without refresh tokens: a dialog with a reason in it waits for the person."""
    draft = await tenant.submit()
    await signed_in(olga)
    page = await open_draft(olga, draft)
    dialog = await ask(page, "Reject", title="Reject this order for good?")
    await dialog.get_by_label("Reason").fill("ordered twice")
    await page.clock.fast_forward("01:00:10")
    await expect(dialog).to_be_hidden()
    await expect(page.get_by_role("heading", name=draft["external_ref"])).to_have_count(0)
    await olga.check_accessibility()
    await olga.screenshot("sign-in-again")
    await sign_in_again(page)
    await expect(dialog.get_by_label("Reason")).to_have_value("ordered twice")
    await dialog.get_by_role("button", name="Reject").click()
    await expect(status(page)).to_have_text("Rejected")
    assert not provider.refused


async def test_edits_outlive_a_token_that_the_server_refuses(
    olga: Operator, provider: OidcProvider, tenant: Tenant
) -> None:
    """Saved after the second sign-in, and not before it."""
    draft = await tenant.submit()
    await signed_in(olga)
    page = await open_draft(olga, draft)
    await page.get_by_role("button", name="Edit").click()
    await page.get_by_label("Notes").fill("ring twice")
    await page.get_by_label("Quantity, line 1").fill("many")

    async def refuse(route: Route) -> None:
        await route.fulfill(status=401, json={"status": 401, "code": "TOKEN_EXPIRED"})

    await page.route("**/draft-orders/**", refuse)
    await sign_in_again_after(page)
    await expect(page.get_by_label("Notes")).to_have_value("ring twice")
    await expect(page.get_by_label("Quantity, line 1")).to_have_value("many")
    await page.get_by_label("Quantity, line 1").fill("2")
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("button", name="Edit")).to_be_visible()
    assert (await tenant.draft(draft["id"]))["header"]["notes"] == "ring twice"
    assert not provider.refused


async def sign_in_again_after(page: Page) -> None:
    """Once the page has asked for something and was refused."""
    await expect(page.get_by_text("your page waits as you left it")).to_be_visible()
    await page.unroute_all()
    await sign_in_again(page)


async def _token_of(page: Page) -> str:
    async with page.expect_request("**/draft-orders/*") as asked:
        await page.clock.fast_forward("00:11")
    return (await asked.value).headers["authorization"]
