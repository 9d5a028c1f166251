"""What goes in and out of the activities about discounts.

In a file of its own, for the reason that `workflows.messages` gives.
"""

from __future__ import annotations

from uuid import UUID

from pydantic import AwareDatetime, BaseModel

from domain.opportunity.state import Opportunity

RESOLVE_DISCOUNT = "resolve_discount"
CHECK_DISCOUNTS = "check_discounts"


class DiscountQuestion(BaseModel):
    """What does this request take, at this instant (UTC)?"""

    opportunity: Opportunity
    discount_id: UUID
    at: AwareDatetime


class CheckQuestion(BaseModel):
    """Is what is given covered by what was granted, at this instant (UTC)?"""

    opportunity: Opportunity
    at: AwareDatetime
