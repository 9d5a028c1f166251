"""Deciding by a link in a mail, from the mail server to the process and back; and ways that lead nowhere."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
from pydantic import SecretStr
from sqlalchemy import update
from sqlmodel import col, select
from temporalio.client import Client

from api.app import create_app
from api.services import Services
from db.session import Database
from db.tables import MailLink, User
from domain.approval import commands as ask
from domain.approval.state import ApprovalState, Channel
from domain.principal import Role
from runtime.ids import new_id
from runtime.links import Links
from runtime.settings import Settings
from tests.decisions import Case, a_case
from tests.patience import PATIENCE
from tests.stack import PASSWORD, People, Person, calling

PAGE = {"Accept": "text/html"}


@pytest.fixture
async def services(settings: Settings, address: str, database: Database) -> AsyncIterator[Services]:
    """What the API works with, over the same servers."""
    app = create_app(settings)
    async with app.router.lifespan_context(app):
        yield app.state.services


@pytest.fixture
async def case(services: Services, temporal: Client, worker: None, people: People) -> Case:
    return await a_case(services, temporal, people)


@pytest.fixture
async def browser(address: str) -> AsyncIterator[httpx.AsyncClient]:
    """A browser in which nobody is signed in, and which keeps from where it comes."""
    async with calling(address, headers={**PAGE, "Origin": "null"}) as nobody:
        yield nobody


async def choose(browser: httpx.AsyncClient, token: str, choice: str, **more: str) -> httpx.Response:
    return await browser.post("/decide", data={"token": token, "choice": choice, **more})


def closed(answer: httpx.Response, status: int, *words: str) -> None:
    """The answer is a page with a sentence, and no form."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert 'action="/decide"' not in answer.text
    for each in words:
        assert each in answer.text


async def test_a_link_shows_the_request_to_who_holds_it_and_changes_nothing(
    case: Case, browser: httpx.AsyncClient
):
    token = await case.link(case.desk)
    before = await case.approval()
    for method in ("GET", "GET", "HEAD"):
        answer = await browser.request(method, f"/decide/{token}")
        assert answer.status_code == 200
    shown = (await browser.get(f"/decide/{token}")).text
    assert "27.5 % on ERP &lt;rollout&gt;" in shown
    assert f"You decide as {case.desk.name}, for Deal desk" in shown
    assert "A competitor offers less." in shown
    assert (await case.approval()) == before
    async with case.database.read() as session:
        mine = select(MailLink.used_at).where(col(MailLink.user_id) == case.desk.id)
        assert (await session.execute(mine)).scalars().all() == [None]


async def test_who_is_asked_is_told_in_tandem_too(case: Case, client: httpx.AsyncClient):
    async with asyncio.timeout(PATIENCE):
        while True:  # its process tells people beside whoever waits for an answer
            if found := await notices_of(client, case.desk):
                break
            await asyncio.sleep(0.05)
    (notice,) = found
    assert (notice["kind"], notice["approval_id"]) == ("decision_wanted", str(case.id))
    assert not await notices_of(client, case.finance)


async def notices_of(client: httpx.AsyncClient, person: Person) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await client.get("/api/v1/notices", headers=person.headers)).json()[
        "items"
    ]
    return found


async def test_a_link_is_told_to_nobody(case: Case, browser: httpx.AsyncClient):
    answer = await browser.get(f"/decide/{await case.link(case.desk)}")
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"] == "no-store"
    assert "noindex" in answer.headers["x-robots-tag"]
    assert "form-action 'self'" in answer.headers["content-security-policy"]
    assert not re.findall(r'(?:src|href)="https?:', answer.text)


async def test_one_decides_by_a_link_once_as_the_person_it_was_sent_to(
    case: Case, browser: httpx.AsyncClient
):
    token = await case.link(case.desk)
    done = await choose(browser, token, "approve", comment="Fine with me.")
    assert done.status_code == 200, done.text
    assert "you approved 27.5 % on ERP &lt;rollout&gt;" in done.text
    step = (await case.approval()).step("desk")
    assert step is not None
    (decision,) = step.decisions
    assert (decision.by.id, decision.channel, decision.comment) == (
        case.desk.id,
        Channel.MAIL,
        "Fine with me.",
    )
    for answer in (
        await browser.get(f"/decide/{token}"),
        await choose(browser, token, "reject", comment="No, after all."),
    ):
        closed(answer, 410, "You have used this link", "you approved 27.5 % on ERP &lt;rollout&gt;")
    assert (await case.approval()).state is ApprovalState.PENDING


@pytest.mark.parametrize(
    ("choice", "state"), [("reject", ApprovalState.REJECTED), ("return", ApprovalState.RETURNED)]
)
async def test_who_says_no_says_why(
    case: Case, browser: httpx.AsyncClient, choice: str, state: ApprovalState
):
    token = await case.link(case.desk)
    for empty in ({}, {"comment": "   "}):
        asked = await choose(browser, token, choice, **empty)
        assert asked.status_code == 422
        assert "Say why" in asked.text
        assert 'action="/decide"' in asked.text
    said = await choose(browser, token, choice, comment="Too much <for> us.")
    assert said.status_code == 200, said.text
    after = await case.approval()
    assert after.state is state
    closed(await browser.get(f"/decide/{token}"), 410)


async def test_less_is_offered_by_a_link(case: Case, browser: httpx.AsyncClient):
    token = await case.link(case.desk)
    for percent in ("", "0", "27.5", "a lot"):
        asked = await choose(browser, token, "counter", percent=percent)
        assert asked.status_code == 422, asked.text
        assert 'action="/decide"' in asked.text
    assert not (await case.approval()).step("desk").decisions
    done = await choose(browser, token, "counter", percent="20,5 %", note="For three years.")
    assert done.status_code == 200, done.text
    assert "you offered less instead of 27.5 % on" in done.text
    after = await case.approval()
    assert after.state is ApprovalState.COUNTERED
    assert after.counter is not None
    assert (str(after.counter.percent), after.counter.comment) == ("20.5", "For three years.")
    closed(await browser.get(f"/decide/{token}"), 410)


async def test_the_last_yes_approves_the_request(case: Case, browser: httpx.AsyncClient):
    await choose(browser, await case.link(case.desk), "approve")
    done = await choose(browser, await case.link(case.finance, "finance"), "approve")
    assert "Others still decide" not in done.text
    assert (await case.approval()).state is ApprovalState.APPROVED


async def test_what_is_no_choice_is_asked_again(case: Case, browser: httpx.AsyncClient):
    token = await case.link(case.desk)
    for choice in ("", "delegate", "recall"):
        answer = await choose(browser, token, choice)
        assert answer.status_code == 422
        assert "Choose whether" in answer.text
    for comment in ("x" * 6000, "nul\0", "bell\a"):
        assert (await choose(browser, token, "reject", comment=comment)).status_code == 422
    assert not (await case.approval()).step("desk").decisions


async def test_a_forged_link_leads_nowhere(case: Case, browser: httpx.AsyncClient):
    token = await case.link(case.desk)
    stranger = Links(Settings(home=case.services.settings.home / "elsewhere", secret_key=SecretStr("k" * 32)))
    head, _, rest = token.partition(".")
    for forged in (
        "nonsense",
        token[:-2],
        f"{head}a.{rest}",
        stranger.token(new_id()),
        "%00",
        "a" * 5000,
    ):
        closed(await browser.get(f"/decide/{forged}"), 404)
        closed(await choose(browser, forged, "approve"), 404)
    closed(await choose(browser, "", "approve"), 404)
    closed(await browser.get(f"/decide/{case.services.links.token(new_id())}"), 410, "too old")
    assert not (await case.approval()).step("desk").decisions


async def test_an_expired_link_says_so(case: Case, browser: httpx.AsyncClient):
    token = await case.link(case.desk)
    async with case.database.transaction() as session:
        mine = update(MailLink).where(col(MailLink.user_id) == case.desk.id)
        await session.execute(mine.values(expires_at=datetime.now(UTC) - timedelta(seconds=1)))
    closed(await browser.get(f"/decide/{token}"), 410, "expired")
    closed(await choose(browser, token, "approve"), 410, "expired")


async def test_somebody_elses_link_does_not_make_one_somebody_else(case: Case, address: str, people: People):
    token = await case.link(case.desk)
    other = await people.add(f"{uuid4().hex}@vendor.example", Role.DEAL_DESK, password=PASSWORD)
    async with calling(address, headers=PAGE) as theirs:
        await theirs.post("/sign-in", data={"email": other.email, "password": PASSWORD})
        for answer in (await theirs.get(f"/decide/{token}"), await choose(theirs, token, "approve")):
            closed(answer, 403, "sent to somebody else")
            assert case.desk.name not in answer.text
    async with calling(address, headers=PAGE) as mine:
        await mine.post("/sign-in", data={"email": case.desk.email, "password": PASSWORD})
        assert (await choose(mine, token, "approve")).status_code == 200


async def test_after_a_recall_it_is_too_late(case: Case, browser: httpx.AsyncClient):
    token = await case.link(case.desk)
    await case.ask(case.rep, ask.Recall())
    closed(await browser.get(f"/decide/{token}"), 409, "was recalled already")
    closed(await choose(browser, token, "approve"), 409, "was recalled already")
    assert (await case.approval()).state is ApprovalState.RECALLED


async def test_between_reading_and_clicking_things_may_change(case: Case, browser: httpx.AsyncClient):
    token = await case.link(case.desk)
    version = str((await case.approval()).version)
    await case.ask(case.desk, ask.DelegateSeat(to=delegate(case.finance)))
    closed(await choose(browser, token, "approve", _version=version), 403)
    assert not (await case.approval()).step("desk").decisions


def delegate(to: Person) -> ask.Delegate:
    return ask.Delegate(id=to.id, name=to.name, side=to.principal.side)


async def test_what_has_changed_since_it_was_read_is_shown_again(case: Case, browser: httpx.AsyncClient):
    token = await case.link(case.desk)
    answer = await choose(browser, token, "approve", _version="1")
    assert answer.status_code == 412
    assert 'action="/decide"' in answer.text
    assert not (await case.approval()).step("desk").decisions


async def test_who_decided_in_tandem_needs_no_link_any_more(case: Case, browser: httpx.AsyncClient):
    token = await case.link(case.desk)
    await case.ask(case.desk, ask.Approve())
    closed(await browser.get(f"/decide/{token}"), 409, "You have decided on Deal desk already")
    closed(await choose(browser, token, "reject", comment="No."), 409)


async def test_a_link_of_an_earlier_round_does_not_decide_on_a_later_one(
    case: Case, browser: httpx.AsyncClient
):
    old, older = await case.link(case.desk), await case.link(case.desk, cause="reminder")
    await choose(browser, old, "return", comment="Less, please.")
    await case.ask(case.rep, ask.Resubmit(percent="25"))
    closed(await browser.get(f"/decide/{older}"), 410, "has been changed since this mail")
    closed(await choose(browser, older, "approve"), 410)
    new = await case.link(case.desk, cause="again")
    assert (await choose(browser, new, "approve")).status_code == 200


async def test_who_has_left_decides_nothing(case: Case, browser: httpx.AsyncClient):
    token = await case.link(case.desk)
    async with case.database.transaction() as session:
        await session.execute(update(User).where(col(User.id) == case.desk.id).values(active=False))
    closed(await browser.get(f"/decide/{token}"), 403, "no longer takes part")
    closed(await choose(browser, token, "approve"), 403)
    assert not (await case.approval()).step("desk").decisions


async def test_two_clicks_at_once_are_one_decision(case: Case, browser: httpx.AsyncClient):
    token = await case.link(case.desk)
    answers = await asyncio.gather(*(choose(browser, token, "approve") for _ in range(4)))
    assert {answer.status_code for answer in answers} <= {200, 409, 410}
    assert 200 in {answer.status_code for answer in answers}
    assert len((await case.approval()).step("desk").decisions) == 1


async def test_the_address_with_the_token_takes_no_form(case: Case, browser: httpx.AsyncClient):
    token = await case.link(case.desk)
    answer = await browser.post(f"/decide/{token}", data={"choice": "approve"})
    assert answer.status_code == 405
    assert not (await case.approval()).step("desk").decisions
