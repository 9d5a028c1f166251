"""The demo's discounts: asked for by the people of the story, and decided by its deal desk, or not yet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from api.approval_commands import ApprovalCommands
from api.commands import Commands
from api.discounts import until_submitted
from api.idempotency import Minted
from api.services import Services
from domain.approval import commands as decide
from domain.approval.state import Channel
from domain.money import Money
from domain.opportunity.commands_discount import RequestDiscount
from domain.opportunity.discounts import find
from domain.opportunity.state import Opportunity
from domain.principal import Principal

DESK, DESK2 = "desk@vendor.example", "desk2@vendor.example"


@dataclass(frozen=True, slots=True)
class Asked:
    """A request of the story: who asks for how much and why, and what was said to it by now."""

    by: str
    percent: str
    reason: str
    competitor: str | None = None
    competing_price: str | None = None
    said: tuple[tuple[str, decide.Command], ...] = ()


DISCOUNTS: dict[str, Asked] = {
    "Field service app": Asked(
        "rep2@vendor.example",
        "22",
        "They compare with what they paid last year.",
        said=((DESK, decide.Approve(comment="Fine: the COO signs this month.")),),
    ),
    "Packaging line retrofit": Asked(
        "rep@vendor.example",
        "24",
        "Our first deal with them.",
        said=((DESK2, decide.Reject(comment="Not before the plant manager has seen the line.")),),
    ),
    "Data platform": Asked(
        "rep@vendor.example",
        "18",
        "The bank's purchasing wants a sign from us.",
        said=((DESK, decide.Counter(percent="14", comment="This much, for a term of three years.")),),
    ),
    "Warehouse analytics": Asked(
        "seller@aster.example", "20", "Three vendors are asked; ours is the only one with a demonstration."
    ),
    "ERP rollout": Asked(
        "rep@vendor.example",
        "27.5",
        "The incumbent offers less, and the CFO sponsors us.",
        competitor="Ledgerline",
        competing_price="190000.00",
    ),
}
"""By the title of the deal. What nobody has said anything to waits for the deal desk."""


async def bargain(
    services: Services, cast: Mapping[str, Principal], deal: Opportunity, discount_id: UUID
) -> None:
    """Ask for the deal's discount, if the story has one, and say to it what was said."""
    asked = DISCOUNTS.get(deal.title)
    if asked is None:
        return
    minted = Minted(discount_id, f"demo:{discount_id}")
    after = await Commands(services, cast[asked.by], minted).change(
        deal.id, _request(deal, asked, discount_id)
    )
    discount = find(after, discount_id)
    if discount is None or discount.approval_id is None:
        return
    await until_submitted(services, discount.approval_id)
    for number, (who, command) in enumerate(asked.said):
        update_id = f"demo:{discount.approval_id}:{number}"
        commands = ApprovalCommands(services, cast[who], update_id, Channel.PAGE)
        await commands.change(discount.approval_id, command)


def _request(deal: Opportunity, asked: Asked, discount_id: UUID) -> RequestDiscount:
    price = None
    if asked.competing_price is not None and deal.amount is not None:
        price = Money(amount=asked.competing_price, currency=deal.amount.currency)
    return RequestDiscount.model_validate(
        {
            "id": discount_id,
            "percent": asked.percent,
            "reason": asked.reason,
            "competitor": asked.competitor,
            "competing_price": price,
        }
    )
