"""What may be asked of an opportunity. A command is a wish; the rules decide what follows."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from domain.approval.policy import PolicyRef
from domain.calendar import Calendar
from domain.money import Money
from domain.opportunity.commands_discount import DropDiscount, RequestDiscount
from domain.opportunity.commands_lines import AddLine, ChangeLine, RemoveLine
from domain.opportunity.state import (
    CheckInFor,
    Custom,
    Customer,
    DealPartner,
    External,
    LoseReason,
    Mood,
    Note,
    Person,
    Reason,
    Status,
    Title,
)
from domain.playbook import Playbook
from domain.principal import Actor, Side
from domain.span import BusinessDuration
from domain.value import Input


class Closing(Input):
    """How a deal ended before Tandem knew it."""

    status: Literal[Status.WON, Status.LOST]
    at: AwareDatetime
    reason: LoseReason = LoseReason.OTHER
    note: Note | None = None


class Open(Input):
    """Open a deal, or take over one that began elsewhere (`opened_at`, `stage`, `closing`)."""

    kind: Literal["open"] = "open"
    id: UUID
    title: Title
    customer: Customer
    account_id: UUID | None = None
    amount: Money | None = None
    expected_close: date | None = None
    owner: Person | None = None
    playbook: Playbook
    policy: PolicyRef | None = None
    calendar: Calendar | None = None
    partners: tuple[DealPartner, ...] = ()
    custom: Custom = Field(default={})
    external: External | None = None
    parent_id: UUID | None = None
    opened_at: AwareDatetime | None = None
    stage: str | None = None
    closing: Closing | None = None


class Assignee(Input):
    """Whom a task is given to; a partner's person with the partner."""

    id: UUID
    name: str
    side: Side
    partner_id: UUID | None = None

    @property
    def person(self) -> Person:
        return Person(id=self.id, name=self.name)


def _with_side(assignee: Any, side: Any, partner_id: Any) -> Any:
    """An assignee as histories of earlier versions hold it: a name, whose side was said elsewhere."""
    if isinstance(assignee, dict) and "side" not in assignee:
        return {**assignee, "side": side, "partner_id": partner_id}
    return assignee


class CompleteTask(Input):
    kind: Literal["complete_task"] = "complete_task"
    key: str
    note: Note | None = None


class ReopenTask(Input):
    kind: Literal["reopen_task"] = "reopen_task"
    key: str


class WaiveTask(Input):
    kind: Literal["waive_task"] = "waive_task"
    key: str
    reason: Reason


class AssignTask(Input):
    """Give a task to somebody of its side; nobody with `assignee` None."""

    kind: Literal["assign_task"] = "assign_task"
    key: str
    assignee: Assignee | None

    @model_validator(mode="before")
    @classmethod
    def _as_recorded(cls, data: Any) -> Any:
        if not isinstance(data, dict) or "assignee_side" not in data:
            return data
        side, partner_id = data["assignee_side"], data.get("assignee_partner_id")
        kept = {name: data[name] for name in data.keys() - {"assignee_side", "assignee_partner_id"}}
        return {**kept, "assignee": _with_side(data.get("assignee"), side, partner_id)}


class AddTask(Input):
    """An ad-hoc task in the current stage; `partner_id` says which partner's it is."""

    kind: Literal["add_task"] = "add_task"
    title: Title
    side: Side
    partner_id: UUID | None = None
    required: bool = False
    due_at: AwareDatetime | None = None
    help: Note | None = None
    assignee: Assignee | None = None

    @model_validator(mode="before")
    @classmethod
    def _as_recorded(cls, data: Any) -> Any:
        if not isinstance(data, dict) or not data.get("assignee"):
            return data
        return {**data, "assignee": _with_side(data["assignee"], data.get("side"), data.get("partner_id"))}


class AddPartner(Input):
    kind: Literal["add_partner"] = "add_partner"
    partner: DealPartner


class RemovePartner(Input):
    kind: Literal["remove_partner"] = "remove_partner"
    partner_id: UUID


class Advance(Input):
    """Move on by the exit rule; for a joint sign-off, agree for one's own side."""

    kind: Literal["advance"] = "advance"
    note: Note | None = None


class Move(Input):
    """Move back or forward, past the exit rule, with a reason."""

    kind: Literal["move"] = "move"
    stage: str
    reason: Reason


class HoldDeal(Input):
    kind: Literal["hold"] = "hold"
    reason: Reason
    until: AwareDatetime | None = None


class Resume(Input):
    kind: Literal["resume"] = "resume"


class Change(Input):
    """Change facts of the deal: only the fields that are given."""

    kind: Literal["change"] = "change"
    title: Title | None = None
    amount: Money | None = None
    expected_close: date | None = None
    owner: Person | None = None
    custom: Custom | None = None

    @model_serializer(mode="wrap")
    def _as_given(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """What was left out stays left out on its way to the workflow: null would clear it."""
        given = self.model_fields_set | {"kind"}
        return {field: value for field, value in write(self).items() if field in given}


class AskStageApproval(Input):
    """Ask anew for the approval of a stage that was not given; `id` is the new request's."""

    kind: Literal["ask_stage_approval"] = "ask_stage_approval"
    approval_id: UUID
    id: UUID


class AddNote(Input):
    kind: Literal["note"] = "note"
    text: Note


class LogCheckIn(Input):
    """Both sides talked. The next check-in follows the cadence, unless `next_at` says when."""

    kind: Literal["check_in"] = "check_in"
    note: Note
    mood: Mood | None = None
    attendees: Annotated[tuple[Title, ...], Field(max_length=30)] = ()
    next_step: Title | None = None
    next_at: AwareDatetime | None = None


class SetCadence(Input):
    """How often this deal checks in from now on, and who looks after it; `every` None: as its stages say."""

    kind: Literal["set_cadence"] = "set_cadence"
    every: BusinessDuration | None = None
    who: CheckInFor | None = None


class RefreshCalendar(Input):
    """Go by this calendar from now on; deadlines that are set already stay where they are."""

    kind: Literal["refresh_calendar"] = "refresh_calendar"
    calendar: Calendar


class Win(Input):
    """The customer signed; `contract_ends` is the day on which what was signed ends."""

    kind: Literal["win"] = "win"
    note: Note | None = None
    contract_ends: date | None = None


class Lose(Input):
    kind: Literal["lose"] = "lose"
    reason: LoseReason
    note: Note | None = None


class Reopen(Input):
    kind: Literal["reopen"] = "reopen"
    reason: Reason | None = None


class AcceptHandOff(Input):
    kind: Literal["accept_handoff"] = "accept_handoff"
    comment: Note | None = None


class ReturnHandOff(Input):
    kind: Literal["return_handoff"] = "return_handoff"
    comment: Note
    clocked: bool = Field(
        default=False,
        description="Whether what is asked for falls due; commands of before it did go on without.",
    )


Command = (
    CompleteTask
    | ReopenTask
    | WaiveTask
    | AssignTask
    | AddTask
    | AddPartner
    | RemovePartner
    | AddLine
    | ChangeLine
    | RemoveLine
    | RequestDiscount
    | DropDiscount
    | Advance
    | Move
    | HoldDeal
    | Resume
    | Change
    | AskStageApproval
    | AddNote
    | LogCheckIn
    | SetCadence
    | RefreshCalendar
    | Win
    | Lose
    | Reopen
    | AcceptHandOff
    | ReturnHandOff
)
"""Every command to a deal that exists."""


class Request(Input):
    """A command, who gives it, and which version they had in mind (None: whichever is current)."""

    command: Annotated[Command, Field(discriminator="kind")]
    by: Actor
    if_version: int | None = None
