"""The lines of a deal: which products, how many, at which price; and what they come to."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Annotated, Self
from uuid import UUID

from pydantic import Field

from domain.money import Money, rounded
from domain.percent import HUNDRED, Percent
from domain.value import Value

Quantity = Annotated[int, Field(ge=1, le=1_000_000, examples=[25])]
"""How many: a whole number from 1."""


class PricedLine(Value):
    """A product in a deal as both sides see it, at the list price that it had when it was added.

    `list_price` is that of one piece.
    """

    key: str
    product_id: UUID
    sku: str
    name: str
    product_line: str | None = None
    quantity: Quantity
    list_price: Money
    discount_percent: Percent = Decimal(0)

    @property
    def currency(self) -> str:
        return self.list_price.currency

    @property
    def list_amount(self) -> Decimal:
        """All pieces at their list price."""
        return self.quantity * self.list_price.amount

    @property
    def net_amount(self) -> Decimal:
        """All pieces after the discount, rounded half to even to the currency's minor unit."""
        share = (HUNDRED - self.discount_percent) / HUNDRED
        return rounded(self.list_amount * share, self.currency)

    @property
    def net_price(self) -> Money:
        """`net_amount` with its currency."""
        return Money(amount=self.net_amount, currency=self.currency)


class DealLine(PricedLine):
    """A line as the deal keeps it, with what one piece costs the vendor, in the currency of the list price.

    The cost is the vendor's alone, and with it the margin: nothing that a partner reads holds them.
    """

    cost: Money | None = None

    @property
    def cost_amount(self) -> Decimal | None:
        """What all pieces cost the vendor; None where the cost is not known."""
        return None if self.cost is None else self.quantity * self.cost.amount

    @property
    def margin(self) -> Decimal | None:
        """What is left to the vendor; below 0 when sold under cost, None where the cost is not known."""
        return None if self.cost_amount is None else self.net_amount - self.cost_amount

    @property
    def without_cost(self) -> PricedLine:
        """The line as both sides see it."""
        return PricedLine(**self.model_dump(exclude={"cost"}))


class LineTotals(Value):
    """What the lines of a deal come to, in their one currency. Amounts are exact sums of the lines'."""

    currency: str
    list_amount: Decimal
    net_amount: Decimal
    cost_amount: Decimal | None

    @classmethod
    def of(cls, lines: Iterable[DealLine]) -> Self | None:
        """The sums; None where there is no line. The cost is known where that of every line is."""
        lines = tuple(lines)
        if not lines:
            return None
        costs = [line.cost_amount for line in lines]
        known = [cost for cost in costs if cost is not None]
        return cls(
            currency=lines[0].currency,
            list_amount=sum((line.list_amount for line in lines), Decimal(0)),
            net_amount=sum((line.net_amount for line in lines), Decimal(0)),
            cost_amount=sum(known, Decimal(0)) if len(known) == len(costs) else None,
        )

    @property
    def net_price(self) -> Money:
        """What the customer pays: the deal's amount."""
        return Money(amount=self.net_amount, currency=self.currency)

    @property
    def margin(self) -> Decimal | None:
        """What is left to the vendor; below 0 when sold under cost, None where a cost is not known."""
        return None if self.cost_amount is None else self.net_amount - self.cost_amount

    @property
    def margin_percent(self) -> Decimal | None:
        """The margin as a share of the net price, in percent with one digit; None where there is none."""
        if self.margin is None or not self.net_amount:
            return None
        return (self.margin / self.net_amount * HUNDRED).quantize(Decimal("0.1"))

    @property
    def discount_percent(self) -> Decimal:
        """What the discounts of all lines come to, in percent of the list price, with two digits."""
        if not self.list_amount:
            return Decimal("0.00")
        given = self.list_amount - self.net_amount
        return (given / self.list_amount * HUNDRED).quantize(Decimal("0.01"))
