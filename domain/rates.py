"""Exchange rates: what an amount is worth in another currency, at rates that somebody has set."""

from __future__ import annotations

from datetime import date
from decimal import Decimal, localcontext
from typing import Annotated

from pydantic import BeforeValidator, Field, PlainSerializer

from domain.errors import InvalidInput, NoExchangeRate
from domain.money import MAX_AMOUNT, WRITTEN, CurrencyCode, Money, rounded, written
from domain.value import Input

DIGITS = 50
"""Digits that a conversion reckons with: more than amount and rates together have."""

Rate = Annotated[
    Decimal,
    Field(gt=0, max_digits=20, decimal_places=10, allow_inf_nan=False, examples=["1.0825"]),
    BeforeValidator(
        written('This must be a rate such as "1.0825": digits, and a point before the fraction.'),
        json_schema_input_type=Annotated[str, Field(pattern=WRITTEN)] | Annotated[float, Field(gt=0)],
    ),
    PlainSerializer(lambda rate: f"{rate.normalize():f}", return_type=str),
]
"""What one unit of the base is worth: above 0, at most ten digits after the point; a string in JSON."""


class Rates(Input):
    """What one unit of `base` is worth in other currencies, as central banks publish it.

    With the base EUR and USD at 1.08, 100 EUR are 108 USD. Without any rate, an amount
    can only be told in its own currency.
    """

    base: CurrencyCode = "USD"
    as_of: date | None = None
    rates: dict[CurrencyCode, Rate] = Field(default={})

    def convert(self, money: Money, to: str) -> Money:
        """The amount in another currency, rounded half to even to its minor unit.

        Raises:
            NoExchangeRate: a rate is missing; the message names the pair.
            InvalidInput: the amount is too large to be written in that currency.
        """
        if money.currency == to:
            return money
        with localcontext(prec=DIGITS):
            here = self._per_base(money.currency, money.currency, to)
            there = self._per_base(to, money.currency, to)
            amount = rounded(money.amount * there / here, to)
        if amount > MAX_AMOUNT:
            raise InvalidInput(f"{money} is more than can be written in {to}.")
        return Money(amount=amount, currency=to)

    def _per_base(self, currency: str, source: str, to: str) -> Decimal:
        """What one unit of the base is worth in the currency, on the way from `source` to `to`."""
        if currency == self.base:
            return Decimal(1)
        if currency in self.rates:
            return self.rates[currency]
        other = to if source == currency else source
        raise NoExchangeRate(
            f"There is no exchange rate between {currency} and {other}: "
            f"ask an administrator to set what one {self.base} is worth in {currency}.",
            pair=[source, to],
        )
