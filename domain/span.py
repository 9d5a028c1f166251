"""Lengths of time, as policies and playbooks write them: elapsed, or of business time.

When so much business time has passed says a calendar: see `domain.calendar`.
"""

from __future__ import annotations

import re
from datetime import timedelta
from enum import StrEnum
from fractions import Fraction
from functools import lru_cache
from typing import Annotated, NamedTuple

from pydantic import AfterValidator, WithJsonSchema

from domain.duration import parse_duration

_HOUR = timedelta(hours=1)


class Unit(StrEnum):
    """What a length of time is counted in."""

    BUSINESS_HOURS = "bh"
    BUSINESS_DAYS = "bd"
    HOURS = "h"


class Span(NamedTuple):
    """A length of time: so many hours, business hours or business days."""

    amount: Fraction
    unit: Unit

    def __str__(self) -> str:
        """In words, to the second place: “8 business hours”, “2.5 business days”, “14 days”."""
        amount, noun = self.amount, _NOUNS[self.unit]
        if self.unit is Unit.HOURS and amount >= 24 and amount % 12 == 0:  # noqa: PLR2004 - a day, half a day
            amount, noun = amount / 24, "day"
        number = f"{float(amount):.2f}".rstrip("0").rstrip(".")
        return f"{number} {noun}{'' if amount == 1 else 's'}"


_NOUNS = {Unit.BUSINESS_HOURS: "business hour", Unit.BUSINESS_DAYS: "business day", Unit.HOURS: "hour"}
_SPAN = re.compile(r"([1-9][0-9]{0,3})(bh|bd)")


@lru_cache(maxsize=1024)
def parse_business(text: str) -> Span:
    """The length of time that `text` names: `8bh`, `5bd` (business time), `8h`, `30d`, `2w` (elapsed).

    Raises:
        ValueError: it is not a whole number from 1 to 9999 followed by bh, bd, h, d or w.
    """
    if match := _SPAN.fullmatch(text):
        return Span(Fraction(int(match[1])), Unit(match[2]))
    try:
        return Span(Fraction(parse_duration(text) // _HOUR), Unit.HOURS)
    except ValueError:
        msg = (
            f"{text[:20]!r} is not a duration: write a number from 1 to 9999 and bh (business hours), "
            "bd (business days), h, d or w, such as 8bh, 5bd or 30d"
        )
        raise ValueError(msg) from None


def _span(text: str) -> str:
    parse_business(text)
    return text


BusinessDuration = Annotated[
    str,
    AfterValidator(_span),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": "^[1-9][0-9]{0,3}(bh|bd|[hdw])$",
            "examples": ["8bh", "5bd", "30d"],
            "description": "A whole number of business hours (bh), business days (bd), hours, days or weeks.",
        }
    ),
]
"""A length of time as written in policies; `parse_business` makes it a `Span`."""


def share(span: Span, fraction: Fraction) -> Span:
    """This part of a length of time, such as two thirds of it."""
    return Span(span.amount * fraction, span.unit)


def half(span: Span) -> Span:
    """Half of a length of time: when one reminds of what is due at its end."""
    return share(span, Fraction(1, 2))
