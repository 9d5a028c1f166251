"""The world of a simulation: its clock, its people, and what is to happen when.

Time is a heap of instants. Whatever happens is decided by the rules that decide on real deals; what
their processes ask elsewhere (rules in CEL, the directory, policies) is answered here at once.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID

from domain.approval import commands as to_approval
from domain.calendar import Calendar
from domain.discount.assess import Reads, Rules
from domain.discount.policy import DiscountPolicy
from domain.handoff import commands as to_handoff
from domain.opportunity import commands as to_deal
from domain.opportunity.triggers import Judge
from domain.playbook import Playbook
from domain.simulation.behaviour import Behaviour
from domain.simulation.cast import Cast, Period
from domain.simulation.dice import Dice
from domain.simulation.tally import Tally

_OFTEN = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Trial:
    """What is tried: a playbook and a policy, with so many deals, and people of this behaviour.

    `holds` answers the CEL rules of playbooks, and `reads` says which facts one asks for; `rules` are
    those of policies.
    """

    playbook: Playbook
    policy: DiscountPolicy | None
    behaviour: Behaviour
    calendar: Calendar
    period: Period
    deals: int
    holds: Judge
    reads: Reads
    rules: Rules

    def dice(self, of: str) -> Dice:
        """The chances of something, the same whenever it is asked."""
        return Dice(f"{self.period.seed} {of}")


@dataclass(frozen=True, slots=True)
class Command:
    """What somebody asked at an instant (UTC), of a deal, its hand-off, or one of its requests.

    `after` says how much had been noted of the deal by then.
    """

    at: datetime
    after: int
    request: to_deal.Open | to_deal.Request | to_approval.Request | to_handoff.Request
    approval: UUID | None = None


@dataclass(frozen=True, slots=True)
class Noted:
    """An event as it is compared: of which stream, the how manieth there, what and when."""

    stream: str
    sequence: int
    kind: str
    at: datetime


@dataclass
class Script:
    """What was asked of one deal and what happened, in order: to be played again elsewhere."""

    commands: list[Command] = field(default_factory=list)
    noted: list[Noted] = field(default_factory=list)
    approvals: list[UUID] = field(default_factory=list)

    def stream(self, approval_id: UUID) -> str:
        """The name of a request's events: the how manieth of the deal it is."""
        if approval_id not in self.approvals:
            self.approvals.append(approval_id)
        return f"approval {self.approvals.index(approval_id) + 1}"

    def note(self, stream: str, entries: Any) -> None:
        self.noted.extend(Noted(stream, each.sequence, each.event.type, each.at) for each in entries)


class World:
    """Whom all deals have in common, and the clock."""

    def __init__(self, trial: Trial, cast: Cast) -> None:
        self.trial = trial
        self.cast = cast
        self.now = trial.period.begins
        self.tally = Tally(trial.playbook, trial.period.begins)
        self._heap: list[tuple[datetime, int, Callable[[], None]]] = []
        self._order = count()

    def dice(self, of: str) -> Dice:
        return self.trial.dice(of)

    def later(self, at: datetime, what: Callable[[], None]) -> None:
        """Let it happen then; at the same instant, in the order in which it was planned."""
        heapq.heappush(self._heap, (at, next(self._order), what))

    def run(self, progress: Callable[[float], None]) -> None:
        """Until the end of the period, or until nothing is to happen any more.

        `progress` hears now and then which part of the period has passed.
        """
        begins, ends, _ = self.trial.period
        told = begins
        while self._heap and self._heap[0][0] < ends:
            self.now, _, happen = heapq.heappop(self._heap)
            happen()
            if self.now - told > _OFTEN:
                told = self.now
                progress((told - begins) / (ends - begins))
        self.now = ends
