"""Money: a decimal amount in a currency, never a float."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PlainSerializer

MAX_AMOUNT = Decimal("999999999999.99")


def _plain(amount: Decimal) -> Decimal:
    """Two digits after the point, so that 5, 5.0 and 5.00 are written alike; and no negative zero."""
    return amount.quantize(Decimal("0.01")) + 0


Amount = Annotated[
    Decimal,
    Field(ge=0, le=MAX_AMOUNT, max_digits=14, decimal_places=2, allow_inf_nan=False),
    AfterValidator(_plain),
    PlainSerializer(str, return_type=str),
]
"""0 to 999,999,999,999.99 with at most two digits after the point; JSON carries it as a string."""

CurrencyCode = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
"""The shape of an ISO 4217 code. Whether the code exists is checked where it enters."""


class Money(BaseModel):
    """An amount in a currency (ISO 4217)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

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
