"""The console's list with many drafts, by the browser's own performance API."""

import json
import statistics
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, Page, async_playwright

from bench import seed
from bench.measure.rounds import Result
from bench.options import Options
from bench.stack import BenchStack, running_stack

_DRAFTS = 100_000
_CHROMIUM = Path("/usr/bin/chromium")
_BUILT = Path(__file__).parents[2] / "frontend" / "dist"
_FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
_SCROLLS = 20

# Set before the page's own script runs: when rows are on the screen, and what held it up.
_WATCH = """
window.seen = {rows: 0, tasks: []};
new PerformanceObserver(list => {
  for (const task of list.getEntries()) window.seen.tasks.push(task.duration);
}).observe({type: 'longtask', buffered: true});
new MutationObserver((_, self) => {
  if (!document.querySelector('tr[data-draft]')) return;
  self.disconnect();
  requestAnimationFrame(() => setTimeout(() => window.seen.rows = performance.now()));
}).observe(document, {childList: true, subtree: true});
"""
_ANSWERS = """
path => performance.getEntriesByType('resource')
  .filter(each => new URL(each.name).pathname === path).map(each => each.duration)
"""
_SCROLL = """
async steps => {
  window.seen.tasks = [];
  const frame = document.querySelector('tr[data-draft]').closest('div');
  for (let step = 1; step <= steps; step++) {
    frame.scrollTop = frame.scrollHeight * step / steps;
    await new Promise(requestAnimationFrame);
  }
  await new Promise(done => setTimeout(done, 200));
  return Math.max(0, ...window.seen.tasks);
}
"""


async def run(options: Options) -> Result:
    """Opens the list anew each round: rows on the screen, answers, longest task, scrolling."""
    count = options.size(_DRAFTS)
    result = Result("console_list", f"Does the console's list stall with {count:,} drafts?")
    figures: dict[str, list[float]] = {}
    async with running_stack(workers=0, console_folder=_BUILT) as stack:
        database, like = await stack.database(), await seed.template(stack)
        await seed.fillers(database, stack, like, count)
        await database.close()
        async with _browser() as browser:
            for number in range(options.rounds + 1):
                measured = await _round(browser, stack)
                for name, value in measured.items() if number else ():
                    figures.setdefault(name, []).append(value)
    for name, bound in _BOUNDS.items():
        result.target(f"{name}, median", statistics.median(figures[name]), at_most=bound)
    return result


_BOUNDS = {
    "rows on the screen, ms": 1500,
    "answer of the list, ms": 250,
    "answer of the counts, ms": 250,
    "longest task at the start, ms": 200,
    "longest task while 200 rows scroll by, ms": 50,
}


@asynccontextmanager
async def _browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=_CHROMIUM, args=_FLAGS)
        yield browser
        await browser.close()


async def _round(browser: Browser, stack: BenchStack) -> dict[str, float]:
    # The page's policy would refuse the debugger's waits, too.
    context = await browser.new_context(viewport={"width": 1280, "height": 800}, bypass_csp=True)
    choice = {"subject": "bench", "org_id": str(stack.org), "org_slug": "bench", "roles": ["ADMIN"]}
    key = json.dumps("countersign.development-sign-in")
    await context.add_init_script(
        f"sessionStorage.setItem({key}, {json.dumps(json.dumps(choice))});{_WATCH}"
    )
    page = await context.new_page()
    await page.goto(f"http://{stack.gateway}/console/drafts")
    await page.wait_for_function("window.seen.rows > 0")
    await page.wait_for_load_state("load")
    measured = {
        "rows on the screen, ms": await page.evaluate("window.seen.rows"),
        "answer of the list, ms": await _answer(page, "/draft-orders"),
        "answer of the counts, ms": await _answer(page, "/draft-orders/counts"),
        "longest task at the start, ms": await page.evaluate("Math.max(0, ...window.seen.tasks)"),
        "longest task while 200 rows scroll by, ms": await page.evaluate(_SCROLL, _SCROLLS),
    }
    await context.close()
    return measured


async def _answer(page: Page, path: str) -> Any:
    """The first answer's time, as the browser saw it."""
    await page.wait_for_function(f"path => ({_ANSWERS})(path).length > 0", arg=path)
    return (await page.evaluate(_ANSWERS, path))[0]
