"""Opening a deal, and taking over one that began, or ended, elsewhere."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from pydantic import ValidationError

from domain.errors import Forbidden, InvalidInput, NoSuchStage
from domain.opportunity import commands as ask
from domain.opportunity.rules import open_deal
from domain.opportunity.state import LoseReason, Status
from tests.factories import (
    ASTER,
    BOREALIS_SELLER,
    DESK,
    DIRECTOR,
    FINANCE,
    NOW,
    REP,
    SELLER,
    SUCCESS,
    Working,
    a_deal,
    crowd,
    opening,
)

LAST_YEAR = NOW - timedelta(days=365)


def take_over(**changes):
    return Working(open_deal(opening(**changes), NOW, REP))


def test_a_deal_begins_in_the_first_stage_at_version_two():
    deal = a_deal()
    assert deal.deal.version == len(deal.entries) == 2
    assert [entry.words for entry in deal.entries] == [
        "Rosa Rep opened “ERP rollout” for Acme.",
        "Joint qualification began: the deal was opened.",
    ]
    assert (deal.deal.status, deal.deal.created_at) == (Status.OPEN, NOW)


@pytest.mark.parametrize("by", [DESK, FINANCE, SUCCESS], ids=lambda by: by.name)
def test_some_roles_do_not_open_deals(by):
    with pytest.raises(Forbidden, match="does not open opportunities"):
        open_deal(opening(), NOW, by)


def test_a_partner_opens_deals_that_it_takes_part_in():
    assert open_deal(opening(), NOW, SELLER).opportunity.version == 2
    with pytest.raises(InvalidInput, match="deals that it takes part in"):
        open_deal(opening(), NOW, BOREALIS_SELLER)


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"partners": (ASTER, ASTER)}, "/partners"),
        ({"partners": crowd(11)}, "/partners"),
        ({"expected_close": date(9999, 12, 31)}, "/expected_close"),
        ({"opened_at": NOW + timedelta(seconds=1)}, "/opened_at"),
        ({"closing": ask.Closing(status="won", at=NOW + timedelta(days=1))}, "/opened_at"),
        (
            {"opened_at": NOW, "closing": ask.Closing(status="won", at=LAST_YEAR)},
            "/opened_at",
        ),
    ],
)
def test_what_cannot_be_points_to_where(changes, pointer):
    with pytest.raises(InvalidInput) as refusal:
        open_deal(opening(**changes), NOW, REP)
    assert refusal.value.extra["errors"][0]["pointer"] == pointer


@pytest.mark.parametrize(
    "changes", [{"title": ""}, {"title": "x" * 201}, {"colour": "blue"}, {"amount": {"amount": "5"}}]
)
def test_a_command_that_says_nonsense_is_not_even_made(changes):
    with pytest.raises(ValidationError):
        opening(**changes)


def test_a_running_deal_is_taken_over_where_it_stood():
    deal = take_over(opened_at=LAST_YEAR, stage="joint-demo")
    assert (deal.deal.stage.key, deal.open_keys) == ("joint-demo", ["run-demo"])
    assert deal.deal.created_at == LAST_YEAR
    assert deal.deal.stage.entered_at == NOW
    assert deal.last == "Joint demonstration began: taken over here."


def test_only_into_a_stage_that_the_playbook_has():
    with pytest.raises(NoSuchStage, match="playbook joint-software has no stage “moon”"):
        take_over(stage="moon")


@pytest.mark.parametrize(
    ("status", "sentence"), [("won", "Rosa Rep won the deal."), ("lost", "Rosa Rep lost the deal: Other.")]
)
def test_a_closed_deal_is_history(status, sentence):
    closing = ask.Closing(status=status, at=NOW - timedelta(days=30))
    deal = take_over(opened_at=LAST_YEAR, closing=closing)
    assert deal.deal.is_closed
    assert (deal.deal.tasks, deal.deal.version) == ({}, 2)
    assert deal.entries[-1].at == closing.at
    assert deal.last == sentence


def test_history_keeps_why_a_deal_was_lost():
    closing = ask.Closing(status="lost", at=NOW - timedelta(days=30), reason="price", note="Too dear")
    deal = take_over(opened_at=LAST_YEAR, closing=closing)
    assert (deal.deal.lost.reason, deal.deal.lost.note) == (LoseReason.PRICE, "Too dear")


@pytest.mark.parametrize("status", ["won", "lost"])
def test_history_can_be_reopened_and_its_stage_begins_then(status):
    closing = ask.Closing(status=status, at=NOW - timedelta(days=30))
    deal = take_over(opened_at=LAST_YEAR, stage="joint-demo", closing=closing)
    deal.ask(ask.Reopen(), by=DIRECTOR)
    assert (deal.deal.status, deal.open_keys) == (Status.OPEN, ["run-demo"])
    assert deal.last == "Joint demonstration began: the deal goes on here."
    assert deal.task("run-demo").due_at == NOW + timedelta(days=4)
