"""What a request was judged by, line by line and in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from api.web.filters import country, money
from domain.approval.state import Facts
from domain.errors import InvalidInput
from domain.money import Money
from domain.percent import shown

Lines = list[tuple[str, str]]


def _percent(value: Any, _: str) -> str:
    return f"{shown(Decimal(str(value)))} %"


def _points(value: Any, _: str) -> str:
    return f"{shown(Decimal(str(value)))} points"


def _amount(value: Any, currency: str) -> str:
    amount = Decimal(str(value)).quantize(Decimal("0.01"))
    try:
        return money(Money(amount=amount, currency=currency))
    except (InvalidInput, ValueError):
        return f"{amount:,}"


def _plain(value: Any, _: str) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:,.2f}".rstrip("0").rstrip(".")
    return str(value)


def _country(value: Any, _: str) -> str:
    return country(str(value))


def _from_key(value: Any, _: str) -> str:
    return str(value).replace("-", " ").capitalize()


Label = tuple[str, str, str, Callable[[Any, str], str]]

_LABELS: tuple[Label, ...] = (
    ("discount", "percent", "Asked for", _percent),
    ("discount", "standard", "Standard for this partner", _percent),
    ("discount", "beyond", "Beyond the standard", _points),
    ("discount", "value", "Given away", _amount),
    ("discount", "line", "Product line", _plain),
    ("discount", "competitor", "Competitor", _plain),
    ("discount", "competing_price", "Competing price", _amount),
    ("deal", "amount", "Price before discounts", _amount),
    ("margin", "percent", "Margin that is left", _percent),
    ("margin", "below_cost", "Below cost", _plain),
    ("customer", "name", "Customer", _plain),
    ("customer", "country", "Country", _country),
    ("customer", "industry", "Industry", _plain),
    ("partner", "name", "Partner", _plain),
    ("partner", "tier", "Partner's tier", _plain),
    ("deal", "stage", "Stage", _from_key),
    ("deal", "probability", "Probability", _percent),
    ("deal", "expected_close_days", "Days to the expected close", _plain),
)
"""The facts of a discount that help to decide, in the order in which one asks for them."""
_GROUPS = frozenset(group for group, *_ in _LABELS)
_OF_THE_RULES = frozenset({"currency", "elsewhere", "other_deals"})
"""What is there for rules and for other parts of a page."""


def facts_of(facts: Facts) -> Lines:
    """The facts worth reading; those of a kind that is not known here by their own names."""
    currency = str(facts.get("currency") or "")
    lines = [
        (words, write(value, currency))
        for group, name, words, write in _LABELS
        if _tells(value := _part(facts, group).get(name)) and _is_known(facts, group)
    ]
    others = (name for name in facts if name not in _GROUPS | _OF_THE_RULES)
    return lines + [line for name in others for line in _by_name(name, facts[name])]


def _part(facts: Facts, group: str) -> Mapping[str, Any]:
    part = facts.get(group)
    return part if isinstance(part, Mapping) else {}


def _is_known(facts: Facts, group: str) -> bool:
    """A margin is worth nothing to read where the costs are not known."""
    return _part(facts, group).get("known", True) is True


def _tells(value: Any) -> bool:
    """Whether it says something: not that something is not there, nor not so."""
    empty = value is None or value is False or value == ""
    return not empty and (value != 0 or isinstance(value, str)) and not isinstance(value, dict | list)


def _by_name(name: str, value: Any) -> Lines:
    parts = value.items() if isinstance(value, Mapping) else [("", value)]
    return [
        (" ".join(f"{name} {part}".replace("_", " ").split()).capitalize(), _plain(each, ""))
        for part, each in parts
        if _tells(each)
    ]
