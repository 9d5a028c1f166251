"""Money: a decimal amount in a currency, never a float."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer

from domain.value import Input

MAX_AMOUNT = Decimal("999999999999.99")
WRITTEN = r"^-?[0-9]{1,40}(\.[0-9]{1,40})?$"
"""How an amount is written. Its size and sign are judged after that, each with its own sentence."""


def written(sentence: str) -> Callable[[Any], Any]:
    """A check of how a decimal number is written; what it refuses is told with the sentence.

    Python reads 1_000, 1e5 and the digits of every script as numbers; nobody means those here.
    """

    def check(number: Any) -> Any:
        if isinstance(number, str) and (not number.isascii() or re.fullmatch(WRITTEN, number) is None):
            raise ValueError(sentence)
        return number

    return check


def _plain(amount: Decimal) -> Decimal:
    """Two digits after the point, so that 5, 5.0 and 5.00 are written alike; and no negative zero."""
    return amount.quantize(Decimal("0.01")) + 0


Amount = Annotated[
    Decimal,
    Field(ge=0, le=MAX_AMOUNT, max_digits=14, decimal_places=2, allow_inf_nan=False),
    BeforeValidator(
        written('This must be an amount such as "250000.00": digits, and a point before the cents.'),
        json_schema_input_type=Annotated[str, Field(pattern=WRITTEN)]
        | Annotated[float, Field(ge=0, le=float(MAX_AMOUNT))],
    ),
    AfterValidator(_plain),
    PlainSerializer(str, return_type=str),
]
"""0 to 999,999,999,999.99 with at most two digits after the point; JSON carries it as a string."""

CurrencyCode = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
"""The shape of an ISO 4217 code. Whether the code exists is checked where it enters."""


_WITHOUT_CENTS = frozenset(
    {"BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG"}
    | {"RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF"}
)
"""Currencies that have no minor unit (ISO 4217). All others are reckoned in hundredths."""


def rounded(amount: Decimal, currency: str) -> Decimal:
    """The amount in whole minor units of its currency, half to even: cents, and whole yen."""
    unit = Decimal(1) if currency in _WITHOUT_CENTS else Decimal("0.01")
    return amount.quantize(unit, ROUND_HALF_EVEN)


class Money(Input):
    """An amount in a currency (ISO 4217)."""

    amount: Amount
    currency: CurrencyCode

    def __str__(self) -> str:
        return f"{self.amount:,.2f} {self.currency}"


def total(values: Iterable[Money]) -> dict[str, Decimal]:
    """The sum for each currency: amounts of different currencies are never added up."""
    sums: dict[str, Decimal] = {}
    for money in values:
        sums[money.currency] = sums.get(money.currency, Decimal("0.00")) + money.amount
    return sums
