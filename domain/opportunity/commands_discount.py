"""What may be asked about the discounts of a deal."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from domain.discount.state import AskedPercent
from domain.money import Money
from domain.opportunity.state import Reason, Title
from domain.value import Input


class RequestDiscount(Input):
    """Ask for a discount: the total off the list price, not an addition to what was granted before.

    `line` names a line of the deal, or a product line; without it the discount is for all of the deal.
    `partner_id` is needed only where the vendor asks for one of several partners.
    """

    kind: Literal["request_discount"] = "request_discount"
    id: UUID
    percent: AskedPercent
    reason: Reason
    competitor: Title | None = None
    competing_price: Money | None = None
    line: Title | None = None
    partner_id: UUID | None = None


class DropDiscount(Input):
    """Nobody wants this discount any more: a request is taken back, a grant given up."""

    kind: Literal["drop_discount"] = "drop_discount"
    discount_id: UUID
    reason: Reason | None = None
