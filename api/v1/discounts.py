"""The discounts of an opportunity: asked for, granted, given up."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any, Self
from uuid import UUID

from fastapi import APIRouter, Response, status
from pydantic import BaseModel, ConfigDict, Field

from api import discounts
from api.commands import CommandsDep
from api.etag import PreconditionDep, answer_version
from api.fields import Input, MoneyInput, Reason, ShortText
from api.idempotency import MintedDep
from api.paging import Listing
from api.principal import PrincipalDep
from api.route import TandemRoute
from api.services import DatabaseDep, ServicesDep
from api.v1.approval_shapes import STEP, StepOut
from api.v1.changing import ChangeDep
from api.v1.opportunity_shapes import ASTER, OpportunityOut
from api.v1.schemas import WHEN, example, example_input
from domain.approval.policy import PolicyRef
from domain.discount.envelope import Envelope
from domain.discount.state import AskedPercent, Discount, DiscountState
from domain.money import Money
from domain.opportunity.commands_discount import DropDiscount
from domain.opportunity.discounts import find
from domain.percent import Percent
from domain.principal import Principal, Side

router = APIRouter(
    prefix="/opportunities/{opportunity_id}/discounts", tags=["discounts"], route_class=TandemRoute
)

WISH: dict[str, Any] = {
    "percent": "27.5",
    "reason": "A strategic account, and the incumbent has offered.",
    "competitor": "Incumbent Corp.",
    "competing_price": {"amount": "190000.00", "currency": "USD"},
}
_ENVELOPE: dict[str, Any] = {
    "max_percent": "27.5",
    "min_amount": {"amount": "200000.00", "currency": "USD"},
    "max_value": None,
    "until": "2027-04-11T09:30:00Z",
    "partner_id": ASTER,
    "line": None,
    "words": "up to 27.5 %, for at least 200,000.00 USD, until 11 April 2027",
}
_DISCOUNT: dict[str, Any] = {
    **WISH,
    "id": "0198c5a3-4d80-7b11-9c33-5e6f70819203",
    "state": "granted",
    "asked_percent": "27.5",
    "line": None,
    "partner_id": ASTER,
    "approval_id": "0198c5a3-4d91-7c22-8d44-6f7081920314",
    "policy": {"key": "standard", "version": 1},
    "standard_percent": "15",
    "envelope": _ENVELOPE,
    "requested_by": "Ana Rep",
    "requested_at": WHEN,
    "offered": None,
    "waits_for": None,
    "due_at": None,
    "ended_at": WHEN,
    "note": None,
}


class DiscountInput(Input):
    """A discount to ask for: the total off the list price, and why."""

    model_config = example_input(WISH)

    percent: AskedPercent
    reason: Reason
    competitor: ShortText | None = None
    competing_price: MoneyInput | None = None
    line: ShortText | None = Field(
        default=None, description="The key of a line, or a product line; without it all of the deal."
    )
    partner_id: UUID | None = Field(
        default=None, description="Which partner gives it, where the vendor asks and several take part."
    )


class DropBody(Input):
    """Why nobody wants it any more."""

    model_config = example_input({"reason": "The customer takes the standard price."})

    reason: Reason | None = None


class EnvelopeOut(BaseModel):
    """What a grant covers. A bound that is null does not hold; `words` says all of them."""

    model_config = ConfigDict(from_attributes=True, json_schema_extra={"examples": [_ENVELOPE]})

    max_percent: Percent
    min_amount: Money | None
    max_value: Money | None
    until: datetime | None
    partner_id: UUID | None
    line: str | None
    words: str

    @classmethod
    def of(cls, envelope: Envelope) -> Self:
        return cls.model_validate(envelope)


class DiscountOut(BaseModel):
    """One request for a discount, and what became of it."""

    model_config = example(_DISCOUNT)

    id: UUID
    state: DiscountState
    percent: Percent
    asked_percent: Percent
    reason: str
    competitor: str | None
    competing_price: Money | None
    line: str | None
    partner_id: UUID | None
    approval_id: UUID | None
    policy: PolicyRef | None
    standard_percent: Percent | None
    envelope: EnvelopeOut | None
    requested_by: str
    requested_at: datetime
    offered: Percent | None = Field(description="What a counter-offer would grant, until it is answered.")
    waits_for: str | None = Field(
        description="Who holds it while it is pending; which approvers, only the vendor's people learn."
    )
    due_at: datetime | None = Field(description="By when the approvers should decide, while they hold it.")
    ended_at: datetime | None
    note: str | None = Field(description="What was said when it was decided or ended.")

    @classmethod
    def of(cls, discount: Discount, principal: Principal) -> Self:
        kept = set(cls.model_fields) - {"due_at", "envelope", "requested_by", "standard_percent", "waits_for"}
        return cls(
            **{name: getattr(discount, name) for name in kept},
            envelope=EnvelopeOut.of(discount.envelope) if discount.envelope else None,
            requested_by=discount.requested_by.name,
            standard_percent=discount.facts.discount.standard if discount.facts else None,
            waits_for=discount.held_by(told_to_vendor=principal.side is Side.VENDOR),
            due_at=discount.decide_by,
        )


class PreviewOut(BaseModel):
    """What would follow from asking. `steps` are in the order of the policy; empty when nobody is asked."""

    model_config = example(
        {
            "state": "pending",
            "percent": "27.5",
            "standard_percent": "15",
            "beyond": "12.5",
            "value": {"amount": "68750.00", "currency": "USD"},
            "policy": {"key": "standard", "version": 1},
            "why": None,
            "envelope": _ENVELOPE,
            "steps": [STEP],
        }
    )

    state: DiscountState = Field(description="granted, or pending: it would need approval.")
    percent: Percent
    standard_percent: Percent
    beyond: Percent
    value: Money = Field(description="What would be given away, in the policy's currency.")
    policy: PolicyRef
    why: str | None = Field(description="Why nobody is asked.")
    envelope: EnvelopeOut
    steps: list[StepOut]

    @classmethod
    def of(cls, seen: discounts.DiscountPreview, principal: Principal) -> Self:
        found, asked = seen.found, seen.found.facts.discount
        vendor = principal.side is Side.VENDOR
        steps = [step if vendor else step.but(rule="", approvers=()) for step in seen.steps]
        return cls(
            state=DiscountState.PENDING if found.steps else DiscountState.GRANTED,
            percent=asked.percent,
            standard_percent=asked.standard,
            beyond=asked.beyond,
            value=Money(amount=asked.value.quantize(Decimal("0.01")), currency=found.facts.currency),
            policy=found.policy,
            why=None if found.steps else found.why,
            envelope=EnvelopeOut.of(found.offer),
            steps=[StepOut.of(step) for step in steps],
        )


@router.get("")
async def list_discounts(
    opportunity_id: UUID, response: Response, commands: CommandsDep, principal: PrincipalDep
) -> Listing[DiscountOut]:
    """The discounts that were asked for on this deal, the newest first; a partner's own for a partner."""
    deal = await commands.read(opportunity_id)
    answer_version(response, deal.version)
    found = [DiscountOut.of(each, principal) for each in reversed(deal.discounts)]
    return Listing[DiscountOut](items=found)


@router.post("", status_code=status.HTTP_201_CREATED)
async def request_discount(
    opportunity_id: UUID,
    body: DiscountInput,
    response: Response,
    commands: CommandsDep,
    services: ServicesDep,
    principal: PrincipalDep,
    minted: MintedDep,
    if_match: PreconditionDep,
) -> DiscountOut:
    """Ask for a discount: it is granted at once, or pending with an approval."""
    command = discounts.requesting(minted.resource_id, body)
    deal = await commands.change(opportunity_id, command, if_match)
    answer_version(response, deal.version)
    discount = find(deal, minted.resource_id)
    if discount is None:
        msg = "What was asked for is recorded before it is answered."
        raise RuntimeError(msg)
    if discount.approval_id is not None:
        await discounts.until_submitted(services, discount.approval_id)
    return DiscountOut.of(discount, principal)


@router.post("/preview")
async def preview_discount(
    opportunity_id: UUID,
    body: DiscountInput,
    commands: CommandsDep,
    database: DatabaseDep,
    principal: PrincipalDep,
) -> PreviewOut:
    """Who would be asked, in which order and by which rule, and what would be granted. Nothing is kept."""
    deal = await commands.read(opportunity_id)
    return PreviewOut.of(await discounts.preview(database, principal, deal, body), principal)


@router.post("/{discount_id}/drop")
async def drop_discount(discount_id: UUID, change: ChangeDep, body: DropBody | None = None) -> OpportunityOut:
    """Give a discount up: a request that is pending is taken back, a grant holds no more."""
    command = DropDiscount(discount_id=discount_id, reason=body.reason if body else None)
    return await change(command)
