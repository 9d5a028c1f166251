"""Everything that can happen to an opportunity, in words and as data."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from domain.opportunity.events_clock import (
    CadenceSet,
    CalendarRefreshed,
    CheckedIn,
    Escalated,
    FellDue,
    Reminded,
)
from domain.opportunity.events_deal import (
    Changed,
    DealLost,
    FieldChange,
    HandOffAccepted,
    HandOffOffered,
    HandOffReturned,
    Held,
    Noted,
    Opened,
    Reopened,
    Resumed,
    Won,
)
from domain.opportunity.events_discount import (
    DiscountChecked,
    DiscountDropped,
    DiscountGranted,
    DiscountGrantedAtOnce,
    DiscountLapsed,
    DiscountPending,
    DiscountRefused,
    DiscountRequested,
    DiscountTurned,
)
from domain.opportunity.events_lines import LineAdded, LineChanged, LineCostSet, LineRemoved
from domain.opportunity.events_stage import (
    PartnerAdded,
    PartnerRemoved,
    PersonLeft,
    RuleJudged,
    StageEntered,
    StageSignedOff,
    TaskAdded,
    TaskAssigned,
    TaskCompleted,
    TaskReopened,
    TaskWaived,
)
from domain.opportunity.events_trigger import (
    CampaignStepStarted,
    StageApprovalAsked,
    StageApprovalTurned,
    TriggerFired,
    WebhookFailed,
)

__all__ = [
    "CadenceSet",
    "CalendarRefreshed",
    "CampaignStepStarted",
    "Changed",
    "CheckedIn",
    "DealLost",
    "DiscountChecked",
    "DiscountDropped",
    "DiscountGranted",
    "DiscountGrantedAtOnce",
    "DiscountLapsed",
    "DiscountPending",
    "DiscountRefused",
    "DiscountRequested",
    "DiscountTurned",
    "Escalated",
    "Event",
    "FellDue",
    "FieldChange",
    "HandOffAccepted",
    "HandOffOffered",
    "HandOffReturned",
    "Held",
    "LineAdded",
    "LineChanged",
    "LineCostSet",
    "LineRemoved",
    "Noted",
    "Opened",
    "PartnerAdded",
    "PartnerRemoved",
    "PersonLeft",
    "Reminded",
    "Reopened",
    "Resumed",
    "RuleJudged",
    "StageApprovalAsked",
    "StageApprovalTurned",
    "StageEntered",
    "StageSignedOff",
    "TaskAdded",
    "TaskAssigned",
    "TaskCompleted",
    "TaskReopened",
    "TaskWaived",
    "TriggerFired",
    "WebhookFailed",
    "Won",
]

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
    | PersonLeft
    | LineAdded
    | LineChanged
    | LineCostSet
    | LineRemoved
    | DiscountRequested
    | DiscountPending
    | DiscountGrantedAtOnce
    | DiscountGranted
    | DiscountTurned
    | DiscountRefused
    | DiscountLapsed
    | DiscountDropped
    | DiscountChecked
    | StageSignedOff
    | RuleJudged
    | TriggerFired
    | CampaignStepStarted
    | StageApprovalAsked
    | StageApprovalTurned
    | WebhookFailed
    | Held
    | Resumed
    | Changed
    | Noted
    | CheckedIn
    | CadenceSet
    | CalendarRefreshed
    | FellDue
    | Reminded
    | Escalated
    | Won
    | DealLost
    | Reopened
    | HandOffReturned
    | HandOffOffered
    | HandOffAccepted,
    Field(discriminator="type"),
]
