"""My work: in groups by the reader's own day, check-ins and follow-ups among them, and counted."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from db.session import Database
from db.tables import FollowUpRow, HandOffRow
from db.work import Group, Until
from domain.opportunity.work import WorkItem, WorkKind
from domain.playbook import Playbook
from domain.principal import Role, Side
from runtime.ids import new_id
from tests.calendars import Diary
from tests.stack import PASSWORD, ClientFor, People, Person

pytestmark = pytest.mark.usefixtures("worker")

NOW = datetime.now(UTC)


@pytest.fixture
def diary(as_: ClientFor, people: People, playbook: Playbook) -> Diary:
    return Diary(as_, people, playbook)


async def page(diary: Diary, who: Person, query: str = "") -> str:
    client = await diary.client(who)
    answer = await client.get(f"/{query}")
    assert answer.status_code == 200
    return answer.text


def groups(text: str) -> dict[str, str]:
    """The page's groups by title, each as its part of the page."""
    parts = re.split(r'<h2 id="group-\w+">', text)[1:]
    return {part.partition("<")[0]: part for part in parts}


async def customer_success(diary: Diary) -> Person:
    email = f"success-{new_id().hex[:12]}@vendor.example"
    diary.people.known[email] = await diary.people.add(email, Role.CUSTOMER_SUCCESS)
    return diary.people.known[email]


async def handed_over(
    database: Database, deal: Any, receiver: UUID | None, due_at: datetime, **more: Any
) -> None:
    """The rows of a hand-off that was accepted, with one follow-up."""
    held, opportunity_id = new_id(), UUID(deal["id"])
    row: dict[str, Any] = {"progress": "accepted", "open": True, "since": NOW, "accepted_at": NOW}
    async with database.transaction() as session:
        session.add(
            HandOffRow(
                id=held, version=1, opportunity_id=opportunity_id, receiver_id=receiver, state_json={}, **row
            )
        )
        follow_up: dict[str, Any] = {"state": "planned", "awaited": False, "title": "Is everybody trained?"}
        session.add(
            FollowUpRow(
                handoff_id=held,
                key="30d",
                opportunity_id=opportunity_id,
                receiver_id=receiver,
                due_at=due_at,
                **follow_up | more,
            )
        )


def test_work_is_grouped_by_urgency_and_then_by_what_it_is():
    day, week = NOW + timedelta(hours=3), NOW + timedelta(days=7)
    until = Until(NOW, day, week)

    def group(kind: WorkKind, due_at: datetime | None) -> Group:
        return until.group(
            WorkItem(kind=kind, key="x", title="X", side=Side.VENDOR, since=NOW, due_at=due_at)
        )

    ago, soon, later = NOW - timedelta(minutes=1), day + timedelta(days=1), week + timedelta(days=1)
    for kind in WorkKind:
        assert group(kind, ago) is Group.OVERDUE
        assert group(kind, day - timedelta(minutes=1)) is Group.TODAY
    assert group(WorkKind.TASK, soon) is Group.WEEK
    assert group(WorkKind.TASK, later) is group(WorkKind.TASK, None) is Group.LATER
    assert group(WorkKind.CHECK_IN, soon) is group(WorkKind.CHECK_IN, later) is Group.CHECK_INS
    assert group(WorkKind.FOLLOW_UP, later) is Group.FOLLOW_UPS


async def test_the_page_counts_all_that_waits(diary: Diary):
    rep = await diary.rep()
    for n in range(3):
        await diary.open(rep, f"Counted {n}")
    text = await page(diary, rep)
    assert "3 things due this week" in text
    found = groups(text)
    assert list(found) == ["This week", "Check-ins", "Later"]
    assert 'class="tally">3<' in found["Check-ins"]
    assert "Check in with Aster Integrators" in found["Check-ins"]
    assert "All clear" in await page(diary, await diary.rep())


async def test_a_check_in_is_one_key_away(diary: Diary):
    rep, seller = await diary.rep(), await diary.seller()
    deal = await diary.open(rep, "One key")
    found = groups(await page(diary, rep))["Check-ins"]
    link = re.search(r'<a class="tick tick-kind" href="([^"?]+)[^>]*data-complete', found)
    assert link
    assert link[1] == f"/opportunities/{deal['id']}/actions/check-in"
    theirs = [item for item in await diary.work(seller) if item["opportunity"]["id"] == deal["id"]]
    assert "Check in with the vendor" in [item["title"] for item in theirs if item["kind"] == "check_in"]


async def test_a_follow_up_is_its_receivers_and_stands_in_her_calendar(diary: Diary, database: Database):
    rep, mine, other = await diary.rep(), await customer_success(diary), await customer_success(diary)
    seller = await diary.seller()
    deal = await diary.open(rep, "Followed up")
    due = NOW + timedelta(days=12)
    await handed_over(database, deal, mine.id, due)
    assert "Is everybody trained?" in groups(await page(diary, mine))["Follow-ups"]
    assert "Is everybody trained?" not in await page(diary, other)
    for partner in (seller, await diary.seller("borealis")):
        assert "Is everybody trained?" not in await page(diary, partner, "?scope=team")
        for whose in ("me", "all"):
            found = await diary.due(partner, whose=whose, kind=["follow_up"])
            assert found == []
    (event,) = await diary.due(mine, kind=["follow_up"])
    assert (event["title"], event["opportunity"]["id"]) == ("Is everybody trained?", deal["id"])
    client = await diary.client(mine)
    items = (await client.get("/api/v1/work")).json()["items"]
    assert [item["kind"] for item in items if item["assignee_id"] == str(mine.id)] == ["follow_up"]


async def test_a_follow_up_of_nobody_is_customer_success_to_take_and_a_done_one_nobodys(
    diary: Diary, database: Database
):
    rep, success = await diary.rep(), await customer_success(diary)
    free, done = await diary.open(rep, "Free"), await diary.open(rep, "Done")
    await handed_over(database, free, None, NOW - timedelta(days=1), title="Whose is it?")
    await handed_over(database, done, success.id, NOW, title="Is done", done_at=NOW, state="done")
    text = await page(diary, success)
    assert "Whose is it?" in groups(text)["Overdue"]
    assert "Is done" not in text
    assert "Whose is it?" not in await page(diary, rep)


async def test_today_is_the_readers_own(diary: Diary, database: Database):
    rep, success = await diary.rep(), await customer_success(diary)
    deal = await diary.open(rep, "Date line")
    client = await diary.client(success)
    await handed_over(database, deal, success.id, datetime.now(UTC) + timedelta(hours=12))
    seen = set()
    for zone in ("UTC", "Etc/GMT-12"):  # where it is morning in one, it is evening in the other
        changed = await client.patch(f"/api/v1/users/{success.id}", json={"time_zone": zone})
        assert changed.status_code == 200, changed.text
        found = groups(await page(diary, success))
        seen |= {group for group, text in found.items() if "Date line" in text}
    assert seen == {"Today", "Follow-ups"}


LATE = re.compile(r'<span class="count late">(\d+)</span><span class="sr-only"> overdue')


async def late(client: httpx.AsyncClient) -> str | None:
    """The number beside “My work” in the navigation."""
    shown = LATE.search((await client.get("/calendar")).text)
    return shown[1] if shown else None


async def test_every_page_says_how_much_is_overdue(
    diary: Diary, database: Database, client: httpx.AsyncClient
):
    rep, email = await diary.rep(), f"receiver-{new_id().hex[:12]}@vendor.example"
    mine = await diary.people.add(email, Role.SALES_REP, password=PASSWORD)
    deal, other = await diary.open(rep, "Late"), await diary.open(rep, "Another's")
    await client.post("/sign-in", data={"email": email, "password": PASSWORD})
    assert await late(client) is None
    await handed_over(database, deal, mine.id, NOW - timedelta(days=1))
    await handed_over(database, other, (await customer_success(diary)).id, NOW - timedelta(days=1))
    assert await late(client) == "1"


async def test_what_is_overdue_of_a_colleague_is_not_mine(
    diary: Diary, database: Database, client: httpx.AsyncClient
):
    rep = await diary.rep()
    for wanted in (2, 3):
        email = f"receiver-{new_id().hex[:12]}@vendor.example"
        mine = await diary.people.add(email, Role.SALES_REP, password=PASSWORD)
        for number in range(wanted):
            deal = await diary.open(rep, f"Late {number}")
            await handed_over(database, deal, mine.id, NOW - timedelta(days=1))
        await client.post("/sign-in", data={"email": email, "password": PASSWORD})
        assert await late(client) == str(wanted)
