"""What a simulation found out, as plain values: for people, for JSON, for comparing two playbooks."""

from __future__ import annotations

from datetime import timedelta

from pydantic import Field

from domain.ladder import Subject, Tell
from domain.value import Value


class Lengths(Value):
    """How long something took: of so many, the median and what nine of ten stayed below."""

    count: int
    median: float | None = Field(description="None where nothing was measured.")
    p90: float | None

    @classmethod
    def of(cls, found: list[timedelta], unit: timedelta) -> Lengths:
        """In so many units, with one digit after the point (nearest rank)."""
        ordered = sorted(found)
        return cls(
            count=len(ordered),
            median=_rank(ordered, 50, unit),
            p90=_rank(ordered, 90, unit),
        )


def _rank(ordered: list[timedelta], percent: int, unit: timedelta) -> float | None:
    if not ordered:
        return None
    place = max(-(-len(ordered) * percent // 100), 1)
    return round(ordered[place - 1] / unit, 1)


class StageFound(Value):
    """A stage: how many deals came there, and how many days those took that went on from it."""

    key: str
    title: str
    reached: int
    share: float = Field(description="Of all deals, in percent.")
    days: Lengths
    overdue: int = Field(description="How often it took longer than its target.")


class RungFound(Value):
    """A rung of a ladder, and how often it spoke."""

    subject: Subject
    rung: int
    tell: Tell
    count: int


class QueueFound(Value):
    """A step of approvals: how many requests waited for somebody to begin with them, nights included."""

    title: str
    asked: int
    decided: int
    mean: float
    longest: int
    hours: Lengths = Field(description="From being asked to the decision, elapsed.")


class ApprovalsFound(Value):
    """Requests, and how they ended. Those that were granted at once asked nobody."""

    discounts_asked: int
    granted_at_once: int
    asked: int
    ended: dict[str, int]
    hours: Lengths = Field(description="From the request to its end, elapsed.")
    reminded: int
    escalated: int


class HandOffsFound(Value):
    """From the signature on. Days are counted from winning to the acceptance."""

    begun: int
    returned: int
    accepted: int
    days: Lengths
    reminded: int
    follow_ups_held: int
    follow_ups_missed: int


class Report(Value):
    """All of it. `states` sum up to `deals`."""

    playbook: str
    behaviour: str
    seed: int
    days: int
    deals: int
    states: dict[str, int]
    lost: dict[str, int] = Field(description="Reasons, the most frequent first.")
    open_in: dict[str, int] = Field(description="Where the deals are that are still open.")
    stages: tuple[StageFound, ...]
    fell_due: dict[str, int] = Field(description="Deadlines that passed, by kind.")
    rungs: tuple[RungFound, ...]
    tasks_overdue: int
    check_ins: int
    check_ins_missed: int
    approvals: ApprovalsFound
    queues: tuple[QueueFound, ...]
    handoffs: HandOffsFound
    events: int
    refused: int = Field(description="What people asked for, and the rules refused.")
