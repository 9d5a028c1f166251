"""In a large organisation a list does not hold everybody: one types an address, or a partner's name."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from domain.playbook import Playbook
from tests.calendars import Diary
from tests.stack import ClientFor, People, Person

pytestmark = pytest.mark.usefixtures("worker")


@pytest.fixture
def diary(as_: ClientFor, people: People, playbook: Playbook) -> Diary:
    return Diary(as_, people, playbook)


async def send(diary: Diary, who: Person, deal: Any, form: str, **typed: str) -> httpx.Response:
    client = await diary.client(who)
    names = {name.replace("__typed", "-typed"): words for name, words in typed.items()}
    return await client.post(f"/opportunities/{deal['id']}/actions/{form}", data=names)


async def now(diary: Diary, who: Person, deal: Any) -> Any:
    return (await (await diary.client(who)).get(f"/api/v1/opportunities/{deal['id']}")).json()


async def test_a_colleague_is_found_by_address_and_a_partner_by_name(diary: Diary):
    rep, colleague = await diary.rep(), await diary.rep()
    deal = await diary.open(rep, "Large organisation")
    sent = await send(diary, rep, deal, "edit", title="Large", owner_id__typed=colleague.email.upper())
    assert sent.status_code == 303, sent.text
    borealis = f" {diary.people.borealis.name.lower()} "
    sent = await send(diary, rep, deal, "add-partner", partner_id__typed=borealis, partner_role="referral")
    assert sent.status_code == 303, sent.text
    after = await now(diary, rep, deal)
    assert after["owner"]["id"] == str(colleague.id)
    assert str(diary.people.borealis.id) in {each["id"] for each in after["partners"]}


async def test_who_is_not_there_is_said_beside_the_field(diary: Diary):
    rep, seller = await diary.rep(), await diary.seller()
    deal = await diary.open(rep, "Nobody")
    for who in (rep, seller):
        sent = await send(diary, who, deal, "cadence", every="1w", who_id__typed="nobody@nowhere.example")
        assert sent.status_code == 422
        assert "Nobody and nothing is called that here" in sent.text
    hidden = await send(diary, seller, deal, "cadence", every="1w", who_id__typed=rep.email)
    assert "Nobody and nothing is called that here" in hidden.text, "a partner does not look people up"
