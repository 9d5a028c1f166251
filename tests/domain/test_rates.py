"""Exchange rates: what an amount is worth elsewhere, to the last minor unit; and percentages."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from domain.errors import BY_CODE, InvalidInput, NoExchangeRate
from domain.money import Money, rounded
from domain.percent import Percent, shown
from domain.rates import Rates

RATES = Rates(
    base="EUR",
    as_of=date(2027, 3, 1),
    rates={"USD": "1.08", "JPY": "160.55", "SEK": "11.2345"},
)
PERCENT: TypeAdapter[Decimal] = TypeAdapter(Percent)


def money(text: str) -> Money:
    amount, currency = text.split()
    return Money(amount=amount, currency=currency)


@pytest.mark.parametrize(
    ("amount", "to", "worth"),
    [
        ("100.00 EUR", "EUR", "100.00 EUR"),
        ("100.00 EUR", "USD", "108.00 USD"),
        ("108.00 USD", "EUR", "100.00 EUR"),
        ("108.00 USD", "SEK", "1123.45 SEK"),
        ("100.00 USD", "EUR", "92.59 EUR"),
        ("1.00 EUR", "JPY", "161.00 JPY"),
        ("0.00 USD", "JPY", "0.00 JPY"),
    ],
)
def test_an_amount_is_told_in_another_currency(amount, to, worth):
    assert RATES.convert(money(amount), to) == money(worth)


@pytest.mark.parametrize(
    ("amount", "currency", "kept"),
    [
        ("0.005", "USD", "0.00"),
        ("0.015", "USD", "0.02"),
        ("0.025", "USD", "0.02"),
        ("0.5", "JPY", "0"),
        ("1.5", "JPY", "2"),
        ("2.5", "KRW", "2"),
    ],
)
def test_a_half_goes_to_the_even_minor_unit(amount, currency, kept):
    assert rounded(Decimal(amount), currency) == Decimal(kept)


@pytest.mark.parametrize(
    ("rates", "amount", "to", "sentence"),
    [
        (
            RATES,
            "5 GBP",
            "EUR",
            "between GBP and EUR: ask an administrator to set what one EUR is worth in GBP",
        ),
        (RATES, "5 EUR", "GBP", "between GBP and EUR"),
        (RATES, "5 USD", "GBP", "between GBP and USD"),
        (
            Rates(),
            "5 EUR",
            "USD",
            "between EUR and USD: ask an administrator to set what one USD is worth in EUR",
        ),
        (Rates(), "5 EUR", "GBP", "between EUR and GBP"),
    ],
)
def test_a_missing_rate_is_named_with_its_pair(rates, amount, to, sentence):
    with pytest.raises(NoExchangeRate, match=sentence) as refusal:
        rates.convert(money(amount), to)
    assert refusal.value.extra == {"pair": [money(amount).currency, to]}
    assert BY_CODE["no_exchange_rate"] is NoExchangeRate


def test_without_any_rate_an_amount_is_worth_itself():
    assert Rates().convert(money("5 EUR"), "EUR") == money("5 EUR")


def test_what_cannot_be_written_in_the_other_currency_is_refused():
    with pytest.raises(InvalidInput, match="more than can be written in JPY"):
        RATES.convert(money("999999999999.99 EUR"), "JPY")


@pytest.mark.parametrize("rate", ["0", "-1", "NaN", "1e5", "1_000", "١", "0.00000000001", "x"])
def test_what_is_no_rate_is_refused(rate):
    with pytest.raises(ValidationError):
        Rates(base="EUR", rates={"USD": rate})


def test_rates_are_written_down_as_they_were_said():
    kept = Rates.model_validate_json(RATES.model_dump_json())
    assert kept == RATES
    assert RATES.model_dump(mode="json")["rates"]["SEK"] == "11.2345"
    assert Rates(rates={"JPY": "150.00"}).model_dump(mode="json")["rates"] == {"JPY": "150"}


_AMOUNTS = st.decimals("0", "1000000", places=2)
_RATES = st.decimals("0.01", "100", places=4)


@given(_AMOUNTS, _RATES, _RATES)
def test_there_and_back_is_the_same_but_for_rounding(amount, here, there):
    rates = Rates(base="EUR", rates={"USD": here, "SEK": there})
    back = rates.convert(rates.convert(Money(amount=amount, currency="USD"), "SEK"), "USD")
    assert abs(back.amount - amount) <= (here / there) * Decimal("0.005") + Decimal("0.005")


@given(_AMOUNTS, _AMOUNTS, _RATES)
def test_more_is_never_worth_less(one, other, rate):
    rates = Rates(base="EUR", rates={"USD": rate})
    less, more = (Money(amount=amount, currency="USD") for amount in sorted((one, other)))
    assert rates.convert(less, "EUR").amount <= rates.convert(more, "EUR").amount


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("27.5", "27.5"),
        ("27.50", "27.5"),
        ("15.00", "15"),
        (10, "10"),
        (7.5, "7.5"),
        ("0", "0"),
        ("100", "100"),
    ],
)
def test_a_percentage_is_written_without_zeros_at_its_end(said, kept):
    assert PERCENT.dump_json(PERCENT.validate_python(said)) == f'"{kept}"'.encode()
    assert shown(PERCENT.validate_python(said)) == kept


@pytest.mark.parametrize(
    "percent", ["-1", "100.01", "100.0000001", "101", "1e1", "NaN", "12.345", "", "ten", None]
)
def test_what_is_no_percentage_is_refused(percent):
    with pytest.raises(ValidationError):
        PERCENT.validate_python(percent)
