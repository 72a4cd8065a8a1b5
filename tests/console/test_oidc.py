"""Sign-in with an OpenID provider: the code with its proof, and a token that only memory holds."""

from collections.abc import AsyncIterator

import pytest
from browser import Operator, operator
from oidc_provider import OidcProvider
from playwright.async_api import Browser, expect
from system import Process, System, Tenant

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
    async with made:
        gateway = _gateway(console_system, port, made.url)
        await gateway.start()
        try:
            await gateway.ready()
            yield made
        finally:
            await gateway.kill()


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
