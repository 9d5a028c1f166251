"""What a deal keeps of its playbook's triggers: those about to fire, and the approvals they asked for."""

from __future__ import annotations

from enum import StrEnum
from uuid import UUID

from pydantic import AwareDatetime, Field

from domain.playbook import Playbook
from domain.trigger import Moment, StageApprovalTemplate, Trigger
from domain.value import Value


class TriggerPlace(Value):
    """Which trigger of the playbook: the stage that has it, when it fires, and its place, from 0."""

    stage: str
    moment: Moment
    number: int


def triggers_between(playbook: Playbook, left: str | None, entered: str) -> tuple[TriggerPlace, ...]:
    """The triggers whose time comes when one stage is left for another, in their order."""
    passed = [(left, Moment.LEAVE), (entered, Moment.ENTER)]
    return tuple(
        TriggerPlace(stage=key, moment=moment, number=number)
        for key, moment in passed
        if key is not None and (stage := playbook.stage(key)) is not None
        for number in range(len(stage.triggers(moment)))
    )


def trigger_at(playbook: Playbook, place: TriggerPlace) -> Trigger | None:
    """The trigger as the playbook has it; None where that has no such place."""
    stage = playbook.stage(place.stage)
    triggers = stage.triggers(place.moment) if stage else ()
    return triggers[place.number] if place.number < len(triggers) else None


class StageApprovalState(StrEnum):
    """How the approval of a stage stands."""

    PENDING = "pending"
    RETURNED = "returned"
    """It waits for the deal's owner, who answers and submits it again."""
    APPROVED = "approved"
    REJECTED = "rejected"
    RECALLED = "recalled"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"
    """The stage was left by a move, the deal was closed, or it was asked anew."""

    @property
    def is_open(self) -> bool:
        """Its process still runs."""
        return self in (StageApprovalState.PENDING, StageApprovalState.RETURNED)


class StageApproval(Value):
    """An approval without which the deal does not leave its stage."""

    id: UUID
    place: TriggerPlace
    stage: str = Field(description="The stage that waits for it.")
    visit: AwareDatetime = Field(description="When that stage was entered: one entered again asks again.")
    title: str
    asked: str = Field(description="Who is asked, in words that name nobody.")
    asked_at: AwareDatetime
    due_at: AwareDatetime | None = None
    state: StageApprovalState = StageApprovalState.PENDING
    comment: str | None = Field(default=None, description="What was said when it last changed.")
    ended_at: AwareDatetime | None = None

    def template(self, playbook: Playbook) -> StageApprovalTemplate | None:
        trigger = trigger_at(playbook, self.place)
        return trigger.approval if trigger else None
