"""Discounts of a deal: who is asked, what a grant covers, and the ways around it that are closed."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from domain.approval.state import ApprovalState
from domain.discount.assess import Assessment
from domain.discount.facts import OtherGrant
from domain.discount.state import MAX_DISCOUNTS, Discount, DiscountState
from domain.errors import (
    Conflict,
    DealClosed,
    DiscountNotGranted,
    DiscountOutsideGrant,
    DiscountPending,
    Forbidden,
    InvalidInput,
    NoExchangeRate,
    NotFound,
    StageGateClosed,
)
from domain.money import Money
from domain.opportunity import commands as ask
from domain.opportunity.blockers import blockers
from domain.opportunity.commands_discount import DropDiscount
from domain.opportunity.commands_lines import AddLine, ChangeLine, LineProduct
from domain.opportunity.decide_discount import (
    approval_ended,
    assessed,
    judged_amount,
    needs_check,
    no_longer_wanted,
)
from domain.opportunity.discounts import giver, granted_percent, line_named
from domain.opportunity.work import work_items
from domain.principal import SYSTEM, Side
from tests.bargains import POLICY, Bargain, a_bargain, changed
from tests.factories import (
    ASTER,
    BOREALIS,
    BOREALIS_SELLER,
    CYGNUS,
    DESK,
    REP,
    SELLER,
    SUCCESS,
    a_playbook,
    a_stage,
    a_task,
    an_id,
)

USD = "USD"
GATED = a_playbook(
    stages=[
        a_stage("quote", a_task("send-quote", required=False), exit={"by": "tasks", "discount": "settled"}),
        a_stage("commit", phase="committed"),
    ]
)


def money(amount: str, currency: str = USD) -> Money:
    return Money(amount=amount, currency=currency)


def a_product(name: str = "ERP suite", line: str = "ERP", cost: str | None = "100.00") -> LineProduct:
    return LineProduct(
        id=an_id(7000),
        sku=name,
        name=name,
        product_line=line,
        list_price=money("1000.00"),
        cost=money(cost) if cost else None,
    )


def with_lines(**more: Any) -> Bargain:
    """Two lines: 100,000.00 of ERP, 50,000.00 of support."""
    deal = a_bargain(amount=None, **more)
    deal.ask(AddLine(product=a_product(), quantity=100, standard_percent="15"))
    deal.ask(AddLine(product=a_product("Support", "support"), quantity=50, standard_percent="15"))
    return deal


# ------------------------------------------------------------------ who is asked


@pytest.mark.parametrize(
    ("tier", "percent", "steps"),
    [
        ("gold", "15", []),
        ("silver", "10", []),
        ("registered", "5", []),
        (None, "0.01", ["deal-desk"]),
        ("gold", "15.01", ["deal-desk"]),
        ("silver", "15", ["deal-desk"]),
        ("gold", "25", ["deal-desk"]),
        ("gold", "25.01", ["deal-desk", "finance"]),
        ("gold", "40", ["deal-desk", "finance"]),
        ("gold", "40.01", ["deal-desk", "finance", "sales-director"]),
    ],
)
def test_the_shipped_policy_asks_by_how_far_it_goes(tier: str | None, percent: str, steps: list[str]) -> None:
    deal = a_bargain()
    deal.tier = tier
    found = deal.want(percent)
    assert deal.asked == steps
    assert found.state is (DiscountState.PENDING if steps else DiscountState.GRANTED)


@pytest.mark.parametrize(
    ("amount", "steps"), [("1562500.00", ["deal-desk"]), ("1562506.26", ["deal-desk", "finance"])]
)
def test_more_than_a_quarter_of_a_million_given_away_needs_finance(amount: str, steps: list[str]) -> None:
    deal = a_bargain(amount=money(amount))
    deal.want("16")
    assert deal.asked == steps


def test_below_cost_needs_the_director() -> None:
    deal = a_bargain(amount=None)
    deal.ask(AddLine(product=a_product(cost="810.00"), quantity=100))
    deal.want("20")
    assert deal.asked == ["deal-desk", "sales-director"]
    assert deal.newest.facts is not None
    assert deal.newest.facts.margin.below_cost


def test_amounts_are_told_in_the_policys_currency_at_rates_that_are_kept() -> None:
    deal = a_bargain(amount=money("100000.00", "EUR"))
    found = deal.want("20", competing_price=money("70000.00", "EUR"), competitor="Rival")
    assert found.facts is not None
    assert found.facts.deal.amount == 200000
    assert found.facts.discount.value == 40000
    assert found.facts.discount.competing_price == 140000
    assert found.rates.rates == {"EUR": Decimal("0.5")}
    assert a_bargain().want("20").rates.rates == {}


def test_a_currency_without_a_rate_is_refused() -> None:
    with pytest.raises(NoExchangeRate):
        a_bargain(amount=money("100000.00", "CHF")).want("20")


def test_the_days_to_the_expected_close_are_a_fact() -> None:
    found = a_bargain().want("20").facts
    assert found is not None
    assert found.deal.expected_close_days == 213
    without = a_bargain(expected_close=None).want("20").facts
    assert without is not None
    assert without.deal.expected_close_days == 0


def test_without_a_partner_the_vendor_gives_it() -> None:
    deal = a_bargain(changed(standard={"without_partner": 7}), partners=())
    deal.tier = None
    assert deal.want("7").state is DiscountState.GRANTED
    assert deal.newest.partner_id is None


def test_a_product_line_may_have_a_standard_of_its_own() -> None:
    policy = changed(
        standard={"tiers": {"gold": 15}, "lines": {"ERP": {"gold": 12}, "support": {"gold": 30}}}
    )
    deal = with_lines(policy=policy)
    assert deal.want("30", line="support").state is DiscountState.GRANTED
    assert deal.want("13", line="line-3").state is DiscountState.PENDING


# ------------------------------------------------------------------ what is refused


def test_roles_that_only_read_do_not_ask() -> None:
    for by in (DESK, SUCCESS):
        with pytest.raises(Forbidden):
            a_bargain().want("20", by=by)


def test_a_deal_without_an_amount_has_nothing_to_give() -> None:
    for amount in (None, money("0")):
        with pytest.raises(InvalidInput, match="what the deal is worth"):
            a_bargain(amount=amount).want("20")


def test_one_at_a_time() -> None:
    deal = a_bargain()
    deal.want("20")
    with pytest.raises(DiscountPending, match="waits for Deal desk"):
        deal.want("19")


def test_a_request_is_done_once() -> None:
    deal = a_bargain()
    deal.want("15")
    with pytest.raises(Conflict):
        deal.want("15", id=deal.newest.id)


def test_a_deal_has_so_many_requests_at_most() -> None:
    deal = a_bargain()
    for _ in range(MAX_DISCOUNTS):
        deal.want("10")
    with pytest.raises(InvalidInput):
        deal.want("10")


def test_a_closed_deal_gives_nothing() -> None:
    deal = a_bargain()
    deal.ask(ask.Lose(reason="price"))
    with pytest.raises(DealClosed):
        deal.want("10")


@pytest.mark.parametrize("percent", ["0", "-1", "100", "100.0000001", "12.345", "NaN", "1e1"])
def test_no_such_percentage(percent: str) -> None:
    with pytest.raises(ValueError, match="percent"):
        a_bargain().want(percent)


def test_a_line_that_is_not_there() -> None:
    with pytest.raises(InvalidInput, match="it has ERP, support, line-3, line-4"):
        with_lines().want("20", line="hardware")


def test_without_lines_a_product_line_may_be_named() -> None:
    deal = a_bargain()
    assert line_named(deal.deal, "hardware") == "hardware"
    assert line_named(deal.deal, None) is None


# ------------------------------------------------------------------ which partner gives it


def test_who_sets_the_price_gives_the_discount() -> None:
    deal = a_bargain(partners=(BOREALIS, ASTER)).deal
    assert giver(deal, None, REP) == ASTER
    assert giver(deal, BOREALIS.id, REP) == BOREALIS
    assert giver(deal, ASTER.id, BOREALIS_SELLER) == BOREALIS
    assert giver(a_bargain(partners=()).deal, None, SYSTEM) is None
    with pytest.raises(InvalidInput):
        giver(deal, CYGNUS.id, REP)


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
    assert deal.outside == ["20 % now needs approval by Finance"]
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
    assert deal.newest.state is DiscountState.COUNTERED
    assert deal.last == "18 % is offered instead of 30 %: For three years."
    found = deal.decided(ApprovalState.APPROVED, percent=Decimal(18))
    assert (found.percent, found.asked_percent) == (Decimal(18), Decimal(30))
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


# ------------------------------------------------------------------ the gate


def test_a_stage_that_says_so_is_left_when_its_discounts_are_settled() -> None:
    deal = a_bargain(playbook=GATED)
    deal.want("20")
    assert deal.blocked_by == ["discount_pending"]
    with pytest.raises(DiscountPending):
        deal.ask(ask.Advance())
    deal.decided(ApprovalState.APPROVED)
    deal.change(amount=money("100000.00"))
    assert deal.blocked_by == ["discount_outside_grant"]
    assert [item.title for item in work_items(deal.deal)][-1].startswith("Ask again for the discount")
    with pytest.raises(DiscountOutsideGrant):
        deal.ask(ask.Advance())
    deal.change(amount=money("250000.00"))
    assert deal.last == "The discount is covered by what was granted."
    deal.ask(ask.Advance())
    assert deal.deal.stage.key == "commit"


def test_another_stage_is_left_meanwhile_and_a_deal_is_not_won() -> None:
    deal = a_bargain(playbook=a_playbook(stages=[a_stage("talk"), a_stage("commit", phase="committed")]))
    deal.want("20")
    deal.ask(ask.Advance())
    with pytest.raises(DiscountPending):
        deal.ask(ask.Win())


def test_what_else_is_missing_is_said_as_well() -> None:
    stages = [a_stage("quote", a_task("send-quote"), exit={"by": "tasks", "discount": "settled"})]
    deal = a_bargain(playbook=a_playbook(stages=stages))
    deal.want("20")
    with pytest.raises(StageGateClosed) as refused:
        deal.ask(ask.Win())
    assert [each["code"] for each in refused.value.extra["blockers"]] == ["task_open", "discount_pending"]


def test_nobody_moves_past_it_and_back_one_may() -> None:
    stages = [a_stage("talk"), *GATED.model_dump(mode="json", exclude_none=True)["stages"]]
    deal = a_bargain(playbook=a_playbook(stages=stages))
    deal.ask(ask.Advance())
    deal.want("20")
    with pytest.raises(DiscountPending):
        deal.ask(ask.Move(stage="commit", reason="No time."))
    deal.ask(ask.Move(stage="talk", reason="Once more."))
    deal.decided(ApprovalState.APPROVED)
    deal.ask(ask.Move(stage="commit", reason="All is clear."))


def test_a_stage_that_is_agreed_on_moves_on_when_the_discount_is_settled() -> None:
    stages = [
        a_stage("quote", exit={"by": "sign_off", "discount": "settled"}),
        a_stage("commit", phase="committed"),
    ]
    deal = a_bargain(playbook=a_playbook(stages=stages))
    deal.want("20")
    deal.ask(ask.Advance()).ask(ask.Advance(), by=SELLER)
    with pytest.raises(DiscountPending, match="Your side has agreed"):
        deal.ask(ask.Advance())
    deal.decided(ApprovalState.APPROVED)
    assert deal.deal.stage.key == "commit"


def test_whose_turn_it_is() -> None:
    deal = a_bargain(playbook=GATED)
    deal.want("20", by=SELLER)
    [waiting] = blockers(deal.deal)
    assert (waiting.turn, waiting.who) == (Side.VENDOR, "Deal desk")
    deal.decided(ApprovalState.RETURNED, comment="Why?")
    [back] = blockers(deal.deal)
    assert (back.turn, back.who, back.partner_id) == (Side.PARTNER, SELLER.name, ASTER.id)


# ------------------------------------------------------------------ lines


def test_a_grant_is_what_a_line_may_be_sold_at() -> None:
    deal = with_lines()
    with pytest.raises(DiscountNotGranted):
        deal.ask(ChangeLine(key="line-3", discount_percent="20", standard_percent="15"))
    deal.granted("20", line="line-3")
    deal.ask(ChangeLine(key="line-3", discount_percent="20", standard_percent="15"))
    assert deal.outside == []
    line = deal.deal.line("line-4")
    assert line is not None
    assert granted_percent(deal.deal, line) == 0
    with pytest.raises(DiscountNotGranted):
        deal.ask(ChangeLine(key="line-4", discount_percent="20", standard_percent="15"))


def test_lines_are_compared_at_list_price() -> None:
    deal = with_lines()
    deal.granted("20")
    deal.ask(ChangeLine(key="line-3", discount_percent="20", standard_percent="15"))
    deal.ask(ChangeLine(key="line-4", discount_percent="20", standard_percent="15"))
    assert deal.outside == []
    deal.ask(ChangeLine(key="line-3", quantity=60))
    assert "110,000.00 USD, and it was granted for at least 120,000.00 USD" in deal.outside[0]


def test_a_line_that_nothing_covers_any_more_is_told() -> None:
    deal = with_lines()
    deal.granted("20", line="ERP")
    deal.ask(ChangeLine(key="line-3", discount_percent="20", standard_percent="15"))
    deal.later(days=91)
    assert "ERP suite is at 20 %, and up to 15 % may be given" in deal.outside
    with pytest.raises(Conflict, match="lower it to 15 % first"):
        deal.drop()
    deal.ask(ChangeLine(key="line-3", discount_percent="15"))
    deal.drop()
    assert deal.outside == []


def test_the_next_partner_gives_its_own_standard() -> None:
    deal = with_lines()
    deal.ask(ChangeLine(key="line-3", discount_percent="15", standard_percent="15"))
    deal.tier = "silver"
    deal.ask(ask.RemovePartner(partner_id=ASTER.id)).ask(ask.AddPartner(partner=CYGNUS))
    assert deal.outside == ["ERP suite is at 15 %, and up to 10 % may be given"]


def test_costs_are_no_facts_where_one_is_not_known() -> None:
    deal = with_lines()
    deal.ask(AddLine(product=a_product("Hardware", "hardware", cost=None), quantity=1))
    facts = deal.want("20").facts
    assert facts is not None
    assert not facts.margin.known


# ------------------------------------------------------------------ giving up


def test_a_request_and_a_grant_can_be_given_up() -> None:
    deal = a_bargain()
    deal.want("20")
    deal.drop()
    assert deal.last == "Rosa Rep gave up the discount of 20 %: Full price."
    with pytest.raises(Conflict):
        deal.drop()
    with pytest.raises(NotFound):
        deal.ask(DropDiscount(discount_id=an_id(1)))
    with pytest.raises(Forbidden):
        deal.drop(by=DESK)
    deal.granted("20")
    deal.change(amount=money("1.00"))
    assert deal.outside
    deal.drop()
    assert deal.outside == []


# ------------------------------------------------------------------ when it is looked at again


def test_a_deal_without_discounts_is_never_checked() -> None:
    deal = a_bargain()
    deal.change(amount=money("1.00"))
    deal.ask(ask.RemovePartner(partner_id=ASTER.id))
    assert deal.checks == 0
    assert not needs_check(None, deal.deal)


def test_a_change_that_is_not_about_the_price_checks_nothing() -> None:
    deal = a_bargain()
    deal.granted("20")
    checks = deal.checks
    deal.ask(ask.AddNote(text="Good talk."))
    deal.change(title="ERP roll-out")
    assert deal.checks == checks


def test_a_grant_whose_policy_is_not_known_is_compared_by_its_bounds() -> None:
    deal = a_bargain()
    deal.granted("20")
    deal.policy = POLICY.model_copy(update={"version": 2})
    deal.change(amount=money("2000000.00"))
    assert deal.outside == []


def test_another_partner_reads_nothing_of_it() -> None:
    deal = a_bargain()
    deal.granted("20", by=SELLER)
    told = [entry.event for entry in deal.entries if entry.event.type.startswith("discount_")]
    assert told
    assert {event.only_for for event in told} == {ASTER.id}
    written = " ".join(event.model_dump_json() for event in told)
    assert "margin" not in written
    assert "deal-desk" not in written


def test_words_of_a_request_say_against_whom() -> None:
    deal = with_lines()
    deal.want("20", line="line-3", competitor="Rival", competing_price=money("70000.00"))
    words = next(e.words for e in deal.entries if e.event.type == "discount_requested")
    expected = "Rosa Rep asked for 20 % off ERP suite, against Rival at 70,000.00 USD: A strategic account."
    assert words == expected


def test_a_grant_without_an_envelope_covers_whatever_there_is() -> None:
    """As nothing of ours makes one, but a record might."""
    deal = a_bargain()
    deal.granted("20")
    bare: Discount = deal.newest.model_copy(update={"envelope": None, "facts": None})
    deal.deal.discounts = (bare,)
    deal.change(amount=money("1.00"))
    assert deal.outside == []
    deal.later(days=200)
    assert deal.newest.state is DiscountState.GRANTED


def test_each_grant_ends_at_its_own_time() -> None:
    deal = with_lines()
    deal.granted("20", line="ERP")
    deal.later(days=10)
    deal.granted("20", line="support")
    deal.later(days=81)
    assert [each.state for each in deal.deal.discounts] == [DiscountState.LAPSED, DiscountState.GRANTED]


def test_what_changed_while_it_waited_is_looked_at_when_it_is_granted() -> None:
    deal = a_bargain()
    deal.granted("20")
    assert deal.checks == 0, "it is granted for the deal as it was judged"
    for amount in (money("100000.00"), money("100000.00", "CHF")):
        waiting = a_bargain()
        waiting.want("20")
        waiting.change(amount=amount)
        waiting.decided(ApprovalState.APPROVED)
        assert waiting.checks == 1
        assert waiting.outside
