"""What the pages of approvals and policies say of numbers, chains and differences."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from api.web.approval_page import without_grants
from api.web.approval_view import chain, numbers, outcome, too_late
from api.web.filters import business, percent
from api.web.policies import differences
from db.approval_history import Record
from domain.approval import commands as ask
from domain.approval.directory import PersonEntry
from domain.approval.verbs import Verb, verbs
from domain.principal import Principal, Role, Side
from tests.approvals import DIRK, DORA, FRED, RITA, VENDOR, Game

FACTS: dict[str, Any] = {
    "currency": "USD",
    "deal": {"amount": 250000.0, "currency": "EUR"},
    "discount": {"percent": 27.5, "standard": 15.0, "has_competing_price": True, "competing_price": 190000.0},
    "margin": {"known": True, "cost": 124000.0},
    "partner": {"tier": "gold"},
}


def principal(entry: PersonEntry) -> Principal:
    return Principal(
        id=entry.id,
        name=entry.name,
        email=entry.email,
        side=entry.side,
        organisation_id=VENDOR,
        organisation="Vendor",
        roles=frozenset(entry.roles),
    )


def test_the_numbers_of_a_discount_are_in_the_currency_of_its_policy():
    found = numbers(FACTS)
    assert found is not None
    assert (found.percent, found.standard, found.beyond) == ("27.5", "15", "12.5")
    assert (found.value.amount, found.net.amount) == (Decimal("68750.00"), Decimal("181250.00"))
    assert found.value.currency == "USD"
    assert (found.margin_percent, found.margin.amount) == ("31.6", Decimal("57250.00"))
    assert found.net_beats_competitor is True


def test_an_offer_has_numbers_of_its_own():
    found = numbers(FACTS, Decimal(22))
    assert found is not None
    assert (found.percent, found.beyond, found.net.amount) == ("22", "7", Decimal("195000.00"))
    assert found.net_beats_competitor is False


def test_below_cost_is_said():
    found = numbers(FACTS, Decimal(60))
    assert found is not None
    assert found.below_cost
    assert found.margin.amount == Decimal("-24000.00")


@pytest.mark.parametrize("facts", [{}, {"claim": {"amount": 5}}, {"discount": "27.5"}])
def test_what_is_no_discount_has_no_such_numbers(facts: dict[str, Any]):
    assert numbers(facts) is None


def test_who_may_not_know_a_margin_is_told_none():
    found = numbers({name: value for name, value in FACTS.items() if name != "margin"})
    assert found is not None
    assert found.margin is None
    assert not found.below_cost


def test_the_chain_says_what_waits_for_what_and_who_said_what():
    game = Game().submit().approve(DORA, comment="Fine.")
    gates = chain(game.approval.steps, principal(FRED))
    assert [(gate.words, gate.mine) for gate in gates] == [
        ("Approved", False),
        ("To decide", True),
        ("Waits", False),
    ]
    assert gates[0].said[0].words == "approved"
    assert gates[2].comes_after == "Desk and Finance"


@pytest.mark.parametrize(
    ("who", "may"),
    [
        (DORA, [Verb.APPROVE, Verb.COUNTER, Verb.RETURN, Verb.REJECT, Verb.DELEGATE]),
        (RITA, [Verb.RECALL]),
    ],
)
def test_everybody_is_offered_what_is_theirs_to_do(who: PersonEntry, may: list[Verb]):
    assert list(verbs(Game().submit().approval, principal(who))) == may


def test_after_an_offer_it_is_the_requesters_turn():
    game = Game().submit().ask(ask.Counter(percent=Decimal(20)), DORA)
    assert list(verbs(game.approval, principal(RITA))) == [Verb.ACCEPT, Verb.RESUBMIT, Verb.RECALL]
    assert list(verbs(game.approval, principal(DIRK))) == []


def test_nothing_is_offered_on_what_has_ended():
    game = Game().submit().ask(ask.Recall(), RITA)
    assert list(verbs(game.approval, principal(RITA))) == []
    assert too_late(game.approval) == "Too late: 27.5 % on ERP rollout was recalled by Rita Rep meanwhile."


def test_what_a_decision_led_to_is_said():
    game = Game().submit().approve(DORA)
    assert outcome(game.approval, Verb.APPROVE) == (
        "You approved 27.5 % on ERP rollout. It waits for Finance now."
    )


def test_a_partner_is_never_offered_a_decision():
    seller = principal(DORA).model_copy(
        update={"side": Side.PARTNER, "roles": frozenset({Role.PARTNER_SELLER})}
    )
    assert list(verbs(Game().submit().approval, seller)) == []


@pytest.mark.parametrize(
    ("written", "words"),
    [("8bh", "8 working hours"), ("1bh", "1 working hour"), ("5bd", "5 working days"), ("30d", "30 days")],
)
def test_time_limits_are_said_in_words(written: str, words: str):
    assert business(written) == words


def test_percentages_have_no_zeros_at_the_end():
    assert [percent(each) for each in (Decimal("27.50"), Decimal("20.00"), None)] == ["27.5 %", "20 %", "—"]


def test_a_comparison_shows_what_is_around_a_difference():
    before = "\n".join(f"line {number}" for number in range(9))
    found = differences(before, before.replace("line 4", "line four"))
    assert [(line.kind, line.text) for line in found] == [
        ("gap", ""),
        *[("same", f"line {number}") for number in (1, 2, 3)],
        ("removed", "line 4"),
        ("added", "line four"),
        *[("same", f"line {number}") for number in (5, 6, 7)],
    ]
    assert list(differences(before, before)) == []


def test_of_whom_nothing_was_approved_is_said_and_why():
    given = Record(approved=1, rejected=1, average=Decimal(20), highest=Decimal(20))
    refused = Record(approved=0, rejected=2, average=None, highest=None)
    new = Record(approved=0, rejected=0, average=None, highest=None)
    assert without_grants([("Aster", given), ("Acme", refused)]) == ["Acme: none of 2 approved."]
    assert without_grants([("", new), ("Acme", new)]) == ["Acme: nothing decided before."]
