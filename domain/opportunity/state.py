"""An opportunity as it stands: everything its workflow owns, in one value.

The parts are frozen and replaced, so that a changed copy shares what did not
change. All instants are aware and in UTC.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Self
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, Field

from domain.approval.policy import PolicyRef
from domain.calendar import Calendar
from domain.discount.state import Discount, OutsideGrant
from domain.made import changed
from domain.money import Money
from domain.opportunity.lines import DealLine, LineTotals
from domain.opportunity.trigger_state import StageApproval, TriggerPlace
from domain.percent import Percent
from domain.playbook import HANDOFF, HandOffTemplate, PartnerRole, Phase, Playbook, Stage
from domain.principal import Role, Side
from domain.span import BusinessDuration
from domain.timeline import Changing
from domain.value import Labelled, Value

PartnerId = UUID


def _readable(text: str) -> str:
    if not text.strip() or _CONTROL.search(text):
        msg = "This text has to say something, without control characters."
        raise ValueError(msg)
    return text


_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
"""Control characters (C0 and C1), but for tabs and line breaks."""

Title = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_readable)]
Note = Annotated[str, Field(min_length=1, max_length=5000), AfterValidator(_readable)]
Reason = Annotated[str, Field(min_length=1, max_length=1000), AfterValidator(_readable)]
Custom = dict[str, str | int | float | bool | None]
"""Fields of the vendor's own, by name."""


class Status(StrEnum):
    """The life of an opportunity."""

    OPEN = "open"
    ON_HOLD = "on_hold"
    WON = "won"
    LOST = "lost"
    HANDED_OFF = "handed_off"


class TaskState(StrEnum):
    OPEN = "open"
    DONE = "done"
    WAIVED = "waived"


class HandOffState(StrEnum):
    PENDING = "pending"
    RETURNED = "returned"
    ACCEPTED = "accepted"


class LoseReason(Labelled):
    """Why a deal was lost: a short list, so that reasons can be counted."""

    PRICE = "price"
    COMPETITOR = "competitor"
    NO_DECISION = "no_decision"
    NO_BUDGET = "no_budget"
    TIMING = "timing"
    PRODUCT_FIT = "product_fit"
    PARTNER_GAP = "partner_gap"
    LEGAL = "legal"
    DUPLICATE = "duplicate"
    OTHER = "other"


class Person(Value):
    """Somebody, by name: owner or assignee."""

    id: UUID
    name: str


class Customer(Value):
    """The buyer, as it was known when the deal was opened."""

    name: Title
    domain: str | None = None
    country: str | None = None
    industry: str | None = None


class External(Value):
    """Where the deal came from, so that it is imported once."""

    source: str
    id: str


class DealPartner(Value):
    """A partner that takes part, and as what."""

    id: PartnerId
    name: str
    role: PartnerRole


class Task(Value):
    """One thing to do, on one side, in one stage. `template` is None for an ad-hoc task."""

    key: str
    template: str | None
    stage: str
    title: str
    help: str | None = None
    side: Side
    partner_role: PartnerRole | None = None
    partner_id: PartnerId | None = None
    required: bool
    answer: bool = Field(default=False, description="Completing it takes a note, which is handed over.")
    waive_by: tuple[Role, ...] = ()
    state: TaskState = TaskState.OPEN
    opened_at: AwareDatetime
    due_at: AwareDatetime | None = None
    assignee: Person | None = None
    closed_at: AwareDatetime | None = None
    closed_by: str | None = None
    note: str | None = Field(default=None, description="What was said when it was closed.")
    left_behind: bool = Field(
        default=False, description="Waived because its stage was left, or its partner with others to do it."
    )

    @property
    def is_open(self) -> bool:
        return self.state is TaskState.OPEN

    def leave_behind(self, at: datetime, by: str, why: str) -> Self:
        """The task as it is when nobody has to do it any more."""
        closed = {"state": TaskState.WAIVED, "closed_at": at, "closed_by": by, "note": why}
        return self.but(**closed, left_behind=True)


class SignOff(Value):
    """One side's agreement that the stage is finished."""

    side: Side
    by: str
    at: AwareDatetime
    partner_id: PartnerId | None = None


class StageState(Value):
    """The stage that the deal is in."""

    key: str
    entered_at: AwareDatetime
    due_at: AwareDatetime | None = None
    sign_offs: tuple[SignOff, ...] = ()
    rule_met: bool | None = Field(default=None, description="The last answer of the stage's CEL rule.")
    began: bool = Field(default=True, description="False while a deal taken over as closed only names it.")
    stays: bool = Field(
        default=False,
        description="Somebody moved the deal here: it does not leave by itself before something happens.",
    )


class Hold(Value):
    reason: str
    since: AwareDatetime
    until: AwareDatetime | None = None


class Lost(Value):
    reason: LoseReason
    note: str | None
    at: AwareDatetime
    by: str


class HandOff(Value):
    """How far the hand-off to customer success is; `note` says what a return asked for."""

    state: HandOffState
    since: AwareDatetime
    note: str | None = None
    by: str | None = None


class Mood(StrEnum):
    """How a check-in felt."""

    GOOD = "good"
    NEUTRAL = "neutral"
    BAD = "bad"


class CheckIn(Value):
    """The last time both sides talked."""

    at: AwareDatetime
    by: str
    note: str
    mood: Mood | None = None
    attendees: tuple[str, ...] = ()


class CheckInFor(Value):
    """The one person who looks after the deal's check-ins, and for which side."""

    person: Person
    side: Side
    partner_id: PartnerId | None = None


class Cadence(Value):
    """How often this deal checks in, instead of what its stages say; `who` None: both sides."""

    every: BusinessDuration | None = None
    who: CheckInFor | None = None


class Pause(Value):
    """The clocks stood still."""

    since: AwareDatetime
    until: AwareDatetime


class Opportunity(Changing):
    """The deal."""

    id: UUID
    status: Status = Status.OPEN
    title: Title
    customer: Customer
    account_id: UUID | None = None
    amount: Money | None = None
    expected_close: date | None = None
    owner: Person | None = None
    playbook: Playbook
    stage: StageState
    partners: tuple[DealPartner, ...] = ()
    tasks: dict[str, Task] = Field(default={})
    lines: tuple[DealLine, ...] = ()
    policy: PolicyRef | None = Field(default=None, description="The discount policy that the deal keeps.")
    discounts: tuple[Discount, ...] = ()
    discount_outside: OutsideGrant | None = None
    standard_percent: Percent | None = Field(
        default=None,
        exclude=True,
        description="What may be given without asking, as it was when the deal was read; never kept.",
    )
    next_due_at: AwareDatetime | None = Field(
        default=None,
        exclude=True,
        description="Its next deadline, as it was when the deal was read; never kept.",
    )
    firing: tuple[TriggerPlace, ...] = Field(
        default=(), description="Triggers whose time has come; before they have fired no stage is left."
    )
    stage_approvals: tuple[StageApproval, ...] = ()
    hold: Hold | None = None
    lost: Lost | None = None
    handoff: HandOff | None = None
    contract_ends: date | None = Field(default=None, description="As it was known when the deal was won.")
    parent_id: UUID | None = Field(default=None, description="The deal that this one renews.")
    next_check_in_at: AwareDatetime | None = None
    last_check_in: CheckIn | None = None
    next_step: str | None = None
    cadence: Cadence = Cadence()
    missed_check_ins: int = 0
    calendar: Calendar | None = Field(
        default=None, description="Whose business time the deal goes by; None: office hours in UTC."
    )
    heard: dict[Side, AwareDatetime] = Field(default={}, description="When each side last did something.")
    pauses: tuple[Pause, ...] = Field(
        default=(),
        description="When the clocks stood still in this stage, and before it where it still counts.",
    )
    told_until: AwareDatetime | None = Field(default=None, description="Up to when the ladders have spoken.")
    custom: Custom = Field(default={})
    external: External | None = None
    noted: tuple[str, ...] = Field(default=(), description="Deadlines whose passing was said already.")
    created_at: AwareDatetime

    @property
    def called(self) -> str:
        return f"“{self.title}”"

    def copy_to_change(self) -> Self:
        return changed(self, {"tasks": dict(self.tasks)})

    @property
    def is_closed(self) -> bool:
        """Nothing more is awaited: lost, handed off, or won before Tandem knew it."""
        no_handoff = self.status is Status.WON and self.handoff is None
        return self.status in (Status.LOST, Status.HANDED_OFF) or no_handoff

    @property
    def stage_template(self) -> Stage | HandOffTemplate:
        return self.playbook.template(self.stage.key)

    @property
    def stage_title(self) -> str:
        return self.stage_template.title

    @property
    def phase(self) -> Phase:
        stage = self.playbook.stage(self.stage.key)
        return stage.phase if stage else Phase.LAUNCHED

    @property
    def probability(self) -> int:
        """Chance to win, in percent: the stage's while the deal runs, then 100 or 0."""
        if self.status in (Status.WON, Status.HANDED_OFF):
            return 100
        stage = self.playbook.stage(self.stage.key)
        return stage.probability if stage and self.status is not Status.LOST else 0

    @property
    def in_handoff(self) -> bool:
        return self.stage.key == HANDOFF

    def stage_tasks(self) -> list[Task]:
        """The tasks of the current stage, in the order they opened."""
        return [task for task in self.tasks.values() if task.stage == self.stage.key]

    def partner(self, partner_id: PartnerId | None) -> DealPartner | None:
        return next((partner for partner in self.partners if partner.id == partner_id), None)

    def line(self, key: str) -> DealLine | None:
        return next((line for line in self.lines if line.key == key), None)

    @property
    def line_totals(self) -> LineTotals | None:
        """What the lines come to, which is the deal's amount; None where it has none."""
        return LineTotals.of(self.lines)

    def put(self, *tasks: Task) -> None:
        """Add the tasks, or replace those with the same key."""
        self.tasks.update({task.key: task for task in tasks})


def shifted(instant: datetime | None, by: datetime, since: datetime) -> datetime | None:
    """A deadline after the clocks stood still from `since` to `by`: one that had passed before stays."""
    return instant + (by - since) if instant is not None and instant > since else instant
