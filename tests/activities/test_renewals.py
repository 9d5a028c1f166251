"""What a renewal takes over from the deal that it renews: people, partners and calendars as they are now."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

import pytest

from activities.handoffs import HandOffActivities
from db.session import Database
from domain.opportunity import commands as ask
from domain.playbook import Playbook
from tests.calendars import Diary
from tests.handoffs import HandOffGame
from tests.stack import ClientFor, People

pytestmark = pytest.mark.usefixtures("worker")

ENDS = date(2028, 3, 4)


@pytest.fixture
def diary(as_: ClientFor, people: People, playbook: Playbook) -> Diary:
    return Diary(as_, people, playbook)


async def prepared(database: Database, deal: Any) -> ask.Open:
    process = HandOffGame(contract_ends=ENDS).known
    assert process is not None
    facts = process.facts.model_copy(update={"id": UUID(deal["id"])})
    renewed = process.model_copy(update={"facts": facts})
    return (await HandOffActivities(database).prepare_renewal(renewed)).command


async def test_it_goes_by_its_owners_calendar_of_today(diary: Diary, database: Database):
    rep = await diary.rep()
    deal = await diary.open(rep, "Renewed")
    place = {"time_zone": "Europe/Berlin", "country": "DE", "region": "BY"}
    moved = await (await diary.client(rep)).patch(f"/api/v1/users/{rep.id}", json=place)
    assert moved.status_code == 200, moved.text
    command = await prepared(database, deal)
    assert command.calendar is not None
    assert command.calendar.zone == "Europe/Berlin"
    assert any((day.month, day.day) == (1, 6) for day in command.calendar.holidays), "Epiphany, in Bavaria"
    assert command.owner is not None
    assert command.owner.id == rep.id
    assert (command.parent_id, command.expected_close) == (UUID(deal["id"]), ENDS)
    assert {partner.id for partner in command.partners} == {diary.people.aster.id}


async def test_of_an_owner_who_has_left_it_takes_nothing(diary: Diary, database: Database):
    rep, admin = await diary.rep(), await diary.as_("admin@vendor.example")
    deal = await diary.open(rep, "Renewed without its owner")
    gone = await admin.patch(f"/api/v1/users/{rep.id}", json={"active": False})
    assert gone.status_code == 200, gone.text
    command = await prepared(database, deal)
    assert (command.owner, command.calendar) == (None, None)
