"""Discounts: whom a request would ask, before anybody does; and the approval of one, once it is there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Protocol
from uuid import UUID

from api.commands import translated
from api.services import Services
from db import directory, discounts
from db.session import Database
from domain.approval.naming import named
from domain.approval.resolve import preview as would_ask
from domain.approval.state import Step
from domain.discount.assess import Asked, Assessment, assess
from domain.discount.facts import MarginFacts
from domain.discount.policy import DiscountPolicy
from domain.discount.submit import resolving, submission
from domain.money import Money
from domain.opportunity import commands as ask
from domain.opportunity.blockers import Blocker, blockers
from domain.opportunity.commands_discount import RequestDiscount
from domain.opportunity.discounts import pending
from domain.opportunity.rules import decide
from domain.opportunity.state import Opportunity
from domain.principal import THE_VENDOR, Principal, Side
from runtime import cel
from runtime.ids import new_id
from runtime.policies import RULES
from workflows.approval_messages import approval_workflow_id
from workflows.entity import Receipt


class DiscountWish(Protocol):
    """A discount as a body describes it."""

    @property
    def percent(self) -> Decimal: ...
    @property
    def reason(self) -> str: ...
    @property
    def competitor(self) -> str | None: ...
    @property
    def competing_price(self) -> Money | None: ...
    @property
    def line(self) -> str | None: ...
    @property
    def partner_id(self) -> UUID | None: ...


@dataclass(frozen=True, slots=True)
class DiscountPreview:
    """What would follow from a request: nobody asked where `steps` is empty, else who, in which order."""

    found: Assessment
    steps: tuple[Step, ...]


def requesting(discount_id: UUID, wish: DiscountWish) -> RequestDiscount:
    """The command that asks for the discount a body describes."""
    return RequestDiscount(
        id=discount_id,
        percent=wish.percent,
        reason=wish.reason,
        competitor=wish.competitor,
        competing_price=wish.competing_price,
        line=wish.line,
        partner_id=wish.partner_id,
    )


async def preview(
    database: Database, principal: Principal, deal: Opportunity, wish: DiscountWish
) -> DiscountPreview:
    """What would follow if the principal asked for this now. Nothing is kept.

    Raises:
        TandemError: the request would be refused, by its class.
    """
    now, by = datetime.now(UTC), principal.actor
    request = ask.Request(command=requesting(new_id(), wish), by=by)
    discount = pending(decide(deal, request, now).opportunity)
    if discount is None:
        msg = "A request that was taken is pending until it is assessed."
        raise RuntimeError(msg)
    async with database.read() as session:
        policy = await discounts.policy_of(session, deal)
        around = await discounts.around(session, deal, discount, policy)
        found = assess(Asked(deal, discount, policy, around, now), RULES)
        if not found.steps:
            return DiscountPreview(found, ())
        submit = submission(deal, discount, policy, found, new_id())
        request_for = resolving(submit, by.id, now)
        people = await directory.of_vendor(session, named(request_for, cel.answer, submit.steps), now)
    fired = submit.fired if principal.side is Side.VENDOR else _without_internal(found, policy)
    steps = would_ask(submit.steps, fired, request_for, people, cel.answer)
    return DiscountPreview(found, steps)


def _without_internal(found: Assessment, policy: DiscountPolicy) -> tuple[str, ...]:
    """The steps that are asked whatever the margin, and whatever the customer has in other deals.

    Else a partner who tries one percentage after the other would learn what the deal costs the vendor.
    Where there are no others, those that are.
    """
    known = found.facts.but(margin=MarginFacts(), elsewhere=())
    told = RULES.firing(policy, known)
    return tuple(key for key in found.steps if key in told) or found.steps


async def blockers_seen(database: Database, principal: Principal, deal: Opportunity) -> list[Blocker]:
    """What the deal waits for, with who holds its discount by now: the vendor's people read names."""
    found = blockers(deal)
    waiting = pending(deal)
    if waiting is None or waiting.approval_id is None or waiting.state.is_back:
        return found
    async with database.read() as session:
        held = await discounts.holders(session, waiting.approval_id)
    if held is None:
        return found
    who = held.words if principal.side is Side.VENDOR else THE_VENDOR
    now = {"who": who, "due_at": held.due_at}
    return [each.but(**now) if each.code == "discount_pending" else each for each in found]


async def until_submitted(services: Services, approval_id: UUID) -> None:
    """Wait until the approval is recorded, so that whoever asked can read it. Raises `Unavailable`."""
    async with translated("request"):
        client = await services.temporal.client()
        handle = client.get_workflow_handle(approval_workflow_id(approval_id))
        await handle.execute_update("submitted", id="asked", result_type=Receipt)
