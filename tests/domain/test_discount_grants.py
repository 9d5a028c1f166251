"""What a grant covers, the ways around it that are closed, and how approvals end."""

from __future__ import annotations

from decimal import Decimal

import pytest

from domain.approval.state import ApprovalState
from domain.discount.assess import Assessment
from domain.discount.facts import OtherGrant
from domain.discount.state import DiscountState
from domain.opportunity import commands as ask
from domain.opportunity.decide_discount import (
    approval_ended,
    assessed,
    judged_amount,
    no_longer_wanted,
)
from tests.bargains import GATED, a_bargain, changed, money
from tests.factories import (
    ASTER,
    an_id,
)

# ------------------------------------------------------------------ what a grant covers


def test_a_grant_is_an_envelope() -> None:
    deal = a_bargain()
    found = deal.granted("20")
    assert found.envelope is not None
    assert found.envelope.words == "up to 20 %, for at least 200,000.00 USD, until 30 May 2027"
    assert deal.last == f"20 % is granted: {found.envelope.words}."
    assert deal.outside == []


def test_where_finance_looks_at_the_value_that_is_bounded_too() -> None:
    envelope = a_bargain().granted("30").envelope
    assert envelope is not None
    assert envelope.max_value == money("93750.00")


def test_what_nobody_has_to_approve_has_no_bounds_but_the_percentage() -> None:
    envelope = a_bargain().want("15").envelope
    assert envelope is not None
    assert envelope.words == "up to 15 %"


def test_a_change_inside_needs_nobody_and_asking_again_moves_no_bound() -> None:
    deal = a_bargain()
    first = deal.granted("20")
    deal.change(amount=money("200000.00"))
    assert deal.outside == []
    again = deal.want("19")
    assert again.state is DiscountState.GRANTED
    assert again.envelope == first.envelope
    assert deal.discount(1).state is DiscountState.REPLACED
    deal.change(amount=money("199999.99"))
    assert deal.outside == [
        "the deal comes to 199,999.99 USD, and it was granted for at least 200,000.00 USD"
    ]


def test_outside_the_steps_that_the_worsening_touches_are_asked_again() -> None:
    deal = a_bargain()
    deal.granted("30")
    deal.change(amount=money("150000.00"))
    deal.want("30")
    assert deal.newest.state is DiscountState.PENDING
    assert deal.entries[-1].event.type == "discount_pending"
    assert set(deal.asked) == {"deal-desk", "finance"}
    submitted = deal.newest.offer
    assert submitted is not None
    assert submitted.min_amount == money("120000.00")


def test_a_larger_value_asks_finance_alone() -> None:
    deal = a_bargain()
    deal.granted("20")
    deal.change(amount=money("2000000.00"))
    assert deal.outside == ["20 % now needs more approval than it has"]
    deal.want("20")
    event = deal.entries[-1].event
    assert event.type == "discount_pending"
    assert event.steps == ("finance",)
    assert event.carried == ("deal-desk",)
    deal.decided(ApprovalState.APPROVED)
    assert deal.outside == []


def test_a_value_that_grows_beyond_what_finance_saw_is_outside() -> None:
    deal = a_bargain()
    deal.granted("30")
    deal.change(amount=money("400000.00"))
    assert deal.outside == ["30 % would give away 120,000.00 USD, and at most 93,750.00 USD was granted"]
    deal.want("30")
    event = deal.entries[-1].event
    assert event.type == "discount_pending"
    assert event.steps == ("finance",)


def test_more_than_was_granted_asks_again() -> None:
    deal = a_bargain()
    deal.granted("20")
    deal.want("21")
    assert deal.newest.state is DiscountState.PENDING
    assert deal.discount(1).state is DiscountState.GRANTED, "what was granted before holds on"
    deal.decided(ApprovalState.REJECTED, comment="No.")
    assert deal.discount(1).state is DiscountState.GRANTED


def test_outside_somebody_is_asked_even_where_no_rule_minds() -> None:
    steps = [
        {"key": "desk", "title": "Desk", "when": "partner.tier == 'gold'", "approvers": [{"role": "admin"}]}
    ]
    deal = a_bargain(changed(steps=steps))
    deal.granted("20")
    deal.change(amount=money("100000.00"))
    deal.want("20")
    assert deal.asked == ["desk"]
    assert deal.newest.state is DiscountState.PENDING


def test_slices_do_not_add_up() -> None:
    deal = a_bargain()
    deal.want("15")
    deal.want("16")
    assert deal.asked == ["deal-desk"]
    assert deal.newest.offer is not None
    assert deal.newest.offer.max_percent == 16


def test_a_deal_without_an_amount_any_more_is_outside() -> None:
    deal = a_bargain()
    deal.granted("20")
    deal.change(amount=None)
    assert deal.outside == ["the deal has no amount, and it was granted for at least 200,000.00 USD"]


def test_a_deal_in_another_currency_is_compared_at_the_rates_of_then() -> None:
    deal = a_bargain(amount=money("100000.00", "EUR"))
    deal.granted("20")
    deal.change(amount=money("170000.00"))
    assert deal.outside == []
    deal.change(amount=money("170000.00", "CHF"))
    assert "CHF" in deal.outside[0]
    assert len(deal.outside) == 1


def test_a_grant_ends_when_its_time_is_over() -> None:
    deal = a_bargain()
    deal.granted("20")
    deal.later(days=90)
    assert deal.newest.state is DiscountState.LAPSED
    assert "it was granted until 30 May 2027" in deal.outside[0]
    deal.want("20")
    assert deal.asked == ["deal-desk"]
    deal.decided(ApprovalState.APPROVED)
    assert deal.outside == []
    assert deal.discount(1).state is DiscountState.REPLACED


def test_a_grant_ends_also_on_hold_and_not_once_it_is_used() -> None:
    deal = a_bargain(expected_close=None)
    deal.granted("20")
    deal.ask(ask.HoldDeal(reason="budget freeze"))
    deal.later(days=100)
    assert deal.newest.state is DiscountState.LAPSED
    won = a_bargain(playbook=GATED)
    won.granted("20")
    won.ask(ask.Advance()).ask(ask.Win())
    won.later(days=100)
    assert won.newest.state is DiscountState.GRANTED


def test_a_partner_that_leaves_takes_its_grant_and_its_request_along() -> None:
    deal = a_bargain()
    deal.granted("20")
    deal.ask(ask.RemovePartner(partner_id=ASTER.id))
    assert deal.newest.state is DiscountState.LAPSED
    deal.ask(ask.AddPartner(partner=ASTER))
    assert "left the deal" in deal.outside[0]
    before = deal.deal
    deal.want("20")
    assert deal.asked == ["deal-desk"]
    pending = deal.deal
    deal.ask(ask.RemovePartner(partner_id=ASTER.id))
    assert deal.discount(2).state is DiscountState.DROPPED
    assert no_longer_wanted(before, pending) == []
    assert no_longer_wanted(None, deal.deal) == []
    [(approval_id, why)] = no_longer_wanted(pending, deal.deal)
    assert approval_id == deal.newest.approval_id
    assert "its partner has left the deal" in why


def test_a_lost_deal_waits_for_nobody() -> None:
    deal = a_bargain()
    deal.want("20")
    deal.ask(ask.Lose(reason="price"))
    assert deal.newest.state is DiscountState.DROPPED
    assert deal.newest.note == "the deal is lost"


def test_a_copy_of_the_deal_counts_with_the_first() -> None:
    deal = a_bargain(amount=money("1000000.00"))
    deal.elsewhere = (
        OtherGrant(
            opportunity_id=an_id(9), title="The first", percent="20", state="granted", value=Decimal(200000)
        ),
    )
    deal.want("20")
    assert deal.asked == ["deal-desk", "finance"]
    assert deal.newest.facts is not None
    assert deal.newest.facts.elsewhere[0].words == "“The first” has 20 % (granted)"


# ------------------------------------------------------------------ how the approval ends


def test_a_counter_offer_that_is_taken_is_what_is_granted() -> None:
    deal = a_bargain()
    deal.want("30")
    deal.decided(
        ApprovalState.COUNTERED, percent=Decimal(30), offered=Decimal(18), comment="For three years."
    )
    assert (deal.newest.state, deal.newest.offered) == (DiscountState.COUNTERED, Decimal(18))
    assert deal.last == "18 % is offered instead of 30 %: For three years."
    found = deal.decided(ApprovalState.APPROVED, percent=Decimal(18))
    assert (found.percent, found.asked_percent, found.offered) == (Decimal(18), Decimal(30), None)
    assert found.envelope is not None
    assert found.envelope.max_percent == 18
    assert found.envelope.max_value == money("56250.00")


def test_what_comes_back_amended_is_granted_as_amended() -> None:
    deal = a_bargain()
    deal.want("30")
    deal.decided(ApprovalState.RETURNED, comment="Which competitor?")
    assert deal.last == "The request for 30 % was returned for changes: Which competitor?"
    deal.change(amount=money("300000.00"))
    deal.decided(ApprovalState.PENDING, percent=Decimal(28))
    assert deal.last == "28 % waits for approval again."
    deal.decided(ApprovalState.PENDING, percent=Decimal(28))
    found = deal.decided(ApprovalState.APPROVED, percent=Decimal(28), amount=Decimal("300000.0"))
    assert found.envelope is not None
    assert found.envelope.min_amount == money("240000.00")
    assert deal.outside == []


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (ApprovalState.REJECTED, "20 % was rejected: Too much."),
        (ApprovalState.RECALLED, "The request for 20 % was taken back: Too much."),
        (ApprovalState.EXPIRED, "Nobody decided on 20 % in time: Too much."),
    ],
)
def test_what_is_refused_says_how(state: ApprovalState, words: str) -> None:
    deal = a_bargain()
    deal.want("20")
    found = deal.decided(state, comment="Too much.")
    assert found.state.value == state.value
    assert deal.last == words
    assert found.waits_for is None


def test_an_answer_that_comes_late_changes_nothing() -> None:
    deal = a_bargain()
    deal.want("20")
    approval_id = deal.newest.approval_id
    assert approval_id is not None
    deal.decided(ApprovalState.REJECTED)
    late = approval_ended(deal.deal, approval_id, ApprovalState.APPROVED, now=deal.now)
    assert late.entries == ()
    unknown = approval_ended(deal.deal, an_id(1), ApprovalState.APPROVED, now=deal.now)
    assert unknown.entries == ()


def test_an_answer_about_what_was_never_assessed_grants_nothing() -> None:
    deal = a_bargain()
    deal.want("20")
    broken = deal.newest.model_copy(update={"facts": None})
    deal.deal.discounts = (broken,)
    assert broken.approval_id is not None
    assert not approval_ended(deal.deal, broken.approval_id, ApprovalState.APPROVED, now=deal.now).entries


def test_what_was_found_out_about_an_unknown_request_is_nothing() -> None:
    deal = a_bargain()
    deal.want("20")
    discount = deal.newest
    assert discount.policy is not None
    assert discount.facts is not None
    assert discount.offer is not None
    found = Assessment(
        discount_id=an_id(1),
        policy=discount.policy,
        facts=discount.facts,
        rates=discount.rates,
        offer=discount.offer,
        valid="90d",
    )
    assert assessed(deal.deal, found, deal.now).entries == ()


def test_the_amount_that_was_judged_is_read_from_the_facts() -> None:
    assert judged_amount({"deal": {"amount": 250000.0}}) == 250000
    assert judged_amount({}) is None
