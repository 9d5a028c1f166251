"""The calendar over HTTP: what falls due, for whom, and between which days."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import httpx
import pytest

from db.session import Database
from domain.playbook import Playbook
from tests.calendars import CLOSE, Diary
from tests.stack import ClientFor, People, Person

pytestmark = pytest.mark.usefixtures("worker")

CALENDAR = "/api/v1/calendar"


@pytest.fixture
def diary(as_: ClientFor, people: People, playbook: Playbook) -> Diary:
    return Diary(as_, people, playbook)


def around(days: int = 40) -> dict[str, str]:
    """From yesterday to so many days from now, and the close of every deal here."""
    today = datetime.now(UTC).date()
    return {"from": str(today - timedelta(days=1)), "to": str(today + timedelta(days=days))}


def on(deal: Any, items: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """What is due on this deal, by kind and key."""
    ours = [item for item in items if item["opportunity"]["id"] == deal["id"]]
    return {f"{item['kind']}:{item['key']}": item for item in ours}


async def test_anonymous_is_asked_to_sign_in(client: httpx.AsyncClient):
    assert (await client.get(CALENDAR)).status_code == 401


async def test_a_deals_deadlines_are_in_the_calendars_of_those_who_have_to_act(diary: Diary):
    rep, seller = await diary.rep(), await diary.seller()
    deal = await diary.open(rep, "Two sides")
    close = {"from": str(CLOSE), "to": str(CLOSE)}
    mine = on(deal, await diary.due(rep, **around()))
    assert set(mine) == {"task:confirm-budget", "stage:qualify", "check_in:"}
    assert mine["task:confirm-budget"]["title"] == "Confirm budget"
    assert mine["task:confirm-budget"]["opportunity"]["version"] == deal["version"]
    theirs = on(deal, await diary.due(seller, **around()))
    assert set(theirs) == {"task:share-profile", "stage:qualify", "check_in:"}
    assert on(deal, await diary.due(rep, **close))["expected_close:"]["day"] == str(CLOSE)
    assert "expected_close:" in on(deal, await diary.due(seller, **close))


async def test_another_partner_sees_nothing_of_it(diary: Diary):
    rep, stranger = await diary.rep(), await diary.seller("borealis")
    deal = await diary.open(rep, "Not for Borealis")
    for whose in ("me", "team", "all"):
        assert on(deal, await diary.due(stranger, whose=whose, **around())) == {}


async def test_nor_does_a_partner_that_has_left(diary: Diary):
    rep, seller = await diary.rep(), await diary.seller()
    deal = await diary.open(rep, "Left again")
    client = await diary.client(rep)
    answer = await client.delete(f"/api/v1/opportunities/{deal['id']}/partners/{diary.people.aster.id}")
    assert answer.status_code < 300
    assert on(deal, await diary.due(seller, whose="all", **around())) == {}


async def test_a_partner_on_the_deal_does_not_see_what_others_have_to_do(diary: Diary):
    rep, stranger = await diary.rep(), await diary.seller("borealis")
    partners = [
        {"partner_id": str(diary.people.aster.id), "role": "reseller"},
        {"partner_id": str(diary.people.borealis.id), "role": "technology"},
    ]
    deal = await diary.open(rep, "Three of us", partners=partners)
    found = on(deal, await diary.due(stranger, whose="all", **around()))
    assert set(found) == {"stage:qualify", "check_in:"}


async def test_what_is_done_leaves_the_calendar(diary: Diary):
    rep = await diary.rep()
    deal = await diary.open(rep, "Done")
    await diary.do(rep, deal, "tasks/confirm-budget/complete")
    assert "task:confirm-budget" not in on(deal, await diary.due(rep, **around()))
    await diary.do(rep, deal, "lose", reason="price")
    assert on(deal, await diary.due(rep, whose="all", **around())) == {}


async def test_a_hold_leaves_only_its_end(diary: Diary):
    rep = await diary.rep()
    deal = await diary.open(rep, "Paused")
    until = (datetime.now(UTC) + timedelta(days=5)).isoformat()
    await diary.do(rep, deal, "hold", reason="Holidays", until=until)
    assert set(on(deal, await diary.due(rep, **around()))) == {"hold_ends:"}


async def test_a_task_given_to_a_colleague_is_in_her_calendar(diary: Diary):
    rep, colleague = await diary.rep(), await diary.rep()
    deal = await diary.open(rep, "Given away")
    await diary.do(rep, deal, "tasks/confirm-budget/assign", user_id=str(colleague.id))
    assert set(on(deal, await diary.due(colleague, **around()))) == {"task:confirm-budget"}
    assert "task:confirm-budget" not in on(deal, await diary.due(rep, **around()))


async def manage(diary: Diary, manager: Person, *people: Person) -> None:
    admin = await diary.as_("admin@vendor.example")
    for person in people:
        answer = await admin.patch(f"/api/v1/users/{person.id}", json={"manager_id": str(manager.id)})
        assert answer.status_code == 200, answer.text


async def test_a_team_is_who_has_my_manager_and_who_is_below_me(diary: Diary):
    boss, one, two, other = [await diary.rep() for _ in range(4)]
    await manage(diary, boss, one, two)
    ours, theirs = await diary.open(one, "Of the team"), await diary.open(other, "Of another")
    for member in (boss, two):
        found = await diary.due(member, whose="team", **around())
        assert "task:confirm-budget" in on(ours, found)
        assert on(theirs, found) == {}
        assert on(ours, await diary.due(member, **around())) == {}
    everything = await diary.due(other, whose="all", **around(), kind=["task"], limit=200)
    assert {item["kind"] for item in everything} == {"task"}


async def test_only_the_kinds_that_are_asked_for(diary: Diary):
    rep = await diary.rep()
    deal = await diary.open(rep, "Kinds")
    found = on(deal, await diary.due(rep, kind=["stage", "check_in"], **around()))
    assert set(found) == {"stage:qualify", "check_in:"}
    assert on(deal, await diary.due(rep, kind=["decision"], **around())) == {}


async def test_days_are_those_of_ones_own_time_zone(diary: Diary):
    rep = await diary.rep()
    deal = await diary.open(rep, "Far east")
    at = datetime.fromisoformat(on(deal, await diary.due(rep, **around()))["task:confirm-budget"]["at"])
    client = await diary.client(rep)
    for name in ("Pacific/Kiritimati", "Pacific/Pago_Pago"):
        user = (await client.get(f"/api/v1/users/{rep.id}")).json()
        changed = await client.patch(
            f"/api/v1/users/{rep.id}", json={"time_zone": name}, headers={"If-Match": f'"{user["version"]}"'}
        )
        assert changed.status_code == 200, changed.text
        day = str(at.astimezone(ZoneInfo(name)).date())
        assert "task:confirm-budget" in on(deal, await diary.due(rep, **{"from": day, "to": day}))
        close = on(deal, await diary.due(rep, **{"from": str(CLOSE), "to": str(CLOSE)}))
        assert set(close) == {"expected_close:"}


async def test_a_long_list_comes_in_pages_in_order(diary: Diary):
    rep = await diary.rep()
    for n in range(3):
        await diary.open(rep, f"Page {n}")
    client = await diary.client(rep)
    seen: list[str] = []
    query: dict[str, Any] = {**around(), "limit": 4}
    while True:
        answer = (await client.get(CALENDAR, params=query)).json()
        seen += [item["at"] for item in answer["items"]]
        if answer["next_cursor"] is None:
            break
        query["cursor"] = answer["next_cursor"]
    assert len(seen) == 9
    assert seen == sorted(seen)


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ({"from": "2027-02-01", "to": "2027-01-01"}, "/to"),
        ({"from": "2026-01-01", "to": "2027-06-01"}, "/to"),
        ({"from": "tomorrow"}, "/from"),
        ({"kind": "birthday"}, "/kind/0"),
        ({"whose": "everybody"}, "/whose"),
        ({"month": "2027-01"}, "/month"),
    ],
)
async def test_what_makes_no_sense_is_refused(as_: ClientFor, query: dict[str, str], pointer: str):
    rep = await as_("rep@vendor.example")
    answer = await rep.get(CALENDAR, params=query)
    assert answer.status_code == 422
    problem = answer.json()
    pointers = [error["pointer"] for error in problem.get("errors", [])] or [problem.get("pointer")]
    assert pointer in pointers


async def test_somebody_without_deadlines_has_an_empty_calendar(diary: Diary, database: Database):
    del database
    rep = await diary.rep()
    assert await diary.due(rep) == []
    page = await diary.client(rep)
    text = (await page.get("/calendar?month=2030-05")).text
    assert "Nothing falls due in May 2030" in text
    assert "Nothing falls due on this day" in (await page.get("/calendar?day=2030-05-05")).text


async def test_the_page_shows_a_month_and_a_day(diary: Diary):
    rep = await diary.rep()
    title = f"On the page {uuid4().hex[:6]}"
    await diary.open(rep, title)
    page = await diary.client(rep)
    month = (await page.get(f"/calendar?month={CLOSE:%Y-%m}&kind=expected_close")).text
    assert title in month
    assert f"1 thing falls due in {CLOSE:%B %Y}" in month
    day = (await page.get(f"/calendar?day={CLOSE}")).text
    assert title in day
    assert title not in (await page.get(f"/calendar?day={CLOSE}&kind=task")).text
    for odd in ("month=2027-13", "month=x", "day=2027-02-30", "day=&kind=nothing&whose=nobody"):
        assert (await page.get(f"/calendar?{odd}")).status_code == 200


async def test_a_full_day_says_how_much_more_there_is(diary: Diary):
    rep = await diary.rep()
    for n in range(6):
        await diary.open(rep, f"Full {n}")
    page = await diary.client(rep)
    text = (await page.get(f"/calendar?month={CLOSE:%Y-%m}")).text
    assert "2 more" in text
    assert (await page.get(f"/calendar?day={CLOSE}")).text.count("Expected close") >= 6


async def test_a_stranger_is_sent_to_sign_in(client: httpx.AsyncClient):
    for answer in (
        await client.get("/calendar", headers={"Accept": "text/html"}),
        await client.get("/calendar/feeds", headers={"Accept": "text/html"}),
        await client.post("/calendar/feeds", headers={"Accept": "text/html"}),
        await client.post(f"/calendar/feeds/{uuid4()}/revoke", headers={"Accept": "text/html"}),
    ):
        assert answer.status_code == 303
        assert answer.headers["location"].startswith("/sign-in")
