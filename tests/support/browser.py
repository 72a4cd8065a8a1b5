"""A browser for tests of the console: Debian's Chromium, one page per person.

What must hold on every page is watched here: no violation of the content security policy, no
request to another host, no error in the page.
"""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from playwright.async_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Request,
    ViewportSize,
    async_playwright,
    expect,
)

CHROMIUM = Path("/usr/bin/chromium")
ROOT = Path(__file__).resolve().parents[2]
BUILT = ROOT / "frontend" / "dist"
AXE = ROOT / "frontend" / "node_modules" / "axe-core" / "axe.min.js"
SCREENSHOTS = ROOT / "docs" / "screenshots"
KEEP_SCREENSHOTS = bool(os.environ.get("COUNTERSIGN_SCREENSHOTS"))
WINDOW: ViewportSize = {"width": 1280, "height": 800}
_FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# How long a page may take to show what is waited for, on a busy machine; nothing is slower for it.
PATIENCE_MILLISECONDS = 30_000
# Chromium reports every refused request as an error of the page; the page shows them itself.
_EXPECTED = "Failed to load resource"
_SIGN_IN_KEY = "countersign.development-sign-in"
_WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """The browser of the run."""
    expect.set_options(timeout=PATIENCE_MILLISECONDS)
    assert CHROMIUM.exists(), f"no {CHROMIUM}: run scripts/servers.sh"
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=_FLAGS)
        try:
            yield browser
        finally:
            await browser.close()


@dataclass
class Operator:
    """One person at the console."""

    page: Page
    context: BrowserContext
    url: str
    faults: list[str] = field(default_factory=list)

    async def open(self, path: str = "/drafts") -> Page:
        """Go to a page of the console."""
        await self.page.goto(f"{self.url}/console{path}")
        return self.page

    async def check_accessibility(self) -> None:
        """No violation that axe finds, in light and in dark."""
        for scheme in ("light", "dark"):
            await self.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            found = await self._violations()
            assert not found, f"{scheme}: " + json.dumps(found, indent=1)
        await self.page.emulate_media(color_scheme="light", reduced_motion="reduce")

    async def _violations(self) -> list[dict[str, Any]]:
        # Through the debugger: the page's own policy lets no foreign script in, and shall not.
        await self.page.evaluate(AXE.read_text())
        found = await self.page.evaluate(
            "tags => axe.run(document, {runOnly: {type: 'tag', values: tags}})", _WCAG
        )
        return [
            {"rule": each["id"], "why": each["help"], "where": [n["html"] for n in each["nodes"]]}
            for each in found["violations"]
        ]

    async def screenshot(self, name: str) -> None:
        """In light and in dark; kept in docs/screenshots when `make screenshots` asks for it."""
        for scheme in ("light", "dark"):
            await self.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            image = await self.page.screenshot(animations="disabled", caret="hide")
            if KEEP_SCREENSHOTS:
                suffix = "" if scheme == "light" else "-dark"
                SCREENSHOTS.mkdir(parents=True, exist_ok=True)
                (SCREENSHOTS / f"{name}{suffix}.png").write_bytes(image)
        await self.page.emulate_media(color_scheme="light", reduced_motion="reduce")

    def check_faults(self) -> None:
        """Nothing that must not happen on any page happened."""
        assert not self.faults, "\n".join(self.faults)


People = Callable[..., AbstractAsyncContextManager[Operator]]


@asynccontextmanager
async def operator(
    browser: Browser,
    url: str,
    *,
    org: UUID | None = None,
    role: str = "OPERATOR",
    subject: str = "olga",
    locale: str = "en-GB",
    provider: str = "",
) -> AsyncIterator[Operator]:
    """A person in a browser of their own; signed in, when `org` is given.

    `provider` is where people sign in: the only other place that a page may ask.
    """
    context = await browser.new_context(
        viewport=WINDOW, locale=locale, timezone_id="Europe/Berlin", reduced_motion="reduce"
    )
    if org is not None:
        await _signed_in(context, subject=subject, org=org, role=role)
    context.set_default_timeout(2 * PATIENCE_MILLISECONDS)
    page = await context.new_page()
    person = Operator(page, context, url)
    _watch(person, provider)
    try:
        yield person
        person.check_faults()
    finally:
        await context.close()


async def _signed_in(context: BrowserContext, *, subject: str, org: UUID, role: str) -> None:
    """As after a sign-in and a reload: the choice is kept, a token is fetched."""
    choice = {"subject": subject, "org_id": str(org), "org_slug": "acme", "roles": [role]}
    key, value = json.dumps(_SIGN_IN_KEY), json.dumps(json.dumps(choice))
    await context.add_init_script(
        f"if (!sessionStorage.getItem('tested')) {{ sessionStorage.setItem({key}, {value});"
        " sessionStorage.setItem('tested', 'yes'); }"
    )


def _watch(person: Operator, provider: str) -> None:
    allowed = {urlsplit(person.url).netloc, urlsplit(provider).netloc}

    def said(message: ConsoleMessage) -> None:
        if message.type == "error" and _EXPECTED not in message.text:
            person.faults.append(f"the page reports: {message.text}")

    def asked(request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme in {"http", "https"} and parts.netloc not in allowed:
            person.faults.append(f"asks another host: {request.url}")

    person.page.on("console", said)
    person.page.on("request", asked)
    person.page.on("pageerror", lambda error: person.faults.append(f"the page fails: {error}"))


async def downloaded(page: Page, trigger: Any) -> bytes:
    """The file that `trigger` (an awaitable) makes the page save."""
    async with page.expect_download() as found:
        await trigger
    path = await (await found.value).path()
    return await asyncio.to_thread(Path(path).read_bytes)
