"""What happens in a stage: it begins, its tasks are worked, partners come and go, its end is agreed."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, Field

from domain.opportunity.happening import Happening
from domain.opportunity.state import (
    DealPartner,
    Opportunity,
    Pause,
    Person,
    SignOff,
    StageState,
    Task,
    TaskState,
)
from domain.opportunity.trigger_state import triggers_between
from domain.opportunity.wording import listed
from domain.principal import Actor, Side

_OUTLIVE_STAGES = ("expected_close:", "close_near:", "grant_near:", "stale:")
"""Deadlines that are not the stage's."""
MAX_PAUSES = 20
"""Of earlier stages, the latest: a deal travels as one message of bounded size."""


class StageEntered(Happening):
    """A stage began: its tasks opened, and what was still open before was left behind."""

    type: Literal["stage_entered"] = "stage_entered"
    stage: str
    title: str
    from_stage: str | None
    from_title: str | None
    why: str
    due_at: AwareDatetime | None
    next_check_in_at: AwareDatetime | None
    tasks: tuple[Task, ...]
    left_behind: tuple[str, ...] = ()
    stays: bool = False
    fires: bool = Field(default=True, exclude=True)
    """Whether the triggers of both stages fire."""

    def apply(self, deal: Opportunity, at: datetime, by: Actor) -> None:
        for key in self.left_behind:
            deal.put(deal.tasks[key].leave_behind(at, by.name, f"Left behind when {self.title} began"))
        deal.put(*self.tasks)
        if self.fires:
            deal.firing = triggers_between(deal.playbook, self.from_stage, self.stage)
        deal.stage = StageState(key=self.stage, entered_at=at, due_at=self.due_at, stays=self.stays)
        deal.next_check_in_at = self.next_check_in_at
        deal.noted = tuple(item for item in deal.noted if item.startswith(_OUTLIVE_STAGES))
        deal.pauses = _still_counted(deal)

    def words(self, by: Actor) -> str:
        start = f"{self.title} began" if self.from_title is None else f"{self.from_title} → {self.title}"
        return f"{start}: {self.why}."


def _still_counted(deal: Opportunity) -> tuple[Pause, ...]:
    """The pauses since a side was heard last: silence outlives stages, and what was a hold is none."""
    since = min(deal.heard.get(side, deal.created_at) for side in Side)
    return tuple(pause for pause in deal.pauses if pause.until > since)[-MAX_PAUSES:]


class TaskAdded(Happening):
    """A task that the playbook does not know; if the stage waits for it, agreements given before are void."""

    type: Literal["task_added"] = "task_added"
    task: Task

    def apply(self, deal: Opportunity, at: datetime, by: Actor) -> None:
        deal.put(self.task)
        if self.task.required:
            deal.stage = deal.stage.but(sign_offs=())

    def words(self, by: Actor) -> str:
        return f"{by.name} added the task “{self.task.title}” for the {self.task.side.value}."


class _TaskEvent(Happening):
    key: str
    title: str

    def _change(self, deal: Opportunity, **changes: Any) -> None:
        deal.put(deal.tasks[self.key].but(**changes))
        if "state" in changes:
            deal.stage = deal.stage.but(stays=False)


class TaskCompleted(_TaskEvent):
    type: Literal["task_completed"] = "task_completed"
    note: str | None = None

    def apply(self, deal: Opportunity, at: datetime, by: Actor) -> None:
        self._change(deal, state=TaskState.DONE, closed_at=at, closed_by=by.name, note=self.note)

    def words(self, by: Actor) -> str:
        return f"{by.name} completed “{self.title}”."


class TaskReopened(_TaskEvent):
    """A closed task is open again; agreements given on the strength of it are void."""

    type: Literal["task_reopened"] = "task_reopened"

    def apply(self, deal: Opportunity, at: datetime, by: Actor) -> None:
        self._change(deal, state=TaskState.OPEN, closed_at=None, closed_by=None, note=None, left_behind=False)
        partner_id = deal.tasks[self.key].partner_id
        if partner_id is not None and deal.partner(partner_id) is None:  # who did it has left the deal
            self._change(deal, partner_id=None, assignee=None)
        if deal.tasks[self.key].required:
            deal.stage = deal.stage.but(sign_offs=())

    def words(self, by: Actor) -> str:
        return f"{by.name} reopened “{self.title}”."


class TaskWaived(_TaskEvent):
    type: Literal["task_waived"] = "task_waived"
    reason: str

    def apply(self, deal: Opportunity, at: datetime, by: Actor) -> None:
        self._change(deal, state=TaskState.WAIVED, closed_at=at, closed_by=by.name, note=self.reason)

    def words(self, by: Actor) -> str:
        return f"{by.name} waived “{self.title}”: {self.reason}"


class TaskAssigned(_TaskEvent):
    type: Literal["task_assigned"] = "task_assigned"
    assignee: Person | None

    def apply(self, deal: Opportunity, at: datetime, by: Actor) -> None:
        self._change(deal, assignee=self.assignee)

    def words(self, by: Actor) -> str:
        to = self.assignee.name if self.assignee else "nobody"
        return f"{by.name} assigned “{self.title}” to {to}."


class PartnerAdded(Happening):
    """A partner joined; `tasks` are those it has in the current stage, new or waiting for it."""

    type: Literal["partner_added"] = "partner_added"
    partner: DealPartner
    tasks: tuple[Task, ...]

    def apply(self, deal: Opportunity, at: datetime, by: Actor) -> None:
        deal.partners = (*deal.partners, self.partner)
        deal.put(*self.tasks)

    def words(self, by: Actor) -> str:
        return f"{by.name} added {self.partner.name} as {self.partner.role.label}."


class PartnerRemoved(Happening):
    """A partner left: its agreements are void, and its people look after no check-ins any more.

    `tasks` are those it had open: waiting for another partner now, or left behind where another
    partner of the deal has the same task.
    """

    type: Literal["partner_removed"] = "partner_removed"
    partner: DealPartner
    tasks: tuple[Task, ...]

    def apply(self, deal: Opportunity, at: datetime, by: Actor) -> None:
        deal.partners = tuple(partner for partner in deal.partners if partner.id != self.partner.id)
        deal.put(*self.tasks)
        kept = tuple(sign for sign in deal.stage.sign_offs if sign.partner_id != self.partner.id)
        deal.stage = deal.stage.but(sign_offs=kept)
        if deal.cadence.who is not None and deal.cadence.who.partner_id == self.partner.id:
            deal.cadence = deal.cadence.but(who=None)

    def words(self, by: Actor) -> str:
        return f"{by.name} removed {self.partner.name} from the deal."


class StageSignedOff(Happening):
    type: Literal["stage_signed_off"] = "stage_signed_off"
    stage: str
    title: str
    side: Side
    partner_id: UUID | None
    note: str | None = None

    def apply(self, deal: Opportunity, at: datetime, by: Actor) -> None:
        sign = SignOff(side=self.side, by=by.name, at=at, partner_id=self.partner_id)
        deal.stage = deal.stage.but(sign_offs=(*deal.stage.sign_offs, sign))

    def words(self, by: Actor) -> str:
        return f"{by.name} agreed for the {self.side.value} that {self.title} is finished."


class RuleJudged(Happening):
    """The stage's CEL rule answers differently than before; `asks` says the rule in words."""

    type: Literal["rule_judged"] = "rule_judged"
    stage: str
    rule: str
    asks: str | None = None
    met: bool

    def apply(self, deal: Opportunity, at: datetime, by: Actor) -> None:
        stays = deal.stage.stays and self.met
        deal.stage = deal.stage.but(rule_met=self.met, stays=stays)

    def words(self, by: Actor) -> str:
        return f"The rule to leave the stage is {'met' if self.met else 'not met'}: {self.asks or self.rule}"


class PersonLeft(Happening):
    """Somebody works here no more: nobody in particular does their `tasks`, or looks after the check-ins."""

    type: Literal["person_left"] = "person_left"
    person: Person
    tasks: tuple[Task, ...]
    check_ins: bool

    def apply(self, deal: Opportunity, at: datetime, by: Actor) -> None:
        deal.put(*self.tasks)
        if self.check_ins:
            deal.cadence = deal.cadence.but(who=None)

    def words(self, by: Actor) -> str:
        what = [f"“{task.title}”" for task in self.tasks]
        if self.check_ins:
            what.append("the check-ins")
        return f"{self.person.name} has left, and had {listed(what, 'and')} to look after."
