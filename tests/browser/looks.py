"""Whether a page is readable for everybody: on a telephone and on a desktop, dark and light."""

from __future__ import annotations

from typing import Literal

from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page, ViewportSize

from tests.browser.conftest import NARROW, WIDE

FIND = """async () => (await axe.run({resultTypes: ["violations"]})).violations.map(
    rule => `${rule.id}: ${JSON.stringify(rule.nodes[0].target)}`
)"""

AT_ONCE = """() => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync("*, ::before, ::after { transition: none !important }");
    document.adoptedStyleSheets.push(sheet);
}"""
"""Colours change with the theme, and none is seen half-way."""

Look = tuple[ViewportSize, Literal["dark", "light"]]

LOOKS: tuple[tuple[Look, ...], ...] = (
    ((NARROW, "dark"), (WIDE, "light")),
    ((NARROW, "light"), (WIDE, "dark")),
)
"""How a page is looked at: in both widths and both themes. Which goes with which depends on the length of
its address, and on nothing else: so what all pages share is seen in all four, and every run sees the same."""

SCRIPT = Axe().axe_script

SWEEP = 900
"""Seconds for a test that looks at many pages; alone it takes half a minute at most."""


async def broken_rules(page: Page) -> list[str]:
    """The rules of accessibility that the page breaks as it looks now, each with a place."""
    if not await page.evaluate("'axe' in window"):
        await page.evaluate(SCRIPT)
    found: list[str] = await page.evaluate(FIND)
    return found


async def problems(page: Page) -> list[str]:
    """What is wrong with the page in two looks; it is left as wide as a desktop."""
    found = []
    await page.evaluate(AT_ONCE)
    for viewport, scheme in LOOKS[len(page.url) % 2]:
        await page.set_viewport_size(viewport)
        await page.emulate_media(color_scheme=scheme)
        found += [f"{scheme}, {viewport['width']} px wide: {each}" for each in await broken_rules(page)]
        if await page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            found.append(f"sticks out at {viewport['width']} px")
    return found
