"""What happened to an opportunity, in words and as data; each event says how the state changes."""

from __future__ import annotations

from abc import abstractmethod
from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from domain.money import Money
from domain.opportunity.state import (
    CheckIn,
    Customer,
    DealPartner,
    HandOff,
    HandOffState,
    Hold,
    LoseReason,
    Lost,
    Opportunity,
    Person,
    SignOff,
    StageState,
    Status,
    Task,
    TaskState,
    shifted,
)
from domain.principal import Actor, Side


class _Event(BaseModel):
    model_config = ConfigDict(frozen=True)

    def apply(self, deal: Opportunity, at: datetime, by: Actor) -> None:
        """Change the deal as this event says."""

    @abstractmethod
    def words(self, by: Actor) -> str:
        """The event as a sentence."""


class Opened(_Event):
    """The deal was opened; its first state is made with it."""

    type: Literal["opportunity_opened"] = "opportunity_opened"
    title: str
    customer: Customer
    amount: Money | None
    expected_close: date | None
    owner: Person | None
    playbook: str
    playbook_version: int
    partners: tuple[DealPartner, ...]

    def words(self, by: Actor) -> str:
        return f"{by.name} opened “{self.title}” for {self.customer.name}."


class StageEntered(_Event):
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

    def apply(self, deal: Opportunity, at: datetime, by: Actor) -> None:
        for key in self.left_behind:
            deal.put(
                deal.tasks[key].model_copy(
                    update={
                        "state": TaskState.WAIVED,
                        "closed_at": at,
                        "closed_by": by.name,
                        "note": f"Left behind when {self.title} began",
                        "left_behind": True,
                    }
                )
            )
        deal.put(*self.tasks)
        deal.stage = StageState(key=self.stage, entered_at=at, due_at=self.due_at, stays=self.stays)
        deal.next_check_in_at = self.next_check_in_at
        deal.noted = tuple(item for item in deal.noted if item.startswith("expected_close:"))

    def words(self, by: Actor) -> str:
        start = f"{self.title} began" if self.from_title is None else f"{self.from_title} → {self.title}"
        return f"{start}: {self.why}."


class TaskAdded(_Event):
    """A task that the playbook does not know."""

    type: Literal["task_added"] = "task_added"
    task: Task

    def apply(self, deal: Opportunity, at: datetime, by: Actor) -> None:
        deal.put(self.task)

    def words(self, by: Actor) -> str:
        return f"{by.name} added the task “{self.task.title}” for the {self.task.side.value}."


class _TaskEvent(_Event):
    key: str
    title: str

    def _change(self, deal: Opportunity, **changes: Any) -> None:
        deal.put(deal.tasks[self.key].model_copy(update=changes))
        if "state" in changes:
            deal.stage = deal.stage.model_copy(update={"stays": False})


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
        self._change(deal, state=TaskState.OPEN, closed_at=None, closed_by=None, note=None)
        partner_id = deal.tasks[self.key].partner_id
        if partner_id is not None and deal.partner(partner_id) is None:  # who did it has left the deal
            self._change(deal, partner_id=None, assignee=None)
        if deal.tasks[self.key].required:
            deal.stage = deal.stage.model_copy(update={"sign_offs": ()})

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


class PartnerAdded(_Event):
    """A partner joined; `tasks` are those it has in the current stage, new or waiting for it."""

    type: Literal["partner_added"] = "partner_added"
    partner: DealPartner
    tasks: tuple[Task, ...]

    def apply(self, deal: Opportunity, at: datetime, by: Actor) -> None:
        deal.partners = (*deal.partners, self.partner)
        deal.put(*self.tasks)

    def words(self, by: Actor) -> str:
        return f"{by.name} added {self.partner.name} as {self.partner.role.label}."


class PartnerRemoved(_Event):
    """A partner left; its open tasks wait for another partner, its agreements are void."""

    type: Literal["partner_removed"] = "partner_removed"
    partner: DealPartner
    tasks: tuple[Task, ...]

    def apply(self, deal: Opportunity, at: datetime, by: Actor) -> None:
        deal.partners = tuple(partner for partner in deal.partners if partner.id != self.partner.id)
        deal.put(*self.tasks)
        kept = tuple(sign for sign in deal.stage.sign_offs if sign.partner_id != self.partner.id)
        deal.stage = deal.stage.model_copy(update={"sign_offs": kept})

    def words(self, by: Actor) -> str:
        return f"{by.name} removed {self.partner.name} from the deal."


class StageSignedOff(_Event):
    type: Literal["stage_signed_off"] = "stage_signed_off"
    stage: str
    title: str
    side: Side
    partner_id: UUID | None
    note: str | None = None

    def apply(self, deal: Opportunity, at: datetime, by: Actor) -> None:
        sign = SignOff(side=self.side, by=by.name, at=at, partner_id=self.partner_id)
        deal.stage = deal.stage.model_copy(update={"sign_offs": (*deal.stage.sign_offs, sign)})

    def words(self, by: Actor) -> str:
        return f"{by.name} agreed for the {self.side.value} that {self.title} is finished."


class RuleJudged(_Event):
    """The stage's CEL rule answers differently than before."""

    type: Literal["rule_judged"] = "rule_judged"
    stage: str
    rule: str
    met: bool

    def apply(self, deal: Opportunity, at: datetime, by: Actor) -> None:
        stays = deal.stage.stays and self.met
        deal.stage = deal.stage.model_copy(update={"rule_met": self.met, "stays": stays})

    def words(self, by: Actor) -> str:
        return f"The rule to leave the stage is {'met' if self.met else 'not met'}: {self.rule}"


class Held(_Event):
    type: Literal["held"] = "held"
    reason: str
    until: AwareDatetime | None = None

    def apply(self, deal: Opportunity, at: datetime, by: Actor) -> None:
        deal.status = Status.ON_HOLD
        deal.hold = Hold(reason=self.reason, since=at, until=self.until)

    def words(self, by: Actor) -> str:
        until = f" until {self.until:%-d %B %Y}" if self.until else ""
        return f"{by.name} put the deal on hold{until}: {self.reason}"


def _restart_clocks(deal: Opportunity, since: datetime, at: datetime) -> None:
    """Deadlines that had not passed when the clocks stopped keep the time they had left."""
    deal.put(
        *(
            task.model_copy(update={"due_at": shifted(task.due_at, at, since)})
            for task in deal.stage_tasks()
            if task.is_open
        )
    )
    deal.stage = deal.stage.model_copy(update={"due_at": shifted(deal.stage.due_at, at, since)})
    deal.next_check_in_at = shifted(deal.next_check_in_at, at, since)


class Resumed(_Event):
    type: Literal["resumed"] = "resumed"
    held_since: AwareDatetime

    def apply(self, deal: Opportunity, at: datetime, by: Actor) -> None:
        _restart_clocks(deal, self.held_since, at)
        deal.status = Status.OPEN
        deal.hold = None

    def words(self, by: Actor) -> str:
        return "The hold ended and the deal goes on." if by.is_system else f"{by.name} resumed the deal."


class FieldChange(BaseModel):
    """One field before and after, as text."""

    field: str
    before: str | None
    after: str | None

    @property
    def words(self) -> str:
        field = self.field.replace("_", " ")
        return f"{field} from {self.before or 'nothing'} to {self.after or 'nothing'}"


class Changed(_Event):
    """Facts of the deal were changed; only what is named here is different."""

    type: Literal["opportunity_changed"] = "opportunity_changed"
    changes: tuple[FieldChange, ...]
    values: dict[str, Any] = Field(default={}, exclude=True)  # for the state; the timeline keeps the words

    def apply(self, deal: Opportunity, at: datetime, by: Actor) -> None:
        for field, value in self.values.items():
            setattr(deal, field, value)

    def words(self, by: Actor) -> str:
        return f"{by.name} changed {'; '.join(change.words for change in self.changes)}."


class Noted(_Event):
    type: Literal["note_added"] = "note_added"
    text: str

    def words(self, by: Actor) -> str:
        return f"{by.name} noted: {self.text}"


class CheckedIn(_Event):
    type: Literal["checked_in"] = "checked_in"
    note: str
    next_step: str | None
    next_check_in_at: AwareDatetime | None

    def apply(self, deal: Opportunity, at: datetime, by: Actor) -> None:
        deal.last_check_in = CheckIn(at=at, by=by.name, note=self.note)
        deal.next_check_in_at = self.next_check_in_at
        deal.next_step = self.next_step or deal.next_step

    def words(self, by: Actor) -> str:
        step = f" Next step: {self.next_step}" if self.next_step else ""
        return f"{by.name} checked in: {self.note}{step}"


class FellDue(_Event):
    """A deadline passed; said once for each deadline."""

    type: Literal["fell_due"] = "fell_due"
    kind: str
    item: str
    what: str
    due_at: AwareDatetime

    def apply(self, deal: Opportunity, at: datetime, by: Actor) -> None:
        deal.noted = (*deal.noted, self.item)

    def words(self, by: Actor) -> str:
        return f"{self.what} was due on {self.due_at:%-d %B %Y, %H:%M} UTC."


class Won(_Event):
    """The customer signed. `handoff` is False for a deal that was closed before Tandem knew it."""

    type: Literal["won"] = "won"
    note: str | None = None
    handoff: bool = True

    def apply(self, deal: Opportunity, at: datetime, by: Actor) -> None:
        deal.status = Status.WON
        deal.handoff = HandOff(state=HandOffState.PENDING, since=at) if self.handoff else None

    def words(self, by: Actor) -> str:
        return f"{by.name} won the deal.{' ' + self.note if self.note else ''}"


class DealLost(_Event):
    type: Literal["lost"] = "lost"
    reason: LoseReason
    note: str | None = None

    def apply(self, deal: Opportunity, at: datetime, by: Actor) -> None:
        if deal.hold is not None:  # the clocks stood since the hold began, and go on standing
            _restart_clocks(deal, deal.hold.since, at)
        deal.status = Status.LOST
        deal.hold = None
        deal.lost = Lost(reason=self.reason, note=self.note, at=at, by=by.name)

    def words(self, by: Actor) -> str:
        return f"{by.name} lost the deal: {self.reason.label}.{' ' + self.note if self.note else ''}"


class Reopened(_Event):
    type: Literal["reopened"] = "reopened"
    reason: str | None = None

    def apply(self, deal: Opportunity, at: datetime, by: Actor) -> None:
        if deal.lost is not None:
            _restart_clocks(deal, deal.lost.at, at)
        deal.status = Status.OPEN
        deal.lost = None

    def words(self, by: Actor) -> str:
        return f"{by.name} reopened the deal{': ' + self.reason if self.reason else '.'}"


class HandOffReturned(_Event):
    type: Literal["handoff_returned"] = "handoff_returned"
    comment: str

    def apply(self, deal: Opportunity, at: datetime, by: Actor) -> None:
        deal.handoff = HandOff(state=HandOffState.RETURNED, since=at, note=self.comment, by=by.name)

    def words(self, by: Actor) -> str:
        return f"{by.name} returned the hand-off: {self.comment}"


class HandOffAccepted(_Event):
    type: Literal["handoff_accepted"] = "handoff_accepted"
    comment: str | None = None

    def apply(self, deal: Opportunity, at: datetime, by: Actor) -> None:
        deal.status = Status.HANDED_OFF
        deal.handoff = HandOff(state=HandOffState.ACCEPTED, since=at, note=self.comment, by=by.name)

    def words(self, by: Actor) -> str:
        return f"{by.name} accepted the hand-off.{' ' + self.comment if self.comment else ''}"


Event = Annotated[
    Opened
    | StageEntered
    | TaskAdded
    | TaskCompleted
    | TaskReopened
    | TaskWaived
    | TaskAssigned
    | PartnerAdded
    | PartnerRemoved
    | StageSignedOff
    | RuleJudged
    | Held
    | Resumed
    | Changed
    | Noted
    | CheckedIn
    | FellDue
    | Won
    | DealLost
    | Reopened
    | HandOffReturned
    | HandOffAccepted,
    Field(discriminator="type"),
]
