"""Out of office: who decides meanwhile, what is refused, and who may see and end it."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
from sqlalchemy import update
from sqlmodel import col

from db import directory
from db.session import Database
from db.tables import Organisation, User
from domain.approval.naming import Named
from domain.principal import Role, Side
from tests.stack import ClientFor, People, Person

DELEGATIONS = "/api/v1/delegations"
USERS = "/api/v1/users"


def at(days: float) -> str:
    """An instant so many days from now."""
    return (datetime.now(UTC) + timedelta(days=days)).isoformat()


async def somebody(people: People, organisation: str = "vendor", *roles: Role) -> Person:
    """A new person, so that delegations of other tests are not in the way."""
    role = Role.CUSTOMER_SUCCESS if organisation == "vendor" else Role.PARTNER_SELLER
    return await people.add(f"{uuid4().hex}@{organisation}.example", *(roles or (role,)))


async def test_anonymous_is_asked_to_sign_in(client: httpx.AsyncClient) -> None:
    for answer in (
        await client.get(DELEGATIONS),
        await client.post(DELEGATIONS, json={"to": str(uuid4())}),
        await client.delete(f"{DELEGATIONS}/{uuid4()}"),
    ):
        assert answer.status_code == 401


async def test_somebody_stands_in_until_i_am_back(as_: ClientFor, people: People) -> None:
    me, other = await somebody(people), await somebody(people)
    mine, theirs = await as_client(as_, people, me), await as_client(as_, people, other)
    body = {"to": str(other.id), "ends_at": at(14), "reason": "Summer holidays"}
    made = await mine.post(DELEGATIONS, json=body)
    assert made.status_code == 201, made.text
    told = made.json()
    assert told["state"] == "current"
    assert told["user"] == {"id": str(me.id), "name": me.name}
    assert told["to"] == {"id": str(other.id), "name": other.name}
    assert told["reason"] == "Summer holidays"
    assert await current_stand_in(people.database, me) == other.id
    for client in (mine, theirs):
        assert (await client.get(DELEGATIONS)).json()["items"] == [told]
    assert (await theirs.delete(f"{DELEGATIONS}/{told['id']}")).status_code == 404, "it is not hers to end"
    assert (await mine.delete(f"{DELEGATIONS}/{told['id']}")).status_code == 204
    assert await current_stand_in(people.database, me) is None
    [over] = (await mine.get(DELEGATIONS)).json()["items"]
    assert over["state"] == "over"
    assert over["ended_at"] is not None
    again = await mine.delete(f"{DELEGATIONS}/{told['id']}")
    assert again.status_code == 404
    assert again.json()["detail"] == "You have no such delegation; it may be over already."


async def test_what_is_over_can_be_left_out_or_asked_for(as_: ClientFor, people: People) -> None:
    me, other = await somebody(people), await somebody(people)
    mine = await as_client(as_, people, me)
    ended = (await mine.post(DELEGATIONS, json={"to": str(other.id)})).json()
    await mine.delete(f"{DELEGATIONS}/{ended['id']}")
    later = (await mine.post(DELEGATIONS, json={"to": str(other.id), "starts_at": at(3)})).json()
    assert later["state"] == "upcoming"
    assert later["ends_at"] is None

    async def ids(**params: Any) -> list[str]:
        items = (await mine.get(DELEGATIONS, params=params)).json()["items"]
        return [item["id"] for item in items]

    assert await ids() == [later["id"], ended["id"]]
    assert await ids(over=False) == [later["id"]]
    assert await ids(over=True) == [ended["id"]]
    assert await ids(user_id=str(other.id)) == []
    first = (await mine.get(DELEGATIONS, params={"limit": 1})).json()
    second = (await mine.get(DELEGATIONS, params={"limit": 1, "cursor": first["next_cursor"]})).json()
    assert [first["items"][0]["id"], second["items"][0]["id"]] == [later["id"], ended["id"]]
    assert second["next_cursor"] is None


async def test_the_same_request_twice_is_one_delegation(as_: ClientFor, people: People) -> None:
    me, other = await somebody(people), await somebody(people)
    mine, once = await as_client(as_, people, me), {"Idempotency-Key": str(uuid4())}
    first = await mine.post(DELEGATIONS, json={"to": str(other.id)}, headers=once)
    again = await mine.post(DELEGATIONS, json={"to": str(other.id)}, headers=once)
    assert first.json() == again.json()
    assert len((await mine.get(DELEGATIONS)).json()["items"]) == 1


async def test_what_makes_no_sense_is_refused_in_words(as_: ClientFor, people: People) -> None:
    me, other, stranger = await somebody(people), await somebody(people), await somebody(people, "aster")
    gone = await somebody(people)
    admin, mine = await as_("admin@vendor.example"), await as_client(as_, people, me)
    await admin.patch(f"{USERS}/{gone.id}", json={"active": False})
    for body, pointer, sentence in (
        ({"to": str(me.id)}, "/to", "Nobody stands in for oneself; choose somebody else."),
        ({"to": str(stranger.id)}, "/to", "Somebody of the same organisation has to stand in."),
        ({"to": str(uuid4())}, "/to", "Somebody of the same organisation has to stand in."),
        ({"to": str(gone.id)}, "/to", f"{gone.name} is no longer here; choose somebody else."),
        (
            {"to": str(other.id), "starts_at": at(2), "ends_at": at(1)},
            "/ends_at",
            "The end has to be later than the start.",
        ),
        (
            {"to": str(other.id), "starts_at": at(-2), "ends_at": at(-1)},
            "/ends_at",
            "This is over already; choose an end in the future.",
        ),
        ({"to": "nobody"}, "/to", "This must be a UUID."),
        ({}, "/to", "This field is required."),
        ({"to": str(other.id), "until": at(1)}, "/until", "There is no such field here."),
        ({"to": str(other.id), "starts_at": "2027-07-05T00:00:00"}, "/starts_at", "This instant needs its"),
        ({"to": str(other.id), "reason": " "}, "/reason", "This text may not be empty."),
    ):
        refused = await mine.post(DELEGATIONS, json=body)
        assert refused.status_code == 422, (body, refused.text)
        [error] = refused.json()["errors"]
        assert error["pointer"] == pointer
        assert error["detail"].startswith(sentence)
    assert (await mine.get(DELEGATIONS)).json()["items"] == []


async def test_one_person_is_stood_in_for_once_at_a_time(as_: ClientFor, people: People) -> None:
    me, other = await somebody(people), await somebody(people)
    mine = await as_client(as_, people, me)
    body = {"to": str(other.id), "starts_at": at(2), "ends_at": at(4)}
    assert (await mine.post(DELEGATIONS, json=body)).status_code == 201
    within = await mine.post(DELEGATIONS, json={"to": str(other.id), "starts_at": at(3)})
    assert within.status_code == 422
    assert within.json()["errors"][0]["pointer"] == "/starts_at"
    assert within.json()["detail"].startswith(f"{other.name} stands in from ")
    beside = await mine.post(DELEGATIONS, json={"to": str(other.id), "ends_at": body["starts_at"]})
    assert beside.status_code == 201


async def test_a_ring_is_refused_and_says_who_is_in_it(as_: ClientFor, people: People) -> None:
    one, two, three = [await somebody(people) for _ in range(3)]
    clients = [await as_client(as_, people, each) for each in (one, two, three)]
    assert (await clients[0].post(DELEGATIONS, json={"to": str(two.id)})).status_code == 201
    assert (await clients[1].post(DELEGATIONS, json={"to": str(three.id)})).status_code == 201
    ring = await clients[2].post(DELEGATIONS, json={"to": str(one.id)})
    assert ring.status_code == 422
    assert ring.json()["errors"][0]["pointer"] == "/to"
    assert f"({three.name} → {one.name} → {two.name} → {three.name})" in ring.json()["detail"]


async def test_of_two_who_hand_over_to_each_other_at_once_one_is_refused(
    as_: ClientFor, people: People
) -> None:
    one, two = await somebody(people), await somebody(people)
    clients = [await as_client(as_, people, each) for each in (one, two)]
    answers = await asyncio.gather(
        clients[0].post(DELEGATIONS, json={"to": str(two.id)}),
        clients[1].post(DELEGATIONS, json={"to": str(one.id)}),
    )
    assert sorted(answer.status_code for answer in answers) == [201, 422]


async def test_nobody_speaks_for_another_but_administrators(as_: ClientFor, people: People) -> None:
    me, other, stranger = await somebody(people), await somebody(people), await somebody(people, "aster")
    mine, admin = await as_client(as_, people, other), await as_("admin@vendor.example")
    for whom in (me, stranger):
        refused = await mine.post(DELEGATIONS, json={"to": str(other.id), "user_id": str(whom.id)})
        assert refused.status_code == 403
    made = await admin.post(DELEGATIONS, json={"to": str(other.id), "user_id": str(me.id)})
    assert made.status_code == 201
    assert made.json()["user"]["id"] == str(me.id)
    unknown = await admin.post(DELEGATIONS, json={"to": str(other.id), "user_id": str(uuid4())})
    assert unknown.json()["errors"][0]["pointer"] == "/user_id"
    assert (await admin.delete(f"{DELEGATIONS}/{made.json()['id']}")).status_code == 204


async def test_a_partner_admin_speaks_for_her_own_team_only(as_: ClientFor, people: People) -> None:
    lead, seller = await as_("lead@aster.example"), await somebody(people, "aster")
    other, stranger = await somebody(people, "aster"), await somebody(people, "borealis")
    made = await lead.post(DELEGATIONS, json={"to": str(other.id), "user_id": str(seller.id)})
    assert made.status_code == 201
    foreign = await lead.post(DELEGATIONS, json={"to": str(other.id), "user_id": str(stranger.id)})
    assert foreign.json()["errors"] == [{"pointer": "/user_id", "detail": "There is no such active person."}]
    theirs = await as_client(as_, people, stranger)
    hidden = (await theirs.post(DELEGATIONS, json={"to": str((await people.of(B_LEAD)).id)})).json()
    listed = {item["id"] for item in (await lead.get(DELEGATIONS)).json()["items"]}
    assert made.json()["id"] in listed
    assert hidden["id"] not in listed
    assert (await lead.delete(f"{DELEGATIONS}/{hidden['id']}")).status_code == 404
    assert (await lead.get(DELEGATIONS, params={"user_id": str(stranger.id)})).json()["items"] == []


async def test_nobody_sees_delegations_of_colleagues_but_administrators(
    as_: ClientFor, people: People
) -> None:
    me, other = await somebody(people), await somebody(people)
    mine = await as_client(as_, people, me)
    made = (await mine.post(DELEGATIONS, json={"to": str(other.id)})).json()
    rep, admin = await as_("rep@vendor.example"), await as_("admin@vendor.example")
    seen = await rep.get(DELEGATIONS, params={"user_id": str(me.id)})
    assert seen.json()["items"] == []
    assert (await rep.delete(f"{DELEGATIONS}/{made['id']}")).status_code == 404
    assert (await admin.get(DELEGATIONS, params={"user_id": str(me.id)})).json()["items"] == [made]


# --- the directory that approvals read ---


async def test_the_directory_knows_everybody_with_calendar_manager_and_stand_in(
    as_: ClientFor, people: People
) -> None:
    admin, boss = await as_("admin@vendor.example"), await somebody(people)
    me, other, seller = await somebody(people), await somebody(people), await somebody(people, "aster")
    working = {"time_zone": "Europe/Berlin", "country": "DE", "region": "BY", "manager_id": str(boss.id)}
    hours = {"mon": ["09:00-12:00"]}
    await admin.patch(f"{USERS}/{me.id}", json={**working, "working_hours": hours})
    await admin.post(DELEGATIONS, json={"user_id": str(me.id), "to": str(other.id)})
    async with people.database.read() as session:
        known = await directory.read(session, now=datetime(2027, 3, 1, tzinfo=UTC))
        vendor = await directory.read(session, organisation_ids=[people.vendor.id])
    entry, partner = known.person(me.id), known.person(seller.id)
    assert (entry.email, entry.roles, entry.active) == (me.email, (Role.CUSTOMER_SUCCESS,), True)
    assert (entry.side, partner.side) == (Side.VENDOR, Side.PARTNER)
    assert entry.calendar.zone == "Europe/Berlin"
    assert entry.calendar.hours == {"mon": ("09:00-12:00",)}
    assert {date(2027, 1, 6), date(2028, 1, 6)} < set(entry.calendar.holidays)
    assert partner.calendar.zone == "UTC"
    assert partner.calendar.holidays == ()
    assert known.manager_of(me.id).id == boss.id
    assert known.stand_in(me.id, datetime.now(UTC)) == (other.id, None)
    assert vendor.person(seller.id) is None
    assert {each.organisation_id for each in vendor.people} == {people.vendor.id}
    assert vendor.stand_in(me.id, datetime.now(UTC)) == (other.id, None)


async def test_of_a_large_directory_only_those_are_read_who_decide_on_who_is_asked(
    as_: ClientFor, people: People
) -> None:
    admin = await as_("admin@vendor.example")
    me, boss, top, other, third, stranger = [await somebody(people) for _ in range(6)]
    seller = await somebody(people, "aster")
    for person, manager in ((me, boss), (boss, top)):
        await admin.patch(f"{USERS}/{person.id}", json={"manager_id": str(manager.id)})
    await admin.post(DELEGATIONS, json={"user_id": str(me.id), "to": str(other.id)})
    later = {"user_id": str(other.id), "to": str(third.id), "starts_at": at(3)}
    await admin.post(DELEGATIONS, json=later)

    async def found(**wanted: Any) -> set[Any]:
        async with people.database.read() as session:
            known = await directory.of_vendor(session, Named(**wanted), datetime.now(UTC))
        assert known.stand_in(me.id, datetime.now(UTC)) in {None, (other.id, None)}
        return {each.id for each in known.people}

    assert await found() == set()
    assert await found(emails=frozenset({me.email.lower(), seller.email})) == {me.id, other.id, third.id}
    assert await found(ids=frozenset({stranger.id, seller.id})) == {stranger.id}
    assert await found(below=boss.id) == {boss.id, top.id}
    assert await found(below=me.id) == {me.id, boss.id, top.id, other.id, third.id}
    everybody = await found(roles=frozenset({Role.CUSTOMER_SUCCESS}))
    assert {me.id, boss.id, top.id, other.id, third.id, stranger.id} <= everybody


async def test_who_has_left_and_whose_organisation_has_is_not_active(as_: ClientFor, people: People) -> None:
    admin, gone = await as_("admin@vendor.example"), await somebody(people)
    await admin.patch(f"{USERS}/{gone.id}", json={"active": False})
    former = await people.partner(f"Former {uuid4().hex[:6]}")
    row = User(
        id=uuid4(),
        organisation_id=former.id,
        email=f"{uuid4().hex}@former.example",
        name="Fay",
        roles=[Role.PARTNER_SELLER],
    )
    async with people.database.transaction() as session:
        session.add(row)
        await session.flush()
        ended = update(Organisation).where(col(Organisation.id) == former.id).values(status="inactive")
        await session.execute(ended)
    async with people.database.read() as session:
        known = await directory.read(session)
    assert known.person(gone.id).active is False
    assert known.person(row.id).active is False


async def test_a_place_and_a_zone_that_are_no_longer_known_stop_nobody(people: People) -> None:
    lost = User(
        id=uuid4(),
        organisation_id=people.vendor.id,
        email="lost@vendor.example",
        name="Lo",
        roles=[],
        country="QQ",
        time_zone="Europe/Atlantis",
    )
    calendar = directory.calendar_of(lost, (2027,))
    assert (calendar.zone, calendar.holidays) == ("UTC", ())


B_LEAD = "lead@borealis.example"


async def as_client(as_: ClientFor, people: People, person: Person) -> httpx.AsyncClient:
    """The client of somebody who was made by a test."""
    people.known[person.email] = person
    return await as_(person.email)


async def current_stand_in(database: Database, person: Person) -> Any:
    async with database.read() as session:
        found = (await directory.read(session)).stand_in(person.id, datetime.now(UTC))
    return found.person_id if found is not None else None
