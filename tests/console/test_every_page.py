"""What holds on every page, whichever there are: the list of pages is the router's own."""

import re

import pytest
from browser import ROOT, People
from playwright.async_api import expect
from system import Tenant

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
    draft = await tenant.approved(header={"external_order_number": "PO-1", "currency": "GBP"})
    [connection] = (await tenant.http.get("/erp-connections")).json()["connections"]
    known = {"draftId": draft["id"], "connectionId": connection["id"]}
    async with people(role="ADMIN", locale=language) as ada:
        for route in [*ROUTES, "/no-such-page"]:
            page = await ada.open(_PARAMETER.sub(lambda found: known[found[1]], route))
            await expect(page.get_by_role("heading", level=1)).to_be_visible()
            await expect(page.locator(".loading")).to_have_count(0)
            await expect(page.locator("html")).to_have_attribute("lang", language[:2])
            await ada.check_accessibility()
