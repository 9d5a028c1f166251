"""An opportunity as the API answers it."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from api.v1.clock_shapes import CHECK_INS, CheckInsOut, DealCalendarOut
from db.pipeline import Summary
from domain.money import Money
from domain.opportunity.blockers import Blocker
from domain.opportunity.discounts import in_force, pending
from domain.opportunity.state import (
    HandOffState,
    LoseReason,
    Opportunity,
    Person,
    SignOff,
    Status,
    Task,
    TaskState,
)
from domain.percent import Percent
from domain.playbook import PartnerRole, Phase
from domain.principal import Side

DEAL = "0198c5a3-1f20-7d44-8a5e-2b9f6c7d8e90"
ASTER = "0198c5a2-7e53-7cc1-9d4e-5f0c5b1f2a10"
ANA: JsonDict = {"id": "0198c5a2-8d11-7a05-8a0b-3a7f6a4e9b22", "name": "Ana Rep"}
SAM: JsonDict = {"id": "0198c5a2-8d11-7a05-8a0b-3a7f6a4e9b21", "name": "Sam Seller"}
TASK: JsonDict = {
    "key": "share-customer-profile",
    "title": "Share the customer's profile",
    "stage": "joint-qualification",
    "side": "partner",
    "partner_id": ASTER,
    "required": True,
    "answer": False,
    "state": "open",
    "opened_at": "2026-11-02T09:00:00Z",
    "due_at": "2026-11-05T09:00:00Z",
    "assignee": SAM,
    "help": "Industry, size, sites, systems in use, and who decides.",
    "closed_at": None,
    "closed_by": None,
    "note": None,
}
SUMMARY: JsonDict = {
    "id": DEAL,
    "version": 7,
    "title": "ERP rollout",
    "status": "open",
    "stage": {
        "key": "joint-qualification",
        "title": "Joint qualification",
        "entered_at": "2026-11-02T09:00:00Z",
        "due_at": "2026-11-16T09:00:00Z",
    },
    "phase": "qualified",
    "probability": 20,
    "customer": {"name": "Acme", "domain": "acme.example", "country": "US", "industry": "manufacturing"},
    "account_id": "0198c5a2-9a00-7b11-8c22-1d2e3f405162",
    "amount": {"amount": "250000.00", "currency": "USD"},
    "expected_close": "2027-03-31",
    "owner": ANA,
    "playbook": {"key": "it-software", "version": 1},
    "partners": [{"id": ASTER, "name": "Aster Integrators", "role": "reseller"}],
    "turn": "partner",
    "waits_for": "“Share the customer's profile” is open",
    "next_step": None,
    "next_due_at": "2026-11-05T09:00:00Z",
    "created_at": "2026-11-02T09:00:00Z",
    "updated_at": "2026-11-03T14:12:05Z",
}


class StageOut(BaseModel):
    """The stage that the deal is in; `handoff` after it is won."""

    key: str
    title: str
    entered_at: datetime
    due_at: datetime | None


class CustomerOut(BaseModel):
    name: str
    domain: str | None
    country: str | None
    industry: str | None


class PlaybookRef(BaseModel):
    """The playbook version that the deal keeps."""

    key: str
    version: int


class PartnerOut(BaseModel):
    """A partner on the deal."""

    model_config = ConfigDict(
        from_attributes=True,
        json_schema_extra={"examples": [{"id": ASTER, "name": "Aster Integrators", "role": "reseller"}]},
    )

    id: UUID
    name: str
    role: PartnerRole


class OpportunitySummary(BaseModel):
    """An opportunity in a list: everything but its tasks."""

    model_config = ConfigDict(json_schema_extra={"examples": [SUMMARY]})

    id: UUID
    version: int
    title: str
    status: Status
    stage: StageOut
    phase: Phase
    probability: int
    customer: CustomerOut
    account_id: UUID | None
    amount: Money | None
    expected_close: date | None
    owner: Person | None
    playbook: PlaybookRef
    partners: list[PartnerOut]
    turn: Side | None = Field(description="Whose turn it is; null when both sides may act, or nobody has to.")
    waits_for: str | None
    next_step: str | None
    next_due_at: datetime | None
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, row: Summary) -> Self:
        return cls(
            id=row.id,
            version=row.version,
            title=row.title,
            status=Status(row.status),
            stage=StageOut(
                key=row.stage_key,
                title=row.stage,
                entered_at=row.stage_entered_at,
                due_at=row.stage_due_at,
            ),
            phase=Phase(row.phase),
            probability=row.probability,
            customer=CustomerOut(**row.customer.model_dump()),
            account_id=row.account_id,
            amount=row.amount,
            expected_close=row.expected_close,
            owner=row.owner,
            playbook=PlaybookRef(key=row.playbook_key, version=row.playbook_version),
            partners=[PartnerOut.model_validate(partner) for partner in row.partners],
            turn=Side(row.turn) if row.turn else None,
            waits_for=row.waits_for,
            next_step=row.next_step,
            next_due_at=row.next_due_at,
            created_at=row.created_at,
            updated_at=row.updated_at,
        )


class TaskOut(BaseModel):
    """A task of one side, in one stage."""

    model_config = ConfigDict(from_attributes=True, json_schema_extra={"examples": [TASK]})

    key: str
    title: str
    help: str | None
    stage: str
    side: Side
    partner_id: UUID | None
    required: bool
    answer: bool = Field(description="Completing it takes a note, which is handed over.")
    state: TaskState
    opened_at: datetime
    due_at: datetime | None
    assignee: Person | None
    closed_at: datetime | None
    closed_by: str | None
    note: str | None

    @classmethod
    def of(cls, task: Task) -> Self:
        return cls.model_validate(task)


class HoldOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    reason: str
    since: datetime
    until: datetime | None


class LostOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    reason: LoseReason
    note: str | None
    at: datetime
    by: str


class DiscountBlock(BaseModel):
    """What may be given away: without asking, and by what was granted. Null where nothing says so."""

    standard_percent: Percent | None = None
    granted_percent: Percent | None = None
    pending_approval_id: UUID | None = None
    pending_percent: Percent | None = None
    envelope: str | None = Field(default=None, description="What the grant covers, in words.")
    outside: list[str] = Field(
        default_factory=list, description="Why the grant does not cover the deal as it is."
    )

    @classmethod
    def of(cls, deal: Opportunity) -> Self:
        held = next((each for each in in_force(deal) if each.line is None), None)
        waiting = pending(deal)
        return cls(
            standard_percent=deal.standard_percent,
            granted_percent=held.percent if held else None,
            pending_approval_id=waiting.approval_id if waiting else None,
            pending_percent=waiting.percent if waiting else None,
            envelope=held.envelope.words if held and held.envelope else None,
            outside=list(deal.discount_outside.reasons) if deal.discount_outside else [],
        )


class OpportunityOut(OpportunitySummary):
    """An opportunity in full. `version` is its ETag."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    **SUMMARY,
                    "tasks": [TASK],
                    "sign_offs": [],
                    "hold": None,
                    "lost": None,
                    "handoff": None,
                    "discount": {
                        "standard_percent": "15",
                        "granted_percent": "15",
                        "pending_approval_id": None,
                        "pending_percent": None,
                        "envelope": "up to 15 %",
                        "outside": [],
                    },
                    "next_check_in_at": "2026-11-09T09:00:00Z",
                    "check_ins": CHECK_INS,
                    "calendar": {"zone": "Europe/Berlin", "known_until": "2028-12-31"},
                    "custom": {"segment": "enterprise"},
                    "contract_ends": None,
                    "parent_id": None,
                }
            ]
        }
    )

    tasks: list[TaskOut]
    sign_offs: list[SignOff] = Field(description="Who has agreed that the current stage is finished.")
    hold: HoldOut | None
    lost: LostOut | None
    handoff: HandOffState | None
    discount: DiscountBlock
    next_check_in_at: datetime | None
    check_ins: CheckInsOut
    calendar: DealCalendarOut | None
    custom: dict[str, Any]
    contract_ends: date | None = Field(description="As it was known when the deal was won.")
    parent_id: UUID | None = Field(description="The deal that this one renews.")

    @classmethod
    def of_deal(
        cls, deal: Opportunity, waits: list[Blocker], turn: Side | None, due: datetime | None
    ) -> Self:
        return cls(
            id=deal.id,
            version=deal.version,
            title=deal.title,
            status=deal.status,
            stage=StageOut(
                key=deal.stage.key,
                title=deal.stage_title,
                entered_at=deal.stage.entered_at,
                due_at=deal.stage.due_at,
            ),
            phase=deal.phase,
            probability=deal.probability,
            customer=CustomerOut(**deal.customer.model_dump()),
            account_id=deal.account_id,
            amount=deal.amount,
            expected_close=deal.expected_close,
            owner=deal.owner,
            playbook=PlaybookRef(key=deal.playbook.key, version=deal.playbook.version),
            partners=[PartnerOut.model_validate(partner) for partner in deal.partners],
            turn=turn,
            waits_for=waits[0].what if waits else None,
            next_step=deal.next_step,
            next_due_at=due,
            tasks=[TaskOut.of(task) for task in deal.tasks.values()],
            sign_offs=list(deal.stage.sign_offs),
            hold=HoldOut.model_validate(deal.hold) if deal.hold else None,
            lost=LostOut.model_validate(deal.lost) if deal.lost else None,
            handoff=deal.handoff.state if deal.handoff else None,
            discount=DiscountBlock.of(deal),
            next_check_in_at=deal.next_check_in_at,
            check_ins=CheckInsOut.of(deal),
            calendar=DealCalendarOut.of(deal),
            custom=deal.custom,
            contract_ends=deal.contract_ends,
            parent_id=deal.parent_id,
            created_at=deal.created_at,
            updated_at=deal.updated_at,
        )
