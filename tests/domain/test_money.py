"""Money: exact, in a currency, and never added up across currencies."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from domain.money import MAX_AMOUNT, Money, total


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("250000", "250000.00"),
        ("5.0", "5.00"),
        ("5.000", "5.00"),
        ("007", "7.00"),
        (Decimal("1E+3"), "1000.00"),
        ("0", "0.00"),
        ("-0", "0.00"),
        ("999999999999.99", "999999999999.99"),
        (7, "7.00"),
        (7.5, "7.50"),
    ],
)
def test_an_amount_has_two_digits_after_the_point(said, kept):
    money = Money(amount=said, currency="USD")
    assert money.model_dump(mode="json") == {"amount": kept, "currency": "USD"}


@pytest.mark.parametrize(
    "amount",
    [
        "-0.01",
        "0.005",
        "1000000000000",
        "1" * 40,
        "1" * 50,
        "1e3",
        "1_000",
        "1,000",
        "+5",
        "5.",
        ".5",
        " 5 ",
        "5\n",
        "٣",
        "５",
        "NaN",
        "Infinity",
        "-Infinity",
        "",
        "ten",
        True,
        None,
    ],
)
def test_what_is_no_amount_is_refused(amount):
    with pytest.raises(ValidationError):
        Money(amount=amount, currency="USD")


def test_an_amount_that_only_python_reads_says_how_to_write_one():
    with pytest.raises(ValidationError, match=r'must be an amount such as "250000\.00"'):
        Money(amount="1_000", currency="USD")


@pytest.mark.parametrize("currency", ["", "usd", "US", "USDT", "US1", "USD\n", "€", None])
def test_what_is_no_currency_is_refused(currency):
    with pytest.raises(ValidationError):
        Money(amount="5", currency=currency)


def test_money_without_a_currency_is_refused_and_so_is_anything_more():
    with pytest.raises(ValidationError):
        Money.model_validate({"amount": "5"})
    with pytest.raises(ValidationError):
        Money.model_validate({"amount": "5", "currency": "USD", "colour": "green"})


def test_money_reads_as_people_write_it():
    assert str(Money(amount="1234567.5", currency="EUR")) == "1,234,567.50 EUR"


steadily = settings(max_examples=50, derandomize=True, database=None, deadline=None)
amounts = st.decimals(min_value=0, max_value=MAX_AMOUNT, places=2)


@steadily
@given(amounts)
def test_an_amount_survives_being_written_down(amount):
    money = Money(amount=amount, currency="USD")
    assert Money.model_validate_json(money.model_dump_json()) == money


@steadily
@given(st.lists(st.tuples(amounts, st.sampled_from(["USD", "EUR", "JPY"]))))
def test_sums_are_exact_and_by_currency(parts):
    sums = total(Money(amount=amount, currency=currency) for amount, currency in parts)
    assert set(sums) == {currency for _, currency in parts}
    for currency, amount in sums.items():
        assert amount == sum(part for part, of in parts if of == currency)


def test_the_sum_of_nothing_is_nothing():
    assert total([]) == {}
    assert total([Money(amount="1", currency="USD")]) == {"USD": Decimal("1.00")}
