"""Time on one deal over HTTP: its agenda, what happens if nobody acts, check-ins, cadence, calendar."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
import pytest_asyncio
from sqlalchemy import update
from sqlmodel import col
from temporalio.client import Client

from db import playbooks, work
from db.session import Database
from db.tables import User
from domain.ladder import Clock, Ladders
from domain.playbook import Playbook, PlaybookDefinition
from runtime.settings import Settings
from tests.calendars import Diary
from tests.factories import a_playbook
from tests.patience import PATIENCE
from tests.stack import ClientFor, People, Person
from worker import nobody_forgotten
from workflows.messages import workflow_id

pytestmark = pytest.mark.usefixtures("worker")

_LADDER = [{"before": "1d", "tell": "assignee"}, {"tell": "owner"}, {"after": "1d", "tell": "manager"}]


@pytest_asyncio.fixture(scope="session")
async def with_ladders(database: Database) -> Playbook:
    """A playbook whose tasks and check-ins have a ladder each."""
    book = a_playbook(
        key="with-ladders", clock=Clock(stale="3w"), ladders=Ladders(task=_LADDER, check_in=_LADDER)
    )
    definition = PlaybookDefinition.model_validate(book.model_dump(exclude={"version"}))
    async with database.transaction() as session:
        row, _ = await playbooks.publish(session, definition, by=None, now=datetime.now(UTC))
        return playbooks.of_row(row)


@pytest.fixture
def diary(as_: ClientFor, people: People, with_ladders: Playbook) -> Diary:
    return Diary(as_, people, with_ladders)


async def read(diary: Diary, who: Person, deal: Any, what: str, **query: Any) -> Any:
    client = await diary.client(who)
    answer = await client.get(f"/api/v1/opportunities/{deal['id']}/{what}", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def until_it_says(diary: Diary, who: Person, deal: Any, words: str) -> None:
    """Wait until the deal's timeline has these words."""
    async with asyncio.timeout(PATIENCE):
        while True:
            if words in str(await read(diary, who, deal, "timeline")):
                return
            await asyncio.sleep(0.05)


async def put_cadence(diary: Diary, who: Person, deal: Any, **body: Any) -> httpx.Response:
    client = await diary.client(who)
    return await client.put(f"/api/v1/opportunities/{deal['id']}/check-in-cadence", json=body)


ROUTES: tuple[tuple[str, str, Any], ...] = (
    ("GET", "agenda", None),
    ("GET", "forecast", None),
    ("PUT", "check-in-cadence", {"every": "1w"}),
    ("POST", "refresh-calendar", {}),
)


async def test_nobody_and_no_other_partner_gets_at_it(diary: Diary, client: httpx.AsyncClient):
    rep, stranger = await diary.rep(), await diary.seller("borealis")
    deal = await diary.open(rep, "Not yours")
    other = await diary.client(stranger)
    for method, what, body in ROUTES:
        at = f"/api/v1/opportunities/{deal['id']}/{what}"
        assert (await client.request(method, at, json=body)).status_code == 401, what
        assert (await other.request(method, at, json=body)).status_code == 404, what
    assert (await other.get(f"/opportunities/{deal['id']}/forecast")).status_code == 404


async def test_the_agenda_is_in_order_with_its_ladders(diary: Diary):
    rep, seller = await diary.rep(), await diary.seller()
    deal = await diary.open(rep, "In order")
    found = (await read(diary, rep, deal, "agenda"))["items"]
    assert [item["at"] for item in found] == sorted(item["at"] for item in found)
    by_kind = {f"{item['kind']}:{item['key']}": item for item in found}
    assert {"task:confirm-budget", "task:share-profile", "stage:qualify", "check_in:", "stale:vendor"} <= set(
        by_kind
    )
    assert [rung["tell"] for rung in by_kind["task:confirm-budget"]["ladder"]] == [
        "assignee",
        "owner",
        "manager",
    ]
    theirs = (await read(diary, seller, deal, "agenda"))["items"]
    assert {rung["tell"] for item in theirs for rung in item["ladder"]} == {"assignee", "owner"}


async def test_what_happens_if_nobody_acts(diary: Diary):
    rep, seller = await diary.rep(), await diary.seller()
    deal = await diary.open(rep, "Nobody acts")
    ours = (await read(diary, rep, deal, "forecast"))["items"]
    assert [each["at"] for each in ours] == sorted(each["at"] for each in ours)
    assert {"reminded", "fell_due", "escalated"} <= {each["type"] for each in ours}
    theirs = (await read(diary, seller, deal, "forecast"))["items"]
    assert "escalated" not in {each["type"] for each in theirs}
    assert not any(each["internal"] for each in theirs)
    assert (await read(diary, rep, deal, "forecast", days=1))["items"] == []
    again = await read(diary, rep, deal, "agenda")
    assert again["items"], "looking ahead changes nothing"


@pytest.mark.parametrize("days", ["0", "91", "-1", "many"])
async def test_a_forecast_looks_ahead_by_days(diary: Diary, days: str):
    rep = await diary.rep()
    deal = await diary.open(rep, "Too far")
    client = await diary.client(rep)
    answer = await client.get(f"/api/v1/opportunities/{deal['id']}/forecast", params={"days": days})
    assert answer.status_code == 422


async def test_a_check_in_says_who_was_there_and_how_it_felt(diary: Diary):
    rep, seller = await diary.rep(), await diary.seller()
    deal = await diary.open(rep, "Talked")
    after = await diary.do(
        seller, deal, "check-ins", note="All well.", mood="good", attendees=["Ana", "Ben"], next_step="Demo"
    )
    assert after["check_ins"]["last"]["mood"] == "good"
    assert after["check_ins"]["last"]["attendees"] == ["Ana", "Ben"]
    assert after["next_step"] == "Demo"
    (told,) = (await read(diary, rep, deal, "check-ins"))["items"]
    assert (told["data"]["mood"], told["data"]["attendees"]) == ("good", ["Ana", "Ben"])


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        ({"mood": "great"}, "/mood"),
        ({"attendees": ["x" * 300]}, "/attendees/0"),
        ({"attendees": ["Ana"] * 31}, "/attendees"),
        ({"next_at": "2020-01-01T00:00:00Z"}, "/next_at"),
    ],
)
async def test_a_check_in_that_makes_no_sense_is_refused(diary: Diary, wrong: dict[str, Any], pointer: str):
    rep = await diary.rep()
    deal = await diary.open(rep, "Refused")
    client = await diary.client(rep)
    answer = await client.post(f"/api/v1/opportunities/{deal['id']}/check-ins", json={"note": "Hm.", **wrong})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == pointer


async def test_both_sides_say_how_often_they_check_in(diary: Diary):
    rep, seller = await diary.rep(), await diary.seller()
    deal = await diary.open(rep, "How often")
    for who, every in ((rep, "2w"), (seller, "3d")):
        answer = await put_cadence(diary, who, deal, every=every)
        assert answer.status_code == 200, answer.text
        assert answer.json()["check_ins"]["every"] == every
    due = datetime.fromisoformat(answer.json()["next_check_in_at"])
    assert timedelta(days=2) < due - datetime.now(UTC) < timedelta(days=4)
    mine = await put_cadence(diary, seller, deal, every=None, who_id=str(seller.id))
    assert mine.json()["check_ins"]["who"]["id"] == str(seller.id)
    agenda = (await read(diary, rep, deal, "agenda"))["items"]
    check_in = next(item for item in agenda if item["kind"] == "check_in")
    assert check_in["assignee_id"] == str(seller.id)


@pytest.mark.parametrize("every", ["0d", "0bd", "-1w", "sometimes", "1y", "", 7])
async def test_a_cadence_that_is_none_is_refused(diary: Diary, every: Any):
    rep = await diary.rep()
    deal = await diary.open(rep, "Never")
    answer = await put_cadence(diary, rep, deal, every=every)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/every"


async def test_nobody_looks_after_a_deal_that_she_does_not_see(diary: Diary):
    rep, stranger = await diary.rep(), await diary.seller("borealis")
    deal = await diary.open(rep, "Whose")
    for who_id in (str(stranger.id), str(uuid4())):
        answer = await put_cadence(diary, rep, deal, every="1w", who_id=who_id)
        assert answer.status_code == 422, answer.text
    seller = await diary.seller()
    answer = await put_cadence(diary, seller, deal, every="1w", who_id=str(stranger.id))
    assert answer.status_code == 422


async def test_the_deal_goes_by_its_owners_calendar_when_told_to(diary: Diary):
    rep, seller = await diary.rep(), await diary.seller()
    deal = await diary.open(rep, "Moved house")
    assert deal["calendar"]["zone"] == "UTC"
    client = await diary.client(rep)
    changed = await client.patch(f"/api/v1/users/{rep.id}", json={"time_zone": "Asia/Tokyo", "country": "JP"})
    assert changed.status_code == 200, changed.text
    assert (await client.get(f"/api/v1/opportunities/{deal['id']}")).json()["calendar"]["zone"] == "UTC"
    theirs = await diary.client(seller)
    refused = await theirs.post(f"/api/v1/opportunities/{deal['id']}/refresh-calendar")
    assert refused.status_code == 403
    after = await diary.do(rep, deal, "refresh-calendar")
    assert after["calendar"]["zone"] == "Asia/Tokyo"
    assert after["stage"]["due_at"] == deal["stage"]["due_at"]


async def test_the_deals_page_says_what_comes_next_and_what_happens_by_itself(diary: Diary):
    rep, seller = await diary.rep(), await diary.seller()
    deal = await diary.open(rep, "On its page")
    ours, theirs = await diary.client(rep), await diary.client(seller)
    text = (await ours.get(f"/opportunities/{deal['id']}")).text
    assert "Next: “Confirm budget”" in text
    assert "Check-in with Aster Integrators" in text
    assert "the manager is told" in text
    partners = (await theirs.get(f"/opportunities/{deal['id']}")).text
    assert "Check-in with Vendor" in partners
    assert "the manager is told" not in partners
    ahead = (await ours.get(f"/opportunities/{deal['id']}/forecast?days=90")).text
    assert "Tandem reminded" in ahead
    assert "Vendor only" in ahead
    assert "Vendor only" not in (await theirs.get(f"/opportunities/{deal['id']}/forecast?days=90")).text
    assert (
        "Nothing happens by itself" in (await ours.get(f"/opportunities/{deal['id']}/forecast?days=1")).text
    )


def form(**typed: str) -> dict[str, str]:
    return {"_key": uuid4().hex, **typed}


async def test_a_check_in_is_logged_on_its_form_by_ones_own_clock(diary: Diary):
    rep = await diary.rep()
    deal = await diary.open(rep, "By form")
    client = await diary.client(rep)
    await client.patch(f"/api/v1/users/{rep.id}", json={"time_zone": "Asia/Tokyo"})
    at = f"/opportunities/{deal['id']}/actions/check-in"
    assert "Asia/Tokyo" in (await client.get(at)).text
    day = (datetime.now(UTC) + timedelta(days=9)).date()
    typed = form(note="Fine.", mood="bad", attendees="Ana, Ben ,", next_step="Demo", next_at=f"{day}T10:30")
    assert (await client.post(at, data=typed)).status_code == 303
    after = (await client.get(f"/api/v1/opportunities/{deal['id']}")).json()
    assert after["check_ins"]["last"]["attendees"] == ["Ana", "Ben"]
    assert after["next_check_in_at"] == f"{day}T01:30:00Z"
    page = (await client.get(f"/opportunities/{deal['id']}")).text
    assert "logged a check-in with Ana and Ben. It felt bad. Next step: Demo" in page
    refused = await client.post(at, data=form(note="Fine.", next_at="soon"))
    assert refused.status_code == 422


async def test_check_ins_are_planned_on_a_form(diary: Diary):
    rep, seller = await diary.rep(), await diary.seller()
    deal = await diary.open(rep, "Planned")
    at = f"/opportunities/{deal['id']}/actions/cadence"
    ours, theirs = await diary.client(rep), await diary.client(seller)
    assert seller.name in (await ours.get(at)).text
    assert rep.name not in (await theirs.get(at)).text.partition('id="who_id"')[2]
    assert (await ours.post(at, data=form(every="1w", who_id=str(rep.id)))).status_code == 303
    assert (await theirs.post(at, data=form(every="2bd", who_id=str(rep.id)))).status_code == 303
    after = (await ours.get(f"/api/v1/opportunities/{deal['id']}")).json()["check_ins"]
    assert (after["every"], after["who"]["id"]) == ("2bd", str(rep.id))
    refresh = f"/opportunities/{deal['id']}/actions/refresh-calendar"
    assert "Deadlines that are set already stay" in (await ours.get(refresh)).text
    assert (await ours.post(refresh, data=form())).status_code == 303


async def test_the_next_step_stands_on_the_board(diary: Diary):
    rep = await diary.rep()
    deal = await diary.open(rep, "On the board")
    step = f"Call the plant {uuid4().hex[:6]}"
    await diary.do(rep, deal, "check-ins", note="Talked.", next_step=step)
    client = await diary.client(rep)
    board = (await client.get("/pipeline", params={"owner": str(rep.id)})).text
    assert f"Next step: {step}" in board


LEFT = "has left, and had “Book a room” and the check-ins to look after."


async def two_of(diary: Diary, rep: Person, seller: Person) -> list[dict[str, Any]]:
    """Two deals on which the seller has a task and the check-ins; one is on hold."""
    mine = {"side": "partner", "partner_id": str(diary.people.aster.id), "assignee_id": str(seller.id)}
    deals = [await diary.open(rep, title) for title in ("Left behind", "On hold meanwhile")]
    for deal in deals:
        assert (await put_cadence(diary, seller, deal, every="1w", who_id=str(seller.id))).status_code == 200
        await diary.do(rep, deal, "tasks", title="Book a room", **mine)
    await diary.do(rep, deals[1], "hold", reason="The budget is frozen")
    return deals


async def test_who_is_let_go_has_nothing_to_look_after_any_more(diary: Diary):
    rep, seller, admin = await diary.rep(), await diary.seller(), await diary.as_("admin@vendor.example")
    deals = await two_of(diary, rep, seller)
    assert (await admin.patch(f"/api/v1/users/{seller.id}", json={"active": False})).status_code == 200
    for deal in deals:
        await until_it_says(diary, rep, deal, LEFT)
    due = await read(diary, rep, deals[0], "agenda")
    assert {item["assignee_id"] for item in due["items"]} == {None}
    client = await diary.client(rep)
    found = (await client.get(f"/api/v1/opportunities/{deals[1]['id']}")).json()
    assert {task["assignee"] for task in found["tasks"]} == {None}


async def let_go(database: Database, person: Person) -> None:
    """As over the API, but nobody tells the deals: as if Temporal was away."""
    async with database.transaction() as session:
        await session.execute(update(User).where(col(User.id) == person.id).values(active=False))


async def test_nor_does_who_was_let_go_while_the_deals_could_not_be_told(
    diary: Diary, database: Database, temporal: Client, settings: Settings
):
    rep, seller, colleague = await diary.rep(), await diary.seller(), await diary.seller()
    deals, others = await two_of(diary, rep, seller), await two_of(diary, rep, colleague)
    await let_go(database, seller)
    async with nobody_forgotten(temporal, database, settings):
        for deal in deals:
            await until_it_says(diary, rep, deal, LEFT)
    async with database.read() as session:
        left = await work.given_to_the_gone(session)
        given = await work.deals_given_to(session, colleague.id)
    assert seller.id not in {person for _, person in left}, "told, they are not told again"
    assert {str(deal) for deal in given} == {deal["id"] for deal in others}


async def test_a_deal_that_lost_its_process_is_named_and_keeps_no_other_from_being_told(
    diary: Diary, database: Database, temporal: Client, settings: Settings, worker_log: list[Any]
):
    rep, seller = await diary.rep(), await diary.seller()
    deals = [*await two_of(diary, rep, seller), *await two_of(diary, rep, seller)]
    lost = deals.pop(0)
    await temporal.get_workflow_handle(workflow_id(UUID(lost["id"]))).terminate()
    await let_go(database, seller)
    named = {"event": "forgotten.not_told", "why": "NOT_FOUND", "opportunity": lost["id"]}
    async with nobody_forgotten(temporal, database, settings):
        for deal in deals:
            await until_it_says(diary, rep, deal, LEFT)
        async with asyncio.timeout(PATIENCE):
            while {**named, "log_level": "warning"} not in worker_log:  # noqa: ASYNC110 - it is logged in passing
                await asyncio.sleep(0.02)


async def test_who_has_left_is_given_nothing(diary: Diary, database: Database):
    rep, seller = await diary.rep(), await diary.seller()
    deal = await diary.open(rep, "Too late")
    await let_go(database, seller)
    client, at = await diary.client(rep), f"/api/v1/opportunities/{deal['id']}"
    given = await client.post(f"{at}/tasks/share-profile/assign", json={"user_id": str(seller.id)})
    assert (given.status_code, given.json()["errors"][0]["pointer"]) == (422, "/user_id")
    assert given.json()["detail"] == f"{seller.name} is no longer here; choose somebody else."
    assert (await put_cadence(diary, rep, deal, every="1w", who_id=str(seller.id))).status_code == 422
