"""From a request for a discount to the approval that it needs, and whom that would ask."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from domain.approval.commands import Submit
from domain.approval.policy import StepTemplate
from domain.approval.resolve import Resolving
from domain.approval.state import Facts, Step, StepState, Subject
from domain.calendar import Calendar, after
from domain.discount.assess import Assessment
from domain.discount.envelope import Envelope
from domain.discount.facts import DiscountFacts
from domain.discount.policy import DiscountPolicy
from domain.discount.state import Discount
from domain.duration import Duration, in_words
from domain.opportunity.discounts import line_named
from domain.opportunity.state import Opportunity, Person
from domain.opportunity.wording import listed
from domain.principal import Side
from domain.span import parse_business

KIND = "discount"
INTERNAL_FACTS = ("margin", "elsewhere", "other_deals")
"""What only those who decide see: costs and margins, and what the customer gets in other deals."""


def facts_for_approvers(facts: DiscountFacts) -> Facts:
    """The facts as rules read them, with the customer's other discounts by name."""
    return {
        **facts.for_rules(),
        "currency": facts.currency,
        "other_deals": [grant.model_dump(mode="json") for grant in facts.elsewhere],
    }


def submission(
    deal: Opportunity, discount: Discount, policy: DiscountPolicy, found: Assessment, approval_id: UUID
) -> Submit:
    """What the approval is asked: all steps of the policy, and those of them that are needed.

    It ends by itself when nobody has decided in the time that the policy gives (business time is
    that of an office in UTC).
    """
    by = discount.requested_by
    on = line_named(deal, discount.line)
    what = deal.title + (f" ({on})" if on else "")
    expires = after(Calendar(), discount.requested_at, parse_business(policy.request_expires))
    return Submit(
        id=approval_id,
        subject=Subject(
            kind=KIND,
            title=what[:200],
            opportunity_id=deal.id,
            opportunity=deal.title,
            discount_id=discount.id,
            partner_id=by.organisation_id if by.side is Side.PARTNER else None,
        ),
        facts=facts_for_approvers(found.facts),
        internal_facts=INTERNAL_FACTS,
        terms=terms_of(found.offer, found.valid),
        asked_for=in_whose_name(deal, discount),
        policy=policy.ref,
        steps=templates(policy),
        fired=found.steps,
        backup=policy.backup,
        reason=discount.reason,
        percent=discount.percent,
        expires_at=expires,
    )


def in_whose_name(deal: Opportunity, discount: Discount) -> Person | None:
    """A colleague who asks on somebody's deal asks in the owner's name: then neither approves."""
    by = discount.requested_by
    if by.side is not Side.VENDOR or deal.owner is None or deal.owner.id == by.id:
        return None
    return deal.owner


def terms_of(offer: Envelope, valid: Duration) -> dict[str, str]:
    """What would be granted, for those who decide."""
    return {"grant": f"{offer.words}, for {in_words(valid)} from the approval on"}


def templates(policy: DiscountPolicy) -> tuple[StepTemplate, ...]:
    """The policy's steps as every approval knows them."""
    fields = set(StepTemplate.model_fields)
    return tuple(StepTemplate(**{name: getattr(step, name) for name in fields}) for step in policy.steps)


def resolving(submit: Submit, requester_id: UUID | None, now: datetime) -> Resolving:
    """What the directory is asked to find out whom a submission would ask."""
    askers = (requester_id, submit.asked_for.id if submit.asked_for else None)
    return Resolving(
        wants=(),
        facts=submit.facts,
        askers=frozenset(each for each in askers if each is not None),
        requester_id=requester_id,
        backup=submit.backup,
        at=now,
    )


def holders(steps: tuple[Step, ...]) -> tuple[str, datetime | None]:
    """Which steps begin at once, in words, and by when the first of them should be decided."""
    first = [step for step in steps if step.state is StepState.OPEN]
    due = min((step.due_at for step in first if step.due_at is not None), default=None)
    return listed((step.title for step in first), "and"), due
