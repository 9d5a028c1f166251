"""Notification preferences: each person's own, by API, by page and by the way out of a mail."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from uuid import uuid4
from zoneinfo import ZoneInfo

import httpx
import pytest
from temporalio.client import Client, WorkflowExecutionStatus

from activities.notify import NotifyActivities
from api.app import create_app
from db import deliveries
from db.session import Database
from domain.notice import Message, NoticeKind
from domain.principal import Role
from runtime.links import Links
from runtime.settings import Settings
from tests.stack import PASSWORD, ClientFor, People, Person, calling, serving
from workflows.courier_messages import courier_id

API = "/api/v1/notification-preferences"
PAGE = "/notifications"
SLACK = "https://hooks.slack.com/services/T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ"


@pytest.fixture
async def person(people: People) -> Person:
    email = f"{uuid4().hex}@vendor.example"
    people.known[email] = await people.add(email, Role.SALES_REP, password=PASSWORD)
    return people.known[email]


@pytest.fixture
async def mine(as_: ClientFor, person: Person) -> httpx.AsyncClient:
    return await as_(person.email)


async def test_anonymous_is_asked_to_sign_in(client: httpx.AsyncClient):
    for answer in (await client.get(API), await client.patch(API, json={"digest_at": "07:00"})):
        assert answer.status_code == 401
    page = await client.get(PAGE, headers={"Accept": "text/html"})
    assert page.headers["location"] == "/sign-in?next=%2Fnotifications"
    assert (await client.post(PAGE, headers={"Accept": "text/html"})).status_code == 303


async def test_who_has_chosen_nothing_has_the_defaults_of_every_kind(mine: httpx.AsyncClient):
    answer = await mine.get(API)
    assert answer.headers["ETag"] == '"1"'
    found = answer.json()
    assert set(found["kinds"]) == {kind.value for kind in NoticeKind}
    assert found["kinds"]["decision_wanted"] == {"in_app": "at_once", "mail": "at_once", "chat": "at_once"}
    assert found["kinds"]["task_due"] == {"in_app": "at_once", "mail": "daily", "chat": "off"}
    assert (found["digest_at"], found["quiet_hours"], found["chat"]) == ("08:00", None, None)


async def test_what_is_chosen_is_kept_and_concerns_nobody_else(
    mine: httpx.AsyncClient, as_: ClientFor, person: Person
):
    quiet = {"starts": "20:00", "ends": "07:00"}
    body = {"digest_at": "06:30", "quiet_hours": quiet, "kinds": {"task_due": {"mail": "off"}}}
    changed = await mine.patch(API, json=body)
    assert (changed.status_code, changed.headers["ETag"]) == (200, '"2"')
    found = (await mine.get(API)).json()
    assert found == changed.json()
    assert (found["digest_at"], found["quiet_hours"]) == ("06:30", quiet)
    assert found["kinds"]["task_due"] == {"in_app": "at_once", "mail": "off", "chat": "off"}
    for email in ("admin@vendor.example", "seller@aster.example"):
        other = (await (await as_(email)).get(API)).json()
        assert other["kinds"]["task_due"]["mail"] == "daily"
    again = await mine.patch(API, json={"quiet_hours": None, "kinds": {"task_due": {"mail": "daily"}}})
    assert again.json()["quiet_hours"] is None
    assert again.json()["digest_at"] == "06:30"
    zone = {"time_zone": "Asia/Tokyo"}
    assert (await mine.patch(f"/api/v1/users/{person.id}", json=zone)).status_code == 200
    assert (await mine.get(API)).json()["time_zone"] == "Asia/Tokyo"


async def test_who_moves_is_told_in_the_morning_of_the_new_zone(
    mine: httpx.AsyncClient, person: Person, database: Database, temporal: Client
):
    message = Message(
        kind=NoticeKind.TASK_DUE, cause="task", recipients=(person.id,), title="Share the profile", words="W"
    )
    await NotifyActivities(database, mails=True).notify(message)

    async def waits_until() -> datetime:
        async with database.read() as session:
            (waiting,) = await deliveries.waiting(session, person.id)
        return waiting.due_at

    before = await waits_until()
    assert before.astimezone(UTC).hour == 8
    moved = await mine.patch(f"/api/v1/users/{person.id}", json={"time_zone": "Asia/Tokyo"})
    assert moved.status_code == 200
    assert (await waits_until()).astimezone(ZoneInfo("Asia/Tokyo")).hour == 8
    courier = await temporal.get_workflow_handle(courier_id(person.id)).describe()
    assert courier.status is WorkflowExecutionStatus.RUNNING


async def test_a_change_of_what_somebody_changed_meanwhile_is_refused(mine: httpx.AsyncClient):
    read = (await mine.get(API)).headers["ETag"]
    assert (await mine.patch(API, json={"digest_at": "07:00"}, headers={"If-Match": read})).status_code == 200
    late = await mine.patch(API, json={"digest_at": "09:00"}, headers={"If-Match": read})
    assert late.status_code == 412
    assert (await mine.get(API)).json()["digest_at"] == "07:00"


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"digest_at": "8:00"}, "/digest_at"),
        ({"digest_at": "24:00"}, "/digest_at"),
        ({"digest_at": None}, "/digest_at"),
        ({"quiet_hours": {"starts": "20:00"}}, "/quiet_hours/ends"),
        ({"quiet_hours": {"starts": "20:00", "ends": "20:00"}}, "/quiet_hours/ends"),
        ({"kinds": {"gossip": {"mail": "off"}}}, "/kinds/gossip"),
        ({"kinds": {"task_due": {"pigeon": "off"}}}, "/kinds/task_due/pigeon"),
        ({"kinds": {"task_due": {"mail": "hourly"}}}, "/kinds/task_due/mail"),
        ({"kinds": {"task_due": {"in_app": "daily"}}}, "/kinds/task_due/in_app"),
        ({"colour": "red"}, "/colour"),
    ],
)
async def test_what_makes_no_sense_is_refused_with_its_place(
    mine: httpx.AsyncClient, body: dict[str, object], pointer: str
):
    answer = await mine.patch(API, json=body)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"].startswith(pointer)
    assert "pattern" not in answer.json()["detail"]


async def test_a_chats_address_is_a_secret_that_is_never_shown_again(mine: httpx.AsyncClient, as_: ClientFor):
    answer = await mine.patch(API, json={"chat_address": f" {SLACK} "})
    assert answer.status_code == 200
    assert answer.json()["chat"] == {"hint": "https://…i7FQ"}
    page = await mine.get(PAGE)
    for shown in (answer.text, (await mine.get(API)).text, page.text):
        assert "i7FQ" in shown
        assert "T1JJ3T3L2" not in shown
    forgotten = await mine.patch(API, json={"chat_address": None})
    assert forgotten.json()["chat"] is None


@pytest.mark.parametrize(
    "forbidden",
    [
        "json://127.0.0.1:8000/",
        "file:///etc/passwd",
        "syslog://",
        "mailto://user:password@example.com",
        "https://example.com/hook",
        "https://evil.example/workflows/643/triggers/manual/paths/invoke?api-version=1&sp=a&sv=1&sig=abc",
        "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/?template=/etc/passwd",
        f"{SLACK}?redirect=yes",
        "slack://",
        "not an address",
    ],
)
async def test_a_chat_that_is_not_allowed_is_refused_without_repeating_its_address(
    mine: httpx.AsyncClient, forbidden: str
):
    answer = await mine.patch(API, json={"chat_address": forbidden})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/chat_address"
    assert forbidden not in answer.text


async def test_the_page_shows_what_holds_and_keeps_what_is_chosen(mine: httpx.AsyncClient):
    shown = (await mine.get(PAGE)).text
    version = re.search(r'name="_version" value="(\d+)"', shown)
    assert version is not None
    typed = {
        "_key": uuid4().hex,
        "_version": version[1],
        "digest_at": "07:15",
        "quiet_starts": "22:00",
        "quiet_ends": "06:00",
        "chat_address": SLACK,
        "approved_mail": "off",
        "approved_in_app": "off",
    }
    kept = await mine.post(PAGE, data=typed)
    assert (kept.status_code, kept.headers["location"]) == (303, PAGE)
    found = (await mine.get(API)).json()
    assert found["kinds"]["approved"] == {"in_app": "off", "mail": "off", "chat": "off"}
    assert found["quiet_hours"] == {"starts": "22:00", "ends": "06:00"}
    assert found["chat"] is not None
    stale = await mine.post(PAGE, data={**typed, "_key": uuid4().hex})
    assert stale.status_code == 412
    assert SLACK not in stale.text
    half = await mine.post(PAGE, data={"_key": uuid4().hex, "digest_at": "07:15", "quiet_starts": "22:00"})
    assert half.status_code == 422
    assert "Quiet hours need both times" in half.text
    await mine.post(PAGE, data={"_key": uuid4().hex, "digest_at": "07:15", "chat_forget": "yes"})
    found = (await mine.get(API)).json()
    assert (found["chat"], found["quiet_hours"]) == (None, None)
    assert found["kinds"]["approved"]["mail"] == "off"


@pytest.fixture
def way_out(settings: Settings, person: Person) -> str:
    """The path in a mail about a task that is due, and about a check-in."""
    address = Links(settings).unsubscribe(person.id, [NoticeKind.TASK_DUE, NoticeKind.CHECK_IN_DUE])
    return "/" + address.split("/", 3)[3]


async def test_a_mails_way_out_asks_first_and_then_ends_mails_of_its_kinds(
    client: httpx.AsyncClient, mine: httpx.AsyncClient, way_out: str
):
    asked = await client.get(way_out)
    assert asked.status_code == 200
    assert "A task is due" in asked.text
    assert asked.headers["Referrer-Policy"] == "no-referrer"
    assert (await mine.get(API)).json()["kinds"]["task_due"]["mail"] == "daily"
    for _ in range(2):
        done = await client.post(way_out, headers={"Origin": "null"})
        assert done.status_code == 200
        assert "You get no more mails of this kind" in done.text
    kinds = (await mine.get(API)).json()["kinds"]
    assert (kinds["task_due"]["mail"], kinds["check_in_due"]["mail"]) == ("off", "off")
    assert (kinds["task_due"]["in_app"], kinds["stale"]["mail"]) == ("at_once", "daily")


async def test_a_mail_program_ends_mails_with_one_click(
    client: httpx.AsyncClient, mine: httpx.AsyncClient, way_out: str
):
    done = await client.post(way_out, data={"List-Unsubscribe": "One-Click"})
    assert done.status_code == 200
    assert (await mine.get(API)).json()["kinds"]["task_due"]["mail"] == "off"


async def test_a_way_out_that_we_did_not_make_ends_nothing(
    client: httpx.AsyncClient, way_out: str, settings: Settings, person: Person
):
    decision = Links(settings).token(person.id)  # made by us, for another purpose
    named, made, signature = way_out.rsplit(".", 2)
    for forged in (
        f"{named}.{made}.{signature.swapcase()}",
        "/unsubscribe/x",
        f"/unsubscribe/{decision}",
        "/unsubscribe/" + "a" * 2000,
    ):
        for answer in (await client.get(forged), await client.post(forged)):
            assert answer.status_code == 404, forged
            assert "This is not one of our links" in answer.text


async def test_which_chats_there_are_is_the_administrators_choice(settings: Settings, person: Person):
    none = settings.model_copy(update={"chat_schemes": "none"})
    async with (
        serving(create_app(none)) as address,
        calling(address, headers=person.headers) as client,
    ):
        answer = await client.patch(API, json={"chat_address": SLACK})
        assert answer.status_code == 422
        assert "Allowed are: none" in answer.text
