"""The lines of a deal: what they come to, who changes them, and what is kept from partners."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import (
    AmountFromLines,
    DealClosed,
    DealOnHold,
    DiscountNotGranted,
    Forbidden,
    InvalidInput,
    NotFound,
)
from domain.money import MAX_AMOUNT, Money
from domain.opportunity import commands as ask
from domain.opportunity.commands_lines import AddLine, ChangeLine, RemoveLine
from domain.opportunity.decide_lines import MAX_LINES
from domain.opportunity.draft import Outcome
from domain.opportunity.lines import DealLine, LineTotals
from domain.opportunity.rules import decide
from domain.opportunity.state import Opportunity
from tests.factories import (
    ADMIN,
    BOREALIS_SELLER,
    DESK,
    DIRECTOR,
    FINANCE,
    NOW,
    REP,
    SELLER,
    SUCCESS,
    Working,
    a_deal,
    a_product,
    a_won_deal,
    an_id,
)

SECRET = "4321.09"
"""What the product of these tests costs."""


def dollars(text: str) -> Money:
    return Money(amount=text, currency="USD")


def adding(quantity: int = 10, percent: str = "0", *, standard: str = "15", **product: Any) -> AddLine:
    return AddLine(
        product=a_product(**product),
        quantity=quantity,
        discount_percent=percent,
        standard_percent=standard,
    )


def a_deal_with_lines(*commands: AddLine) -> Working:
    deal = a_deal()
    for command in commands or (adding(10, "15"),):
        deal.ask(command)
    return deal


def changed(deal: Working, **changes: Any) -> ChangeLine:
    return ChangeLine(key=deal.deal.lines[0].key, **changes)


@pytest.mark.parametrize("by", [REP, DIRECTOR, ADMIN, SELLER], ids=lambda by: by.name)
def test_a_line_makes_the_amount(by):
    deal = a_deal().ask(adding(10, "15"), by=by)
    [line] = deal.deal.lines
    assert deal.deal.amount == line.net_price == dollars("51000.00")
    assert deal.last == (
        f"{by.name} added 10 × ERP suite at 15 % off for 51,000.00 USD. The deal comes to 51,000.00 USD."
    )


def test_the_price_is_that_of_the_day_and_nobody_names_another():
    [line] = a_deal_with_lines().deal.lines
    assert (line.sku, line.name, line.product_line) == ("ERP-1", "ERP suite", "ERP")
    assert line.list_price == dollars("6000.00")


def test_what_is_left_to_the_vendor_is_net_price_less_cost():
    [line] = a_deal_with_lines().deal.lines
    assert line.cost_amount == Decimal("43210.90")
    assert line.margin == Decimal("7789.10")
    totals = a_deal_with_lines().deal.line_totals
    assert (totals.margin, totals.margin_percent, totals.discount_percent) == (
        Decimal("7789.10"),
        Decimal("15.3"),
        Decimal("15.00"),
    )


def test_where_one_cost_is_not_known_neither_is_the_margin():
    deal = a_deal_with_lines(adding(cost=None), adding())
    assert deal.deal.lines[0].margin is None
    assert deal.deal.line_totals.margin is None
    assert deal.deal.line_totals.margin_percent is None


def test_what_is_given_for_nothing_has_no_margin_in_percent_and_no_discount():
    totals = a_deal_with_lines(adding(price="0")).deal.line_totals
    assert (totals.margin_percent, totals.discount_percent) == (None, Decimal("0.00"))
    assert totals.margin == Decimal("-43210.90")


def test_a_deal_without_lines_has_no_totals():
    assert a_deal().deal.line_totals is None


def test_another_quantity_and_discount_change_the_amount():
    deal = a_deal_with_lines()
    deal.ask(changed(deal, quantity=20, discount_percent="10"))
    assert deal.deal.amount == dollars("108000.00")
    assert deal.last == (
        "Rosa Rep changed the quantity from 10 to 20 and the discount from 15 % to 10 % of ERP suite. "
        "The deal comes to 108,000.00 USD."
    )
    deal.ask(changed(deal, quantity=1))
    assert deal.last.startswith("Rosa Rep changed the quantity from 20 to 1 of ERP suite.")
    deal.ask(changed(deal, discount_percent="12.50", standard_percent="15"))
    assert deal.last.startswith("Rosa Rep changed the discount from 10 % to 12.5 % of ERP suite.")


@pytest.mark.parametrize(
    "changes", [{}, {"quantity": 10}, {"discount_percent": "15.0"}, {"cost": dollars(SECRET)}]
)
def test_a_change_to_what_is_there_already_is_no_event(changes):
    deal = a_deal_with_lines()
    assert deal.ask(changed(deal, **changes), by=ADMIN).deal.version == 3


def test_the_last_line_leaves_its_amount_behind():
    deal = a_deal_with_lines(adding(10), adding(1, price="50"))
    deal.ask(RemoveLine(key=deal.deal.lines[0].key))
    assert deal.deal.amount == dollars("50.00")
    deal.ask(RemoveLine(key=deal.deal.lines[0].key))
    assert (deal.deal.lines, deal.deal.amount) == ((), dollars("50.00"))
    assert deal.last == "Rosa Rep took ERP suite out of the deal. The deal comes to 50.00 USD."
    assert deal.ask(ask.Change(amount=dollars("7"))).deal.amount == dollars("7")


def test_a_line_that_comes_back_is_another_line():
    deal = a_deal_with_lines()
    before = deal.deal.lines[0].key
    deal.ask(RemoveLine(key=before)).ask(adding())
    assert deal.deal.lines[0].key != before


@pytest.mark.parametrize("amount", [None, dollars("1"), dollars("999999")])
def test_the_amount_of_a_deal_with_lines_is_not_changed_by_hand(amount):
    deal = a_deal_with_lines()
    with pytest.raises(AmountFromLines, match="“ERP rollout” is the sum of its lines: change the lines"):
        deal.ask(ask.Change(amount=amount))
    assert deal.ask(ask.Change(amount=deal.deal.amount, title="New")).deal.title == "New"


# Who and when ------------------------------------------------------------------------------


@pytest.mark.parametrize("by", [DESK, FINANCE, SUCCESS], ids=lambda by: by.name)
def test_who_does_not_sell_does_not_change_what_is_sold(by):
    deal = a_deal_with_lines()
    for command in (adding(), changed(deal, quantity=2), RemoveLine(key=deal.deal.lines[0].key)):
        with pytest.raises(Forbidden, match="Your role does not change what a deal sells"):
            deal.ask(command, by=by)


def test_a_partner_that_is_not_on_the_deal_sees_nothing_to_change():
    with pytest.raises(NotFound):
        a_deal_with_lines().ask(adding(), by=BOREALIS_SELLER)


@pytest.mark.parametrize("by", [DESK, FINANCE, DIRECTOR, ADMIN], ids=lambda by: by.name)
def test_the_vendors_desks_say_what_a_line_costs(by):
    deal = a_deal_with_lines()
    deal.ask(changed(deal, cost=dollars("4000")), by=by)
    assert deal.deal.lines[0].cost == dollars("4000.00")
    deal.ask(changed(deal, cost=None), by=by)
    assert deal.deal.lines[0].cost is None


@pytest.mark.parametrize("by", [REP, SELLER, SUCCESS], ids=lambda by: by.name)
def test_nobody_else_does(by):
    deal = a_deal_with_lines()
    for cost in (dollars("1"), None):
        with pytest.raises(Forbidden, match="what products cost the vendor"):
            deal.ask(changed(deal, cost=cost), by=by)


def test_a_deal_that_rests_keeps_its_lines():
    deal = a_deal_with_lines()
    key = deal.deal.lines[0].key
    deal.ask(ask.HoldDeal(reason="freeze"))
    for command in (adding(), ChangeLine(key=key, quantity=2), RemoveLine(key=key)):
        with pytest.raises(DealOnHold):
            deal.ask(command)


def test_a_won_deal_keeps_its_lines():
    with pytest.raises(DealClosed, match="is won and being handed off"):
        a_won_deal().ask(adding())


# What is refused ---------------------------------------------------------------------------


def test_all_lines_are_in_one_currency():
    with pytest.raises(InvalidInput, match="ERP suite is priced in EUR, and this deal in USD") as refusal:
        a_deal_with_lines().ask(adding(currency="EUR"))
    assert refusal.value.extra["errors"][0]["pointer"] == "/product_id"


def test_the_first_line_says_the_currency():
    assert a_deal_with_lines(adding(1, currency="EUR")).deal.amount == Money(amount="6000", currency="EUR")


@pytest.mark.parametrize("percent", ["15.01", "16", "100"])
def test_more_than_the_standard_is_asked_for(percent):
    with pytest.raises(
        DiscountNotGranted, match="more than the 15 % that may be given without asking"
    ) as refusal:
        a_deal().ask(adding(1, percent))
    assert refusal.value.extra["standard_percent"] == "15"
    deal = a_deal_with_lines(adding(1, "10"))
    with pytest.raises(DiscountNotGranted, match="then ask for a discount on this line"):
        deal.ask(changed(deal, discount_percent=percent, standard_percent="15"))


def test_a_discount_that_only_stays_or_shrinks_is_not_asked_about():
    deal = a_deal_with_lines(adding(1, "15"))
    deal.ask(changed(deal, quantity=2, standard_percent="5"))
    deal.ask(changed(deal, discount_percent="14", standard_percent="5"))
    assert deal.deal.lines[0].discount_percent == 14


def test_what_a_line_costs_is_told_in_its_own_currency():
    deal = a_deal_with_lines()
    with pytest.raises(InvalidInput, match="priced in USD; give its cost in it"):
        deal.ask(changed(deal, cost=Money(amount="1", currency="EUR")), by=FINANCE)


def test_a_line_that_is_not_there_is_not_found():
    deal = a_deal_with_lines()
    for command in (ChangeLine(key="line-99", quantity=1), RemoveLine(key="line-99")):
        with pytest.raises(NotFound, match="no line “line-99”"):
            deal.ask(command)


def test_a_deal_has_an_end_to_its_lines():
    deal = a_deal()
    for _ in range(MAX_LINES):
        deal.ask(adding(1))
    with pytest.raises(InvalidInput, match=f"at most {MAX_LINES} lines"):
        deal.ask(adding(1))


def test_no_deal_comes_to_more_than_an_amount_can_be():
    with pytest.raises(InvalidInput, match="lower the quantity"):
        a_deal().ask(adding(2, price=str(MAX_AMOUNT)))
    deal = a_deal_with_lines(adding(1, price=str(MAX_AMOUNT)))
    with pytest.raises(InvalidInput, match="lower the quantity"):
        deal.ask(adding(1))
    with pytest.raises(InvalidInput, match="lower the quantity"):
        deal.ask(changed(deal, quantity=2))


# What travels ------------------------------------------------------------------------------


def test_no_event_that_partners_read_tells_what_anything_costs():
    deal = a_deal_with_lines()
    deal.ask(changed(deal, quantity=12), by=SELLER)
    deal.ask(changed(deal, cost=dollars("4321.08")), by=FINANCE)
    deal.ask(RemoveLine(key=deal.deal.lines[0].key))
    shared = [entry for entry in deal.entries if not entry.event.internal]
    for entry in shared:
        written = entry.model_dump_json()
        assert "4321" not in written
        assert '"cost"' not in written
        assert "margin" not in written
    assert [entry.event.type for entry in shared if entry.event.type.startswith("line_")] == [
        "line_added",
        "line_changed",
        "line_removed",
    ]


def test_the_vendor_reads_who_changed_a_cost():
    deal = a_deal_with_lines()
    deal.ask(changed(deal, cost=dollars("4000")), by=FINANCE)
    assert deal.last == "Finn Finance changed the cost of one ERP suite from 4,321.09 USD to 4,000.00 USD."
    deal.ask(changed(deal, cost=None), by=FINANCE)
    assert deal.last.endswith("from 4,000.00 USD to not known.")


def test_the_state_keeps_the_cost_when_it_travels():
    request = ask.Request(command=adding(), by=REP)
    outcome = decide(a_deal().deal, ask.Request.model_validate_json(request.model_dump_json()), NOW)
    again = Outcome.model_validate_json(outcome.model_dump_json())
    assert again.opportunity == outcome.opportunity
    assert again.opportunity.lines[0].cost == dollars(SECRET)
    assert again.entries[0].words == outcome.entries[0].words


def test_what_a_change_leaves_out_is_left_out_when_it_arrives():
    deal = a_deal_with_lines()
    for sent, cost in ((changed(deal, quantity=2), dollars(SECRET)), (changed(deal, cost=None), None)):
        arrived = ask.Request.model_validate_json(ask.Request(command=sent, by=ADMIN).model_dump_json())
        assert decide(deal.deal, arrived, NOW).opportunity.lines[0].cost == cost


def test_a_deal_of_before_there_were_lines_has_none():
    kept = a_deal().deal.model_dump(mode="json", exclude={"lines"})
    assert Opportunity.model_validate(kept).lines == ()


# Sums --------------------------------------------------------------------------------------

_LINES = st.builds(
    lambda key, quantity, price, percent, cost: DealLine(
        key=f"line-{key}",
        product_id=an_id(key),
        sku=f"S-{key}",
        name=f"Thing {key}",
        quantity=quantity,
        list_price=dollars(str(price)),
        discount_percent=percent,
        cost=None if cost is None else dollars(str(cost)),
    ),
    st.integers(1, 10_000),
    st.integers(1, 100_000),
    st.decimals("0", "100000", places=2),
    st.decimals("0", "100", places=2),
    st.none() | st.decimals("0", "100000", places=2),
)


@given(st.lists(_LINES, min_size=1, max_size=20))
def test_sums_agree(lines):
    totals = LineTotals.of(lines)
    assert totals.net_price.amount == sum(line.net_price.amount for line in lines)
    assert totals.list_amount - totals.net_amount == sum(line.list_amount - line.net_amount for line in lines)
    assert 0 <= totals.discount_percent <= 100
    if all(line.cost for line in lines):
        assert totals.margin == sum(line.margin for line in lines)
        assert totals.cost_amount == sum(line.cost_amount for line in lines)
    else:
        assert totals.margin is None


@given(
    st.lists(st.tuples(st.integers(1, 50), st.decimals("0", "15", places=2)), min_size=1, max_size=8),
    st.data(),
)
def test_whatever_is_done_to_lines_the_amount_is_their_sum(wanted, data):
    deal = a_deal_with_lines(*(adding(quantity, str(percent)) for quantity, percent in wanted))
    for _ in range(4):
        line = data.draw(st.sampled_from(deal.deal.lines))
        if data.draw(st.booleans()) and len(deal.deal.lines) > 1:
            deal.ask(RemoveLine(key=line.key))
        else:
            deal.ask(ChangeLine(key=line.key, quantity=data.draw(st.integers(1, 1_000_000))))
        assert deal.deal.amount.amount == sum(line.net_amount for line in deal.deal.lines)
        assert len({line.key for line in deal.deal.lines}) == len(deal.deal.lines)
