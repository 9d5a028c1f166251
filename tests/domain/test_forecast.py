"""What would happen if nobody acted, where a hold that ends lets the deal go on by itself."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from domain.money import Money
from domain.opportunity import commands as ask
from domain.opportunity.forecast import Forecast, if_nobody_acts
from tests.factories import NOW, Working, a_deal, a_playbook, a_stage, a_task
from tests.triggers import REVIEW

LARGE = "deal.amount > 1000.0"


def asked(rule: str, facts: dict[str, Any]) -> bool:
    """The one rule of these playbooks."""
    assert rule == LARGE
    return bool(facts["deal"]["amount"] > 1000)


def held(amount: str) -> Working:
    """A deal whose amount was found out while it was on hold, until tomorrow."""
    book = a_playbook(
        stages=[
            a_stage("talk", a_task("call"), exit={"by": "rule", "rule": LARGE, "advance": "automatic"}),
            a_stage(
                "show",
                a_task("demo"),
                on_enter=[
                    {"task": a_task("book-room", due="1d")},
                    {"when": LARGE, **REVIEW},
                ],
            ),
        ]
    )
    deal = a_deal(playbook=book, amount=Money(amount="5.00", currency="USD"))
    deal.ask(ask.HoldDeal(reason="No budget", until=NOW + timedelta(days=1)))
    return deal.ask(ask.Change(amount=Money(amount=amount, currency="USD")))


def ahead(deal: Working) -> list[Forecast]:
    return if_nobody_acts(deal.deal, NOW, NOW + timedelta(days=10), asked)


def test_the_rule_is_asked_and_the_triggers_fire():
    deal = held("5000.00")
    found = ahead(deal)
    types = [each.type for each in found]
    assert types[:3] == ["resumed", "rule_judged", "stage_entered"]
    assert types.count("trigger_fired") == 2
    assert "stage_approval_asked" in types
    [room] = [each for each in found if each.type == "fell_due" and "Book room" in each.words]
    assert room.at == NOW + timedelta(days=2), "what a trigger opens falls due, too"
    assert found == ahead(deal), "the same each time"


def test_a_rule_that_does_not_hold_leaves_the_deal_where_it_is():
    assert {each.type for each in ahead(held("10.00"))} <= {"resumed", "fell_due"}
