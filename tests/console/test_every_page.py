"""What holds on every page, whichever there are: the list of pages is the router's own."""

import re
from typing import Any

import pytest
from browser import ROOT, Operator, People
from playwright.async_api import Page, expect
from tenant import Tenant

ROUTER = ROOT / "frontend" / "src" / "app" / "router.tsx"
# Pages that need something of the tenant's, by the name that the router gives it.
_PARAMETER = re.compile(r"\$(\w+)")
ROUTES = sorted(set(re.findall(r'\bpath: "(/[^"]*)"', ROUTER.read_text())))


def test_the_router_has_pages() -> None:
    """The search above finds them; each route has one."""
    assert "/drafts" in ROUTES
    assert len(ROUTES) == ROUTER.read_text().count("createRoute({")


@pytest.mark.parametrize("language", ["en-GB", "de-DE"])
async def test_axe_finds_nothing_on_any_page_in_both_themes(
    people: People, tenant: Tenant, language: str
) -> None:
    """As an administrator, who is offered everything; a page that is not there as well."""
    async with people(role="ADMIN", locale=language) as ada:
        for address in await addresses(tenant):
            page = await opened(ada, address)
            await expect(page.locator("html")).to_have_attribute("lang", language[:2])
            await ada.check_accessibility()


async def test_no_page_is_wider_than_a_phone(people: People, tenant: Tenant) -> None:
    """In the longer language, for a person with a long name and an order with a long reference."""
    name = "a-person-with-a-long-name@subsidiary.of.a.group.example"
    async with people(role="ADMIN", subject=name, locale="de-DE") as ada:
        await ada.page.set_viewport_size({"width": 390, "height": 844})
        for address in await addresses(tenant, external_ref="purchase-order-" * 12):
            page = await opened(ada, address)
            width = await page.evaluate("document.documentElement.scrollWidth")
            assert width <= 390, address


async def addresses(tenant: Tenant, **changes: Any) -> list[str]:
    """Of every page, and of one that is not there."""
    draft = await tenant.approved(**changes)
    [connection] = (await tenant.http.get("/erp-connections")).json()["connections"]
    known = {"draftId": draft["id"], "connectionId": connection["id"]}
    return [_PARAMETER.sub(lambda found: known[found[1]], each) for each in ROUTES] + ["/nowhere"]


async def opened(person: Operator, address: str) -> Page:
    """The page, once it has what it shows."""
    page = await person.open(address)
    await expect(page.locator("#content").get_by_role("heading", level=1)).to_be_visible()
    await expect(page.locator(".loading")).to_have_count(0)
    return page
