"""A small world to simulate: a playbook of three stages, and people of whom a test says how they behave."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from domain.calendar import Calendar
from domain.discount.policy import DiscountPolicy
from domain.playbook import Playbook
from domain.simulation.behaviour import Behaviour
from domain.simulation.cast import Period
from domain.simulation.simulate import Simulated, simulate
from domain.simulation.world import Trial
from runtime import cel
from runtime.policies import RULES

BEGINS = datetime(2030, 1, 7, tzinfo=UTC)

PLAYBOOK: dict[str, Any] = {
    "key": "small",
    "title": "Small",
    "version": 1,
    "partner_roles": ["reseller"],
    "clock": {"stale": "10bd", "missed": "1bd"},
    "ladders": {"check_in": [{"after": "1bd", "tell": "manager"}], "task": [{"tell": "assignee"}]},
    "stages": [
        {
            "key": "qualify",
            "title": "Qualify",
            "phase": "qualified",
            "probability": 20,
            "target": "5bd",
            "check_in": "1w",
            "exit": {"by": "tasks", "advance": "automatic"},
            "tasks": [
                {"key": "ask", "title": "Ask", "side": "partner", "due": "2bd"},
                {"key": "look", "title": "Look", "side": "vendor", "due": "2bd"},
            ],
        },
        {
            "key": "propose",
            "title": "Propose",
            "phase": "business_validation",
            "probability": 60,
            "check_in": "3d",
            "exit": {"by": "sign_off", "discount": "settled"},
            "tasks": [{"key": "offer", "title": "Offer", "side": "partner"}],
        },
        {
            "key": "close",
            "title": "Close",
            "phase": "committed",
            "probability": 80,
            "exit": {"by": "rule", "rule": "deal.amount > 0.0", "advance": "person"},
        },
    ],
    "handoff": {
        "tasks": [{"key": "brief", "title": "Brief", "side": "vendor"}],
        "follow_ups": [{"after": "30d", "title": "After a month"}],
    },
}

POLICY: dict[str, Any] = {
    "key": "standard",
    "title": "Standard",
    "version": 1,
    "standard": {"tiers": {"gold": 10}},
    "steps": [
        {
            "key": "desk",
            "title": "Deal desk",
            "when": "discount.beyond > 0.0",
            "approvers": [{"role": "deal_desk"}],
            "due": "8bh",
        }
    ],
    "grant": {"valid": "90d"},
}

AT_ONCE: dict[str, Any] = {"median": "at_once"}
PROMPT: dict[str, Any] = {
    "vendor": {"answers": AT_ONCE, "check_ins": AT_ONCE},
    "partner": {"answers": AT_ONCE, "check_ins": AT_ONCE},
    "customer_success": {"answers": AT_ONCE, "follow_ups": AT_ONCE},
    "approvers": {"deal_desk": {"decides_in": AT_ONCE}},
}
"""Everybody does everything at once."""


def playbook(**changes: Any) -> Playbook:
    return Playbook.model_validate({**PLAYBOOK, **changes})


def policy(**changes: Any) -> DiscountPolicy:
    return DiscountPolicy.model_validate({**POLICY, **changes})


def behaviour(**changes: Any) -> Behaviour:
    return Behaviour.model_validate({"key": "test", "title": "Test", "arrivals": "30d", **changes})


def a_trial(
    people: Behaviour | None = None,
    *,
    deals: int = 5,
    days: int = 200,
    seed: int = 1,
    book: Playbook | None = None,
    rules: DiscountPolicy | None = None,
    without_policy: bool = False,
) -> Trial:
    return Trial(
        playbook=book or playbook(),
        policy=None if without_policy else rules or policy(),
        behaviour=people or behaviour(),
        calendar=Calendar(),
        period=Period(BEGINS, BEGINS + timedelta(days=days), str(seed)),
        deals=deals,
        holds=cel.holds,
        reads=lambda rule: cel.reads(rule, cel.SAMPLE_FACTS),
        rules=RULES,
    )


def played(trial: Trial) -> Simulated:
    return simulate(trial, int(trial.period.seed), lambda _share: None)
