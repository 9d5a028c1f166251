"""What a playbook's triggers did when a stage began or ended, and what became of it."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, Literal
from uuid import UUID

from pydantic import AwareDatetime

from domain.opportunity.happening import Happening
from domain.opportunity.state import Opportunity
from domain.opportunity.trigger_state import StageApproval, StageApprovalState, TriggerPlace
from domain.principal import Actor
from domain.trigger import TriggerKind


class TriggerEvent(Happening):
    """What triggers do is the vendor's own: partners see what it leads to."""

    internal: ClassVar[bool] = True


class TriggerFired(TriggerEvent):
    """A trigger fired. What it led to in the deal follows as events of its own."""

    type: Literal["trigger_fired"] = "trigger_fired"
    kind: TriggerKind
    place: TriggerPlace
    stage: str
    """The title of the stage that has it."""
    what: str
    rule: str | None = None
    """Its rule, in words where it has them; it held."""

    def words(self, by: Actor) -> str:
        rule = f" (rule: {self.rule.rstrip('.')})" if self.rule else ""
        return f"{self.stage} {self.place.moment.label}: {self.what}{rule}."


class CampaignStepStarted(TriggerEvent):
    """A step of a campaign begins: for whatever runs campaigns, which follows the feed."""

    type: Literal["campaign_step_started"] = "campaign_step_started"
    campaign: str
    step: str
    about: str | None = None

    def words(self, by: Actor) -> str:
        about = f": {self.about.rstrip('.')}" if self.about else ""
        return f"The step {self.step} of the campaign {self.campaign} began{about}."


class StageApprovalAsked(TriggerEvent):
    """The stage waits for an approval from now on; `instead_of` is the one that it takes the place of."""

    type: Literal["stage_approval_asked"] = "stage_approval_asked"
    approval: StageApproval
    instead_of: UUID | None = None

    def apply(self, deal: Opportunity, at: datetime, by: Actor) -> None:
        kept = tuple(
            each
            for each in deal.stage_approvals
            if each.visit == deal.stage.entered_at and each.id != self.instead_of
        )
        deal.stage_approvals = (*kept, self.approval)

    def words(self, by: Actor) -> str:
        again = " again" if self.instead_of else ""
        return f"{by.name} asked{again} for “{self.approval.title}”, of {self.approval.asked}."


class StageApprovalTurned(TriggerEvent):
    """The approval of a stage was decided on, came back, or is needed no more."""

    type: Literal["stage_approval_turned"] = "stage_approval_turned"
    approval_id: UUID
    title: str
    state: StageApprovalState
    comment: str | None = None

    def apply(self, deal: Opportunity, at: datetime, by: Actor) -> None:
        ended = None if self.state.is_open else at
        told = {"state": self.state, "comment": self.comment, "ended_at": ended}
        deal.stage_approvals = tuple(
            each.but(**told) if each.id == self.approval_id else each for each in deal.stage_approvals
        )

    def words(self, by: Actor) -> str:
        said = f": {self.comment}" if self.comment else "."
        return f"“{self.title}” {_TURNED[self.state]}{said}"


_TURNED = {
    StageApprovalState.PENDING: "waits for approval again",
    StageApprovalState.RETURNED: "came back with a question",
    StageApprovalState.APPROVED: "was approved",
    StageApprovalState.REJECTED: "was rejected",
    StageApprovalState.RECALLED: "was taken back",
    StageApprovalState.EXPIRED: "was not decided on in time",
    StageApprovalState.WITHDRAWN: "is needed no more",
}


class WebhookFailed(TriggerEvent):
    """A program that a trigger calls could not be told."""

    type: Literal["webhook_failed"] = "webhook_failed"
    event: str
    host: str
    why: str
    fired_at: AwareDatetime

    def words(self, by: Actor) -> str:
        return f"{self.host} could not be told of {self.event}: {self.why.rstrip('.')}."
