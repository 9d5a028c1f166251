"""The words of a search are found as they are typed, whatever they are made of."""

from __future__ import annotations

from uuid import uuid4

import pytest

from db import opportunity, pipeline
from db.pages import PageRequest
from db.pipeline import Filters
from db.session import Database
from domain.opportunity.draft import Outcome
from runtime.ids import new_id
from tests.factories import REP, a_deal, principal


async def a_titled_deal(database: Database, title: str) -> None:
    deal = a_deal(id=new_id(), title=title)
    async with database.transaction() as session:
        outcome = Outcome.model_construct(opportunity=deal.deal, entries=tuple(deal.entries))
        await opportunity.record(session, outcome)


async def found(database: Database, words: str) -> list[str]:
    async with database.read() as session:
        page = await pipeline.page(session, principal(REP), Filters(q=words), PageRequest())
    return [deal.title for deal in page.items]


@pytest.mark.parametrize(
    "odd",
    [
        "50%",
        "a_b",
        "and/or",
        "O'Neil",
        "O''Neil",
        "back\\slash",
        '"quoted"',
        ":name",
        "%(x)s",
        "%s",
        "$1",
        "{0}",
        "ÄÖ",
    ],
)
async def test_a_word_is_found_letter_by_letter(database: Database, odd: str) -> None:
    mark = uuid4().hex
    await a_titled_deal(database, f"{mark} {odd} end")
    await a_titled_deal(database, f"{mark} 50 a-b andor ONeil backslash quoted name x s 1 0")
    assert await found(database, f"{mark} {odd}") == [f"{mark} {odd} end"]
    assert await found(database, f"{mark} {odd}x") == []


async def test_the_same_search_with_other_words_finds_other_deals(database: Database) -> None:
    """A statement that is kept between searches must not keep their words."""
    marks = [uuid4().hex for _ in range(8)]
    for mark in marks:
        await a_titled_deal(database, f"Deal {mark}")
    for mark in marks * 2:
        assert await found(database, mark) == [f"Deal {mark}"]
