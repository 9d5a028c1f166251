"""Counting what happens while it is played."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from domain.approval import events as approvals
from domain.approval.draft import ApprovalEntry
from domain.handoff.draft import HandOffEntry
from domain.ladder import Subject
from domain.opportunity import events as deals
from domain.opportunity.agenda import DueKind
from domain.opportunity.draft import TimelineEntry
from domain.opportunity.state import LoseReason, Opportunity, Status
from domain.playbook import HANDOFF, Playbook
from domain.simulation.report import (
    ApprovalsFound,
    HandOffsFound,
    Lengths,
    QueueFound,
    Report,
    RungFound,
    StageFound,
)

_DAY, _HOUR = timedelta(days=1), timedelta(hours=1)
_ENDS = (approvals.Approved, approvals.Rejected, approvals.Expired, approvals.Withdrawn)


class Queue:
    """How many requests wait for somebody to begin with them: the mean over time, and the most."""

    def __init__(self, begins: datetime) -> None:
        self.since = begins
        self.waiting = 0
        self.longest = 0
        self.asked = 0
        self.weighed = timedelta()
        self.took: list[timedelta] = []

    def now(self, at: datetime, waiting: int) -> None:
        self.weighed += (at - self.since) * self.waiting
        self.since, self.waiting = at, waiting
        self.longest = max(self.longest, waiting)

    def found(self, title: str, begins: datetime, ends: datetime) -> QueueFound:
        self.now(ends, self.waiting)
        return QueueFound(
            title=title,
            asked=self.asked,
            decided=len(self.took),
            mean=round(self.weighed / max(ends - begins, _HOUR), 2),
            longest=self.longest,
            hours=Lengths.of(self.took, _HOUR),
        )


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a deal is at the end."""

    status: Status
    stage: str
    closed: bool
    lost: LoseReason | None

    @classmethod
    def of(cls, deal: Opportunity) -> Standing:
        reason = deal.lost.reason if deal.lost else None
        return cls(deal.status, deal.stage.key, deal.is_closed, reason)


class Tally:
    """Counts events as they are recorded; `report` sums them up."""

    def __init__(self, playbook: Playbook, begins: datetime) -> None:
        self.playbook = playbook
        self.begins = begins
        self.events = 0
        self.refused = 0
        self.kinds: Counter[str] = Counter()
        self.due: Counter[str] = Counter()
        self.rungs: Counter[tuple[Subject, int]] = Counter()
        self.reached: dict[str, set[UUID]] = defaultdict(set)
        self.stays: dict[str, list[timedelta]] = defaultdict(list)
        self.entered: dict[UUID, datetime] = {}
        self.overdue: Counter[str] = Counter()
        self.accepted: list[timedelta] = []
        self.asked: dict[UUID, datetime] = {}
        self.ended: Counter[str] = Counter()
        self.waited: list[timedelta] = []
        self.queues: dict[str, Queue] = {}

    def add(self, other: Tally) -> None:
        """Count what another one has counted, of other deals; who waited for approvers did so in one only."""
        self.events += other.events
        self.refused += other.refused
        self.kinds += other.kinds
        self.due += other.due
        self.rungs += other.rungs
        self.overdue += other.overdue
        self.ended += other.ended
        self.accepted += other.accepted
        self.waited += other.waited
        self.asked |= other.asked
        self.queues |= other.queues
        for stage, deals_there in other.reached.items():
            self.reached[stage] |= deals_there
        for stage, stays in other.stays.items():
            self.stays[stage] += stays

    def deal(self, entries: Iterable[TimelineEntry]) -> None:
        for entry in entries:
            event = entry.event
            self._count(event.type)
            if isinstance(event, deals.StageEntered):
                self._entered(entry, event)
            elif isinstance(event, deals.FellDue):
                self.due[event.kind] += 1
                self.overdue[event.item.split(":")[1]] += event.kind == DueKind.STAGE
            elif isinstance(event, deals.Reminded | deals.Escalated):
                self.rungs[(event.subject, event.rung)] += 1
            elif isinstance(event, deals.HandOffAccepted):
                self.accepted.append(entry.at - self.entered[entry.opportunity_id])

    def _entered(self, entry: TimelineEntry, event: deals.StageEntered) -> None:
        began = self.entered.get(entry.opportunity_id)
        if began is not None and event.from_stage is not None:
            self.stays[event.from_stage].append(entry.at - began)
        self.entered[entry.opportunity_id] = entry.at
        self.reached[event.stage].add(entry.opportunity_id)

    def approval(self, entries: Iterable[ApprovalEntry]) -> None:
        for entry in entries:
            event = entry.event
            self._count(event.type)
            if isinstance(event, approvals.Submitted):
                self.asked[entry.approval_id] = entry.at
            elif isinstance(event, _ENDS):
                self.ended[event.type.removeprefix("approval_")] += 1
                self.waited.append(entry.at - self.asked[entry.approval_id])

    def handoff(self, entries: Iterable[HandOffEntry]) -> None:
        for entry in entries:
            self._count(entry.event.type)

    def queue(self, title: str) -> Queue:
        return self.queues.setdefault(title, Queue(self.begins))

    def _count(self, kind: str) -> None:
        self.events += 1
        self.kinds[kind] += 1

    def report(self, played: list[Standing], ends: datetime, **named: object) -> Report:
        """The sums, at the end of the period."""
        states = Counter(deal.status.value for deal in played)
        lost = Counter(deal.lost.value for deal in played if deal.lost)
        running = Counter(deal.stage for deal in played if not deal.closed)
        return Report.model_validate(
            {
                **named,
                "deals": len(played),
                "states": {status.value: states[status.value] for status in Status},
                "lost": dict(sorted(lost.items(), key=lambda each: (-each[1], each[0]))),
                "open_in": {key: running[key] for key in self._stages() if running[key]},
                "stages": [self._stage(key, title, len(played)) for key, title in self._stages().items()],
                "fell_due": {kind.value: self.due[kind.value] for kind in DueKind if self.due[kind.value]},
                "rungs": self._rungs(),
                "tasks_overdue": self.due[DueKind.TASK],
                "check_ins": self.kinds["checked_in"],
                "check_ins_missed": self.due[DueKind.CHECK_IN_MISSED],
                "approvals": self._approvals(),
                "queues": [queue.found(title, self.begins, ends) for title, queue in self.queues.items()],
                "handoffs": self._handoffs(),
                "events": self.events,
                "refused": self.refused,
            }
        )

    def _stages(self) -> dict[str, str]:
        titles = {stage.key: stage.title for stage in self.playbook.stages}
        return titles | {HANDOFF: self.playbook.handoff.title}

    def _stage(self, key: str, title: str, deals_played: int) -> StageFound:
        stays = self.accepted if key == HANDOFF else self.stays[key]
        reached = len(self.reached[key])
        return StageFound(
            key=key,
            title=title,
            reached=reached,
            share=round(100 * reached / max(deals_played, 1), 1),
            days=Lengths.of(stays, _DAY),
            overdue=self.overdue[key],
        )

    def _rungs(self) -> list[RungFound]:
        ladders = self.playbook.ladders
        return [
            RungFound(subject=subject, rung=number, tell=rung.tell, count=self.rungs[(subject, number)])
            for subject in Subject
            for number, rung in enumerate(ladders.of(subject), start=1)
        ]

    def _approvals(self) -> ApprovalsFound:
        return ApprovalsFound(
            discounts_asked=self.kinds["discount_requested"],
            granted_at_once=self.kinds["discount_granted_at_once"],
            asked=len(self.asked),
            ended=dict(sorted(self.ended.items())) | {"pending": len(self.asked) - len(self.waited)},
            hours=Lengths.of(self.waited, _HOUR),
            reminded=self.kinds["approval_reminded"],
            escalated=self.kinds["approval_escalated"],
        )

    def _handoffs(self) -> HandOffsFound:
        return HandOffsFound(
            begun=self.kinds["won"],
            returned=self.kinds["handoff_returned"],
            accepted=self.kinds["handoff_accepted"],
            days=Lengths.of(self.accepted, _DAY),
            reminded=self.kinds["handoff_reminded"],
            follow_ups_held=self.kinds["follow_up_logged"],
            follow_ups_missed=self.kinds["follow_up_missed"],
        )
