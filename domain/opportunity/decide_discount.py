"""Decisions about discounts: ask, give up, what was found out, and how the approval ended."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

from domain.approval.state import ApprovalState
from domain.dates import dated
from domain.discount.assess import Assessment, Check, offer_at
from domain.discount.gather import facts_now
from domain.discount.state import MAX_DISCOUNTS, Discount, DiscountState, Uncovered, worth_keeping
from domain.duration import parse_duration
from domain.errors import Conflict, DiscountPending, InvalidInput, NoExchangeRate, NotFound
from domain.opportunity import commands_discount as ask
from domain.opportunity import events as did
from domain.opportunity.discounts import current, find, giver, in_force, line_named, pending
from domain.opportunity.draft import Draft, Outcome
from domain.opportunity.guards import demand, selling
from domain.opportunity.stages import settle
from domain.opportunity.state import Opportunity, Status
from domain.principal import SYSTEM, Action, Actor, Side

_REFUSED: dict[
    ApprovalState, Literal[DiscountState.REJECTED, DiscountState.RECALLED, DiscountState.EXPIRED]
] = {
    ApprovalState.REJECTED: DiscountState.REJECTED,
    ApprovalState.RECALLED: DiscountState.RECALLED,
    ApprovalState.EXPIRED: DiscountState.EXPIRED,
}
_TURNED: dict[
    ApprovalState, Literal[DiscountState.RETURNED, DiscountState.COUNTERED, DiscountState.PENDING]
] = {
    ApprovalState.RETURNED: DiscountState.RETURNED,
    ApprovalState.COUNTERED: DiscountState.COUNTERED,
    ApprovalState.PENDING: DiscountState.PENDING,
}


def request(draft: Draft, command: ask.RequestDiscount) -> None:
    """The total is asked for, one request at a time: slices would only ask for the same again."""
    demand(draft.by, Action.ASK_DISCOUNT, "Your role does not ask for discounts.")
    selling(draft.deal)
    deal = draft.deal
    _none_pending(deal, draft.by)
    if deal.amount is None or not deal.amount.amount:
        raise InvalidInput(
            "Say first what the deal is worth: set its amount, or add lines.", pointer="/amount"
        )
    if len(worth_keeping(deal.discounts)) >= MAX_DISCOUNTS:
        raise InvalidInput(f"At most {MAX_DISCOUNTS} discounts are in force on a deal: give one up first.")
    if find(deal, command.id) is not None:
        raise Conflict("This discount was asked for already.")
    on = line_named(deal, command.line)
    partner = giver(deal, command.partner_id, draft.by)
    draft.add(
        did.DiscountRequested(
            discount_id=command.id,
            percent=command.percent,
            reason=command.reason,
            competitor=command.competitor,
            competing_price=command.competing_price,
            line=command.line,
            on=on,
            partner_id=partner.id if partner else None,
        )
    )


def _none_pending(deal: Opportunity, by: Actor) -> None:
    """Raises: DiscountPending, while somebody still has to decide on a request before."""
    waiting = pending(deal)
    if waiting is None:
        return
    if by.side is Side.PARTNER and waiting.partner_id not in (None, by.organisation_id):
        raise DiscountPending("A discount of another partner is not decided yet: ask when it is.")
    holder = waiting.held_by(told_to_vendor=by.side is not Side.PARTNER) or "its requester"
    raise DiscountPending(
        f"{waiting.percent} % off waits for {holder}: amend that request, or take it back, then ask again.",
        approval_id=str(waiting.approval_id) if waiting.approval_id else None,
    )


def drop(draft: Draft, command: ask.DropDiscount) -> None:
    """A grant is given up only when nothing is priced with it any more."""
    demand(draft.by, Action.ASK_DISCOUNT, "Your role does not give up discounts.")
    selling(draft.deal)
    discount = find(draft.deal, command.discount_id)
    if discount is None:
        raise NotFound("This deal has no such discount.")
    if not discount.is_pending and discount not in current(draft.deal):
        raise Conflict(f"This discount is {discount.state.value} already.")
    _nothing_priced_with(draft.deal, discount)
    _not_instead_of_asking(draft.deal, discount)
    draft.add(did.DiscountDropped(**_of(discount), reason=command.reason))


def _of(discount: Discount) -> dict[str, Any]:
    """Which discount an event is about, and whose."""
    return {"discount_id": discount.id, "percent": discount.percent, "partner_id": discount.partner_id}


def _nothing_priced_with(deal: Opportunity, discount: Discount) -> None:
    standard = discount.facts.discount.standard if discount.facts else Decimal(0)
    for line in deal.lines:
        concerned = discount.line in (None, line.key, line.product_line)
        if concerned and not discount.is_pending and line.discount_percent > standard:
            raise Conflict(
                f"{line.name} is sold at {line.discount_percent} % off: lower it to {standard} % first."
            )


def _not_instead_of_asking(deal: Opportunity, discount: Discount) -> None:
    """A deal without lines does not show what is given: giving up what does not cover it would hide that.

    Raises: Conflict, saying how to tell what is given now.
    """
    if deal.lines or not discount.steps or discount.is_pending:
        return
    if discount.state is DiscountState.LAPSED or deal.discount_outside is not None:
        standard = discount.facts.discount.standard if discount.facts else Decimal(0)
        at_once = f" (up to {standard} % needs nobody)" if standard else ""
        raise Conflict(
            f"The grant of {discount.percent} % does not cover this deal any more, and without lines the "
            f"deal does not say what is given. Ask for the discount that is given now{at_once}, which takes "
            "its place; or add the lines at their prices, then give it up."
        )


def follow(draft: Draft) -> None:
    """What becomes of discounts when the deal closes, or when the partner that gives one has left."""
    deal = draft.deal
    waiting = pending(deal)
    if waiting is not None:
        gone = waiting.partner_id is not None and deal.partner(waiting.partner_id) is None
        if deal.is_closed or gone:
            why = f"the deal is {deal.status.value}" if deal.is_closed else "its partner has left the deal"
            draft.add(did.DiscountDropped(**_of(waiting), reason=why), by=SYSTEM)
    for held in in_force(deal):
        if held.partner_id is not None and deal.partner(held.partner_id) is None:
            why = "the partner that it was granted to has left the deal"
            draft.add(did.DiscountLapsed(**_of(held), why=why), by=SYSTEM)


def to_assess(deal: Opportunity) -> Discount | None:
    """The request of which nobody knows yet what it takes."""
    return next((each for each in deal.discounts if each.state is DiscountState.ASKED), None)


def assessed(deal: Opportunity, found: Assessment, now: datetime) -> Outcome:
    """The request is granted at once, or pending."""
    draft = Draft(deal, now, SYSTEM)
    discount = find(deal, found.discount_id)
    if discount is None:
        return draft.outcome()
    shared = {
        **_of(discount),
        "policy": found.policy,
        "facts": found.facts,
        "rates": found.rates,
        "carried": found.carried,
    }
    if found.submission is None:
        replaces = _replaced(deal, discount)
        granted = did.DiscountGrantedAtOnce(**shared, envelope=found.offer, why=found.why, replaces=replaces)
        draft.add(granted)
        settle(draft)
    else:
        draft.add(
            did.DiscountPending(
                **shared,
                approval_id=found.submission.id,
                steps=found.steps,
                offer=found.offer,
                valid=found.valid,
                waits_for=found.waits_for,
                due_at=found.due_at,
            )
        )
    return draft.outcome()


def approval_ended(
    deal: Opportunity,
    approval_id: UUID,
    state: ApprovalState,
    *,
    now: datetime,
    percent: Decimal | None = None,
    offered: Decimal | None = None,
    amount: Decimal | None = None,
    comment: str | None = None,
    agreed: tuple[str, ...] = (),
    not_needed: tuple[str, ...] = (),
) -> Outcome:
    """How the approval stands; nothing where the request is over already, or that is known.

    `amount` is what the deal came to as it was approved, in the policy's currency: a request that came
    back with another is granted for that. `agreed` are the keys of the steps that have approved it as it
    is now, `not_needed` of those that were asked before it was amended, and have not.
    """
    draft = Draft(deal, now, SYSTEM)
    discount = next((each for each in deal.discounts if each.approval_id == approval_id), None)
    if discount is None or not discount.is_pending:
        return draft.outcome()
    percent = discount.percent if percent is None else percent
    said = {**_of(discount), "percent": percent, "comment": comment}
    if state is ApprovalState.APPROVED:
        rests_on = (*(key for key in discount.steps if key not in (*not_needed, *agreed)), *agreed)
        _grant(draft, discount.but(steps=rests_on), percent, amount, comment)
    elif state in _REFUSED:
        draft.add(did.DiscountRefused(**said, state=_REFUSED[state]))
    elif (discount.state, discount.percent) != (_TURNED[state], percent):
        draft.add(did.DiscountTurned(**said, state=_TURNED[state], offered=offered))
    settle(draft)
    return draft.outcome()


def _grant(
    draft: Draft, discount: Discount, percent: Decimal, amount: Decimal | None, comment: str | None
) -> None:
    """What was approved, with the end that the policy gives it."""
    if discount.approval_id is None or discount.facts is None or discount.valid is None:
        return
    until = draft.now + parse_duration(discount.valid)
    facts = discount.facts.worth(amount).asking(percent)
    draft.add(
        did.DiscountGranted(
            **{**_of(discount), "percent": percent},
            approval_id=discount.approval_id,
            envelope=offer_at(discount, facts, until),
            comment=comment,
            replaces=_replaced(draft.deal, discount),
            facts=facts,
            steps=discount.steps,
        )
    )


def judged_amount(facts: dict[str, Any]) -> Decimal | None:
    """What the deal came to by the facts that an approval was judged by; None where they do not say."""
    amount = facts.get("deal", {}).get("amount")
    return None if amount is None else Decimal(str(amount))


def no_longer_wanted(before: Opportunity | None, after: Opportunity) -> list[tuple[UUID, str]]:
    """The approvals of requests that were given up, or whose deal or partner is gone, and why."""
    waited = {each.id for each in before.discounts if each.is_pending} if before else set()
    return [
        (each.approval_id, f"The request was given up: {each.note or 'nobody needs it any more'}.")
        for each in after.discounts
        if each.id in waited and each.state is DiscountState.DROPPED and each.approval_id is not None
    ]


def owner_is_another(before: Opportunity | None, after: Opportunity) -> UUID | None:
    """The approval that waits while the deal got another owner, who may not decide on it (four eyes)."""
    waiting = pending(after)
    if before is None or before.owner == after.owner or waiting is None:
        return None
    return waiting.approval_id


def _replaced(deal: Opportunity, discount: Discount) -> tuple[UUID, ...]:
    """What was given before for the same part of the deal."""
    return tuple(held.id for held in current(deal) if held.line == discount.line and held.id != discount.id)


def lapse(draft: Draft, discount_id: str) -> None:
    """A grant's time is over."""
    for held in in_force(draft.deal):
        if str(held.id) == discount_id and held.envelope is not None and held.envelope.until is not None:
            why = f"it was granted until {dated(held.envelope.until)}"
            draft.add(did.DiscountLapsed(**_of(held), why=why))


def needs_check(before: Opportunity | None, after: Opportunity) -> bool:
    """Whether what is given has to be compared anew with what was granted."""
    if before is None or after.status not in (Status.OPEN, Status.ON_HOLD):
        return False
    discounted = after.policy is not None and any(line.discount_percent for line in after.lines)
    if not current(after) and after.discount_outside is None and not discounted:
        return False
    if _priced_by(before) != _priced_by(after):
        return True
    return _held(before) != _held(after) and not _granted_as_asked(before, after)


def _priced_by(deal: Opportunity) -> tuple[object, ...]:
    return (deal.amount, deal.lines, [partner.id for partner in deal.partners])


def _held(deal: Opportunity) -> list[tuple[UUID, DiscountState]]:
    return [(held.id, held.state) for held in current(deal)]


def _granted_as_asked(before: Opportunity, after: Opportunity) -> bool:
    """Whether all that is new is a grant for the deal as it was judged: then that covers it."""
    known = _held(before)
    new = [held for held in current(after) if (held.id, held.state) not in known]
    settled = after.discount_outside is None and len(current(after)) == len(new)
    return settled and all(_is_as_judged(after, held) for held in new)


def _is_as_judged(deal: Opportunity, held: Discount) -> bool:
    if not held.is_in_force or held.facts is None:
        return False
    try:
        return facts_now(deal, held, held.facts) == held.facts
    except NoExchangeRate:
        return False


def checked(deal: Opportunity, found: Check, now: datetime) -> Outcome:
    """What is given is outside of what was granted, or inside again; nothing where that is known.

    It is told by who gives it: each partner reads of its own.
    """
    draft = Draft(deal, now, SYSTEM)
    known = deal.discount_outside
    outside = {share.partner_id: share.reasons for share in _shares(deal, found)}
    before = {share.partner_id: share.reasons for share in known.shares} if known else {}
    for partner_id in dict.fromkeys((*outside, *before)):
        reasons = outside.get(partner_id, ())
        if reasons != before.get(partner_id, ()):
            draft.add(did.DiscountChecked(outside=reasons, partner_id=partner_id))
    if draft.entries:
        settle(draft)
    return draft.outcome()


def _shares(deal: Opportunity, found: Check) -> tuple[Uncovered, ...]:
    """Whose reasons these are; an answer of before does not say, and is nobody's where several give."""
    if not found.outside:
        return found.shares
    givers = {held.partner_id for held in current(deal)}
    nobody = UUID(int=0)
    return (Uncovered(partner_id=givers.pop() if len(givers) == 1 else nobody, reasons=found.outside),)
