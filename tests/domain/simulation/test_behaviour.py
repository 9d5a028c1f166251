"""What a behaviour may say, and what chance makes of it."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from pydantic import ValidationError

from domain.calendar import Calendar
from domain.principal import Role
from domain.simulation.behaviour import ApproverBehaviour, Delay, unknown_stages
from domain.simulation.dice import Dice
from tests.simulations import behaviour, playbook

MONDAY = datetime(2030, 1, 7, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"partner": {"tiers": {"gold": 0}}}, "tiers are all 0"),
        ({"customer": {"reasons": {"price": 0}}}, "reasons are all 0"),
        ({"approvers": {"sales_rep": {}}}, "sales_rep, who are not asked"),
        ({"vendor": {"answers": {"median": "0bh"}}}, "not a duration"),
        ({"vendor": {"misses": 1.5}}, "less than or equal to 1"),
    ],
)
def test_what_makes_no_sense_is_refused(wrong: dict[str, object], why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        behaviour(**wrong)


def test_stages_have_to_be_the_playbooks() -> None:
    odd = behaviour(customer={"says_no": {"qualify": 0.1, "qualfy": 0.1}}, discounts={"stage": "no-such"})
    assert [at for at, _ in unknown_stages(odd, playbook())] == [
        ("customer", "says_no", "qualfy"),
        ("discounts", "stage"),
    ]
    well = behaviour(customer={"says_no": {"qualify": 0.1}}, discounts={"stage": "close"})
    assert [*unknown_stages(well, playbook())] == []


def test_who_is_not_described_works_as_usual() -> None:
    assert behaviour().approver(Role.FINANCE) == ApproverBehaviour()


def test_delays_are_about_the_median_in_business_time() -> None:
    dice, delay = Dice("one"), Delay(median="8bh", spread=2)
    found = sorted(dice.later(Calendar(), MONDAY, delay) for _ in range(401))
    assert abs((found[200] - MONDAY).total_seconds() / 3600 - 8) < 20
    assert all(9 <= each.hour <= 17 for each in found)
    assert dice.later(Calendar(), MONDAY, Delay(median="8bh", spread=1)) == MONDAY.replace(hour=17)
    assert dice.later(Calendar(), MONDAY, Delay(median="at_once")) == MONDAY


def test_amounts_are_in_units_and_never_nothing() -> None:
    dice = Dice("one")
    assert dice.amount(Decimal(20), 1, Decimal("0.5")) == 20
    assert dice.amount(Decimal("0.01"), 1, Decimal("0.5")) == Decimal("0.5")


def test_a_seed_throws_the_same_again() -> None:
    assert [Dice("a").new_id(), Dice("a").share()] == [Dice("a").new_id(), Dice("a").share()]
    assert Dice("a").new_id() != Dice("b").new_id()
