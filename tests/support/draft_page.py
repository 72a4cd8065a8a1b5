"""What tests of the draft page have in common: opening it, and its dialogs."""

from typing import Any

from browser import Operator
from playwright.async_api import Locator, Page, expect


async def open_draft(person: Operator, draft: dict[str, Any]) -> Page:
    """The draft's page, once it is there."""
    page = await person.open(f"/drafts/{draft['id']}")
    await expect(page.get_by_role("heading", name=draft["external_ref"])).to_be_visible()
    return page


def status(page: Page) -> Locator:
    """Where the draft stands, as the page shows it."""
    return page.locator("header .status").first


async def ask(page: Page, act: str, *, title: str) -> Locator:
    """Presses the button `act`; the dialog that asks back."""
    await page.get_by_role("group", name="Actions").get_by_role("button", name=act).click()
    dialog = page.get_by_role("dialog", name=title)
    await expect(dialog).to_be_visible()
    return dialog
