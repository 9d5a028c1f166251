"""Comparing what happened in a simulation with what the real processes did."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import zip_longest
from typing import Any

from domain.simulation.world import Noted

CLOSE_ENOUGH = timedelta(minutes=1)
"""A process needs some time for each command, and deadlines are counted from there."""
_MOST = 5
"""Differences of one stream that are told: what comes after follows from them."""


@dataclass
class Compared:
    """How many events were the same, how far apart the two of a pair were, and what differs, in words."""

    deals: int
    events: int = 0
    apart_seconds: float = 0.0
    differences: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        return {
            "deals": self.deals,
            "events": self.events,
            "apart_seconds": round(self.apart_seconds, 3),
            "differences": self.differences,
        }

    def compare(self, deal: str, wanted: Sequence[Noted], found: Sequence[Noted]) -> None:
        """Every stream of the deal for itself, event by event."""
        for stream in dict.fromkeys(each.stream for each in (*wanted, *found)):
            told = 0
            pure = sorted((each for each in wanted if each.stream == stream), key=lambda each: each.sequence)
            real = sorted((each for each in found if each.stream == stream), key=lambda each: each.sequence)
            for expected, got in zip_longest(pure, real):
                difference = self._difference(expected, got)
                if difference is not None and told < _MOST:
                    told += 1
                    self.differences.append(f"{deal}, {stream}: {difference}")

    def _difference(self, expected: Noted | None, got: Noted | None) -> str | None:
        if expected is None or got is None or expected.kind != got.kind:
            return f"{_said(expected)} in the simulation, {_said(got)} through Temporal"
        apart = abs(expected.at - got.at)
        self.events += 1
        self.apart_seconds = max(self.apart_seconds, apart.total_seconds())
        if apart > CLOSE_ENOUGH:
            return f"{_said(expected)} in the simulation, {apart} apart through Temporal"
        return None


def _said(event: Noted | None) -> str:
    if event is None:
        return "nothing"
    return f"{event.kind} (event {event.sequence}, {event.at:%Y-%m-%d %H:%M:%S})"
