"""What happens to the lines of a deal. Both sides read what does not tell what anything costs the vendor.

What the state needs besides travels with the event only until it is applied, and is
not written down with it (`exclude`).
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar, Literal

from pydantic import Field

from domain.money import Money
from domain.opportunity.happening import Happening
from domain.opportunity.lines import DealLine, PricedLine
from domain.opportunity.state import Opportunity
from domain.percent import shown
from domain.principal import Actor


def _recalculate(deal: Opportunity) -> None:
    """The deal's amount is what its lines come to; a deal that has none any more keeps its amount."""
    if (totals := deal.line_totals) is not None:
        deal.amount = totals.net_price


class LineAdded(Happening):
    """A product was added. `amount` is what the deal comes to with it."""

    type: Literal["line_added"] = "line_added"
    line: PricedLine
    net_price: Money
    amount: Money
    cost: Money | None = Field(default=None, exclude=True)

    def apply(self, deal: Opportunity, at: datetime, by: Actor) -> None:
        deal.lines = (*deal.lines, DealLine(**dict(self.line), cost=self.cost))
        _recalculate(deal)

    def words(self, by: Actor) -> str:
        off = f" at {shown(self.line.discount_percent)} % off" if self.line.discount_percent else ""
        return (
            f"{by.name} added {self.line.quantity:,} × {self.line.name}{off} for {self.net_price}. "
            f"The deal comes to {self.amount}."
        )


class _LineEvent(Happening):
    key: str
    sku: str
    name: str

    def _change(self, deal: Opportunity, **changes: Any) -> None:
        deal.lines = tuple(line.but(**changes) if line.key == self.key else line for line in deal.lines)
        _recalculate(deal)


class LineChanged(_LineEvent):
    """Another quantity or discount. `amount` is what the deal comes to with it."""

    type: Literal["line_changed"] = "line_changed"
    before: PricedLine
    after: PricedLine
    amount: Money

    def apply(self, deal: Opportunity, at: datetime, by: Actor) -> None:
        self._change(deal, quantity=self.after.quantity, discount_percent=self.after.discount_percent)

    def words(self, by: Actor) -> str:
        told = []
        before, after = self.before, self.after
        if before.quantity != after.quantity:
            told.append(f"the quantity from {before.quantity:,} to {after.quantity:,}")
        if before.discount_percent != after.discount_percent:
            told.append(
                f"the discount from {shown(before.discount_percent)} % to {shown(after.discount_percent)} %"
            )
        return f"{by.name} changed {' and '.join(told)} of {self.name}. The deal comes to {self.amount}."


class LineCostSet(_LineEvent):
    """The vendor knows better what one piece costs: the only event that tells it, and no partner reads it."""

    type: Literal["line_cost_set"] = "line_cost_set"
    internal: ClassVar[bool] = True
    before: Money | None
    cost: Money | None

    def apply(self, deal: Opportunity, at: datetime, by: Actor) -> None:
        self._change(deal, cost=self.cost)

    def words(self, by: Actor) -> str:
        before, after = self.before or "not known", self.cost or "not known"
        return f"{by.name} changed the cost of one {self.name} from {before} to {after}."


class LineRemoved(_LineEvent):
    """A product was taken out. `amount` is what the deal comes to without it."""

    type: Literal["line_removed"] = "line_removed"
    amount: Money | None

    def apply(self, deal: Opportunity, at: datetime, by: Actor) -> None:
        deal.lines = tuple(line for line in deal.lines if line.key != self.key)
        _recalculate(deal)

    def words(self, by: Actor) -> str:
        return f"{by.name} took {self.name} out of the deal. The deal comes to {self.amount or 'nothing'}."
