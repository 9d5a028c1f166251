"""Whether a page is readable for everybody: in both themes, on a desktop and on a telephone, in one visit."""

from __future__ import annotations

from typing import Any, Literal

from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page

from tests.browser.conftest import NARROW, WIDE

EVERY_RULE = {"resultTypes": ["violations"]}
COLOURS = {"resultTypes": ["violations"], "runOnly": ["color-contrast", "link-in-text-block"]}
"""What a theme changes: colours, and nothing else."""

FIND = """async rules => (await axe.run(rules)).violations.map(
    rule => `${rule.id}: ${JSON.stringify(rule.nodes[0].target)}`
)"""

AT_ONCE = """() => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync("*, ::before, ::after { transition: none !important }");
    document.adoptedStyleSheets.push(sheet);
}"""
"""Colours change with the theme, and none is seen half-way."""

LOOKS: dict[Literal["dark", "light"], dict[str, Any]] = {"dark": COLOURS, "light": EVERY_RULE}

SCRIPT = Axe().axe_script

SWEEP = 900
"""Seconds for a test that looks at many pages; alone it takes half a minute at most."""


async def broken_rules(page: Page, rules: dict[str, Any] = EVERY_RULE) -> list[str]:
    """The rules of accessibility that the page breaks as it looks now, each with a place."""
    if not await page.evaluate("'axe' in window"):
        await page.evaluate(SCRIPT)
    found: list[str] = await page.evaluate(FIND, rules)
    return found


async def problems(page: Page) -> list[str]:
    """What is wrong with the page in any look; it is left light, and as wide as a desktop."""
    found = []
    await page.evaluate(AT_ONCE)
    for viewport in (NARROW, WIDE):
        await page.set_viewport_size({"width": viewport["width"], "height": viewport["height"]})
        for scheme, rules in LOOKS.items():
            await page.emulate_media(color_scheme=scheme)
            broken = await broken_rules(page, rules)
            found += [f"{scheme}, {viewport['width']} px wide: {each}" for each in broken]
        if await page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            found.append(f"sticks out at {viewport['width']} px")
    return found
