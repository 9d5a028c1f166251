"""A real browser on the real stack. People sign in once; each test has windows of its own."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio
import structlog
from playwright.async_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    ViewportSize,
    async_playwright,
    expect,
)

from db.session import Database
from domain.playbook import Playbook
from domain.principal import Role
from tests.deal_desk import DealDesk, a_desk
from tests.patience import PATIENCE
from tests.stack import PASSWORD, ClientFor, People, calling

CAST = {
    "vera@vendor.example": (Role.SALES_REP,),
    "sam@vendor.example": (Role.CUSTOMER_SUCCESS,),
    "dora@vendor.example": (Role.DEAL_DESK,),
    "ada@vendor.example": (Role.ADMIN,),
    "paula@aster.example": (Role.PARTNER_SELLER,),
}
CHROMIUM = (
    "chromium-headless-shell",
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
)
NARROW: ViewportSize = {"width": 360, "height": 740}
WIDE: ViewportSize = {"width": 1280, "height": 800}

Window = Callable[..., Awaitable[Page]]
"""Opens a window of somebody: `page = await window("vera@vendor.example", viewport=NARROW)`."""


@pytest.fixture(scope="session", autouse=True)
def plain_logs() -> None:
    """A page that fails says so at once: structlog's own tracebacks show every local, for minutes."""
    renderer = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(processors=[structlog.processors.add_log_level, renderer])


@pytest_asyncio.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    """The system's Chromium, best the one without windows, or the one that Playwright installed."""
    chromium = next(filter(None, map(shutil.which, CHROMIUM)), None)
    expect.set_options(timeout=1000 * PATIENCE)
    async with async_playwright() as playwright:
        sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
        started = await playwright.chromium.launch(executable_path=chromium, args=sandbox)
        yield started
        await started.close()


@pytest_asyncio.fixture(scope="session")
async def sessions(address: str, people: People) -> dict[str, str]:
    """The session cookies of the cast, as the sign-in form gives them."""
    cookies = {}
    for email, roles in CAST.items():
        people.known[email] = await people.add(email, *roles, password=PASSWORD)
        async with calling(address) as nobody:
            answer = await nobody.post("/sign-in", data={"email": email, "password": PASSWORD})
            assert answer.status_code == 303, answer.text
            cookies[email] = nobody.cookies["tandem_session"]
    return cookies


@pytest_asyncio.fixture
async def window(browser: Browser, address: str, sessions: dict[str, str]) -> AsyncIterator[Window]:
    """Windows whose scripts may not fail unnoticed."""
    opened: list[BrowserContext] = []
    wrong: list[str] = []

    def listen(message: ConsoleMessage) -> None:
        # A refusal is an answer of 4xx, which the browser logs as a failed resource.
        if message.type == "error" and "Failed to load resource" not in message.text:
            wrong.append(message.text)

    async def open_window(email: str | None, **options: Any) -> Page:
        # Without motion, where a test does not ask for it: a tenth of the time went into frames of it.
        usual = {"viewport": WIDE, "reduced_motion": "reduce"}
        context = await browser.new_context(base_url=address, **(usual | options))
        context.set_default_timeout(1000 * PATIENCE)
        opened.append(context)
        if email is not None:
            await context.add_cookies([{"name": "tandem_session", "value": sessions[email], "url": address}])
        page = await context.new_page()
        page.on("console", listen)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        return page

    yield open_window
    for context in opened:
        await context.close()
    assert wrong == []


@dataclass(frozen=True)
class Deals:
    """Opens deals by the API, for pages to show."""

    as_: ClientFor
    people: People
    playbook: Playbook

    async def open(self, title: str, **changes: Any) -> Any:
        body = {
            "title": title,
            "customer": {"name": "Acme", "domain": "acme.example", "country": "US", "industry": "retail"},
            "amount": {"amount": "250000.00", "currency": "USD"},
            "expected_close": "2055-03-31",
            "playbook": self.playbook.key,
            "partners": [{"partner_id": str(self.people.aster.id), "role": "reseller"}],
        }
        vera = await self.as_("vera@vendor.example")
        answer = await vera.post("/api/v1/opportunities", json={**body, **changes})
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def do(self, email: str, deal: Any, what: str, **body: Any) -> Any:
        client = await self.as_(email)
        answer = await client.post(f"/api/v1/opportunities/{deal['id']}/{what}", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()


@pytest_asyncio.fixture(scope="session")
async def rules(as_: ClientFor, database: Database, people: People) -> DealDesk:
    """The discount policy that ships, and those who decide by it."""
    return await a_desk(as_, database, people)


@pytest.fixture
def desk(rules: DealDesk, sessions: dict[str, str], worker: None) -> DealDesk:
    """Asks for discounts and decides by the API, for pages to show."""
    return rules


@pytest.fixture
def deals(
    as_: ClientFor, people: People, playbook: Playbook, sessions: dict[str, str], worker: None
) -> Deals:
    return Deals(as_, people, playbook)
