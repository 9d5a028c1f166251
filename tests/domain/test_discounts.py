"""Discounts of a deal: who is asked, and what is refused."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from domain.approval.state import ApprovalState
from domain.discount.state import MAX_DISCOUNTS, DiscountState
from domain.errors import (
    Conflict,
    DealClosed,
    DiscountPending,
    Forbidden,
    InvalidInput,
    NoExchangeRate,
    NotFound,
)
from domain.opportunity import commands as ask
from domain.opportunity.commands_discount import DropDiscount
from domain.opportunity.commands_lines import AddLine
from domain.opportunity.discounts import bounding, giver, line_named
from domain.opportunity.state import DealPartner
from domain.playbook import PartnerRole
from domain.principal import SYSTEM, Actor
from tests.bargains import a_bargain, a_product, changed, money, with_lines
from tests.factories import (
    ASTER,
    BOREALIS,
    BOREALIS_SELLER,
    CYGNUS,
    CYGNUS_SELLER,
    DESK,
    REP,
    SELLER,
    SUCCESS,
    an_id,
)

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
    found = a_bargain(expected_close=date(2027, 9, 30)).want("20").facts
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


def test_a_deal_forgets_what_is_over_and_first_what_nobody_had_to_approve() -> None:
    deal = a_bargain()
    for state in (ApprovalState.REJECTED, ApprovalState.APPROVED):
        deal.want("20")
        deal.decided(state)
    for _ in range(MAX_DISCOUNTS + 10):
        deal.want("10")
    kept = deal.deal.discounts
    assert len(kept) == MAX_DISCOUNTS
    assert [each.state for each in kept[:2]] == [DiscountState.REJECTED, DiscountState.REPLACED]
    assert kept[-1].state is DiscountState.GRANTED


def test_so_many_discounts_are_in_force_at_most() -> None:
    deal = a_bargain()
    for number in range(MAX_DISCOUNTS):
        deal.want("10", line=f"line {number}")
    with pytest.raises(InvalidInput, match="give one up first"):
        deal.want("10")
    deal.drop()
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


def test_whom_the_vendor_names_gives_no_more_than_who_sells() -> None:
    """Naming a partner of a higher tier is no way around asking."""
    distributor = CYGNUS.model_copy(update={"role": PartnerRole.DISTRIBUTOR})
    deal = a_bargain(partners=(ASTER, BOREALIS, distributor)).deal
    rows: list[tuple[DealPartner | None, Actor, tuple[DealPartner, ...]]] = [
        (None, REP, ()),
        (ASTER, REP, (ASTER,)),
        (BOREALIS, REP, (BOREALIS, ASTER, distributor)),
        (distributor, REP, (distributor, ASTER)),
        (BOREALIS, BOREALIS_SELLER, (BOREALIS, ASTER, distributor)),
        (ASTER, SELLER, (ASTER,)),
        (distributor, CYGNUS_SELLER, (distributor,)),
    ]
    for partner, by, expected in rows:
        assert bounding(deal, partner, by) == tuple(each.id for each in expected)
    two = a_bargain(partners=(ASTER, CYGNUS)).deal
    assert bounding(two, ASTER, REP) == (ASTER.id, CYGNUS.id)


def test_the_least_of_the_tiers_is_the_standard() -> None:
    deal = a_bargain(partners=(ASTER, BOREALIS))
    deal.tier, deal.others = "gold", ("silver",)
    assert deal.want("10", partner_id=BOREALIS.id).state is DiscountState.GRANTED
    deal.drop()
    deal.want("12", partner_id=BOREALIS.id)
    assert deal.asked == ["deal-desk"]
    assert deal.newest.facts is not None
    assert (deal.newest.facts.partner.tier, str(deal.newest.facts.discount.standard)) == ("gold", "10")


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
    deal.drop()
    assert deal.outside == []


@pytest.mark.parametrize("ends", ["outside", "lapsed"])
def test_giving_a_grant_up_is_no_way_around_asking_again(ends: str) -> None:
    deal = a_bargain()
    deal.granted("20")
    if ends == "outside":
        deal.change(amount=money("1000.00"))
    else:
        deal.later(days=91)
    assert deal.outside
    with pytest.raises(Conflict, match="up to 15 % needs nobody"):
        deal.drop()
    deal.want("15")
    assert deal.outside == []
    assert deal.newest.state is DiscountState.GRANTED
    assert deal.discount(1).state is DiscountState.REPLACED


def test_where_lines_show_what_is_given_a_lapsed_grant_can_be_given_up() -> None:
    deal = with_lines()
    deal.granted("20")
    deal.later(days=91)
    assert deal.outside
    deal.drop()
    assert deal.outside == []


def test_without_a_standard_the_lines_have_to_say_it() -> None:
    deal = a_bargain(partners=())
    deal.granted("20")
    deal.later(days=91)
    with pytest.raises(Conflict, match="given now, which takes its place"):
        deal.drop()
