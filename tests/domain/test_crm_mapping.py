from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from domain.crm_import.values import BadValue, amount, clean, day, email_of, name, shortened
from tests.crm_exports import MAPPING, a_mapping, the_deal, why_rejected


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"source": "Old CRM"}, "use lower-case letters, digits and single hyphens"),
        ({"currency": "dollars"}, "must be an ISO 4217 code"),
        ({"email_domain": "nowhere"}, "must be a domain such as sales.example"),
        ({"decimal_mark": ";"}, "must be '.' or ','"),
        ({"title": "{prodct}"}, "may hold {id}, {product}, {customer} and {owner}"),
        ({"title": "{"}, "may hold {id}, {product}, {customer} and {owner}"),
        ({"stages": {"New": {"status": "on_hold"}}}, "must be open, won or lost"),
        ({"products": None}, "the amount of 'New' is the list price, but products.list_price is not given"),
        (
            {"opportunities": {**MAPPING["opportunities"], "closed": None}},
            "'Won' is won, but opportunities.closed is not given",
        ),
    ],
)
def test_a_mapping_that_makes_no_sense_says_why(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError) as refused:
        a_mapping(**changes)
    assert message in str(refused.value)


def test_a_mapping_without_closed_deals_needs_no_closing_day() -> None:
    part = {**MAPPING["opportunities"], "closed": None, "product": None}
    mapping = a_mapping(opportunities=part, stages={"Working": {"status": "open"}})
    assert the_deal(Stage="Working", mapping=mapping).expected_close is None


def test_a_list_price_is_refused_where_deals_name_no_product() -> None:
    part = {**MAPPING["opportunities"], "product": None}
    why = why_rejected(Stage="New", Closed="", mapping=a_mapping(opportunities=part))
    assert why == "Stage gives no list price to take the amount from"


def test_text_is_tidied_and_keeps_what_people_write() -> None:
    assert clean("  Müller\t &\n Söhne  ") == "Müller & Söhne"
    assert clean("שלום 🚀 <b>") == "שלום 🚀 <b>"
    with pytest.raises(BadValue, match=r"U\+0000"):
        clean("a\0b")
    with pytest.raises(BadValue, match="is empty"):
        name("  ")


def test_amounts_and_days_follow_the_mapping() -> None:
    assert amount("1250,5", ",") == Decimal("1250.50")
    assert the_deal(Value="9,5", mapping=a_mapping(decimal_mark=",")).amount == Decimal("9.50")
    assert day("31.12.2016", "%d.%m.%Y", latest=date(2017, 1, 1)) == date(2016, 12, 31)


def test_addresses_are_made_of_names() -> None:
    assert email_of("Anna-Maria Müller", "x.example") == "anna-maria.muller@x.example"
    assert email_of("Dov O'Hara", "x.example") == "dov.ohara@x.example"


def test_long_titles_are_cut() -> None:
    assert shortened("x" * 300) == "x" * 199 + "…"
    assert shortened("short") == "short"
