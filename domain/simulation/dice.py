"""Chance, from a seed: the same seed throws the same, whatever else is played beside it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction
from math import exp, log
from random import Random
from typing import TypeVar
from uuid import UUID

from domain.calendar import Calendar, after
from domain.simulation.behaviour import AT_ONCE, Delay
from domain.span import Span, parse_business

T = TypeVar("T")
_LONGEST = 20.0
"""Times the median: what takes longer is a mistake of the distribution's tail, not a person."""
_FINE = 3600
"""Parts of a unit that a delay is counted in: seconds, where that is hours."""


class Dice:
    """The chances of one deal, or of one desk. Not for secrets."""

    def __init__(self, seed: str) -> None:
        self._random = Random(seed)  # noqa: S311 - a simulation, which has to be the same again

    def happens(self, chance: float) -> bool:
        return self._random.random() < chance

    def share(self) -> float:
        """A number from 0 to below 1."""
        return self._random.random()

    def around(self, median: float, spread: float) -> float:
        """A log-normal number: two of three are between median / spread and median × spread."""
        factor = exp(log(spread) * self._random.gauss(0, 1))
        return median * min(factor, _LONGEST)

    def amount(self, median: Decimal, spread: float, unit: Decimal) -> Decimal:
        """The same in whole units, at least one of them."""
        units = Decimal(self.around(float(median), spread)) / unit
        return max(units.quantize(Decimal(1), ROUND_HALF_EVEN), Decimal(1)) * unit

    def later(self, calendar: Calendar, start: datetime, delay: Delay) -> datetime:
        """The instant (UTC) at which somebody has done it who began at `start`."""
        if delay.median == AT_ONCE:
            return start
        span = parse_business(delay.median)
        amount = Fraction(max(round(self.around(float(span.amount), delay.spread) * _FINE), 1), _FINE)
        return after(calendar, start, Span(amount, span.unit))

    def one_of(self, parts: Mapping[T, int]) -> T:
        """One of these, each as often as its part says."""
        return self._random.choices(list(parts), list(parts.values()))[0]

    def new_id(self) -> UUID:
        return UUID(int=self._random.getrandbits(128), version=4)
