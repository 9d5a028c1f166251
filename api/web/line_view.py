"""The lines of a deal as its page shows them: margins are put in for the vendor's people alone."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from domain.opportunity.lines import DealLine
from domain.opportunity.state import Opportunity
from domain.percent import shown
from domain.principal import Action, Principal, Side


@dataclass(frozen=True, slots=True)
class Worth:
    """An amount that may be below 0, which `Money` never is."""

    amount: Decimal
    currency: str


@dataclass(frozen=True, slots=True)
class LineRow:
    """One line. `margin` is None where it is not known, or not for the reader."""

    line: DealLine
    discount: str
    net_price: Worth
    margin: Worth | None


@dataclass(frozen=True, slots=True)
class LineTable:
    """All lines and what they come to. `shows_margin` says whether the reader is told margins at all."""

    rows: list[LineRow]
    list_price: Worth | None
    discount: str
    net_price: Worth | None
    margin: Worth | None
    margin_percent: str | None
    shows_margin: bool
    may_edit: bool
    may_set_cost: bool


def table(deal: Opportunity, principal: Principal) -> LineTable:
    """The lines of a deal for this reader."""
    ours, totals = principal.side is Side.VENDOR, deal.line_totals
    at_work = not deal.is_closed and deal.hold is None and deal.handoff is None
    percent = totals.margin_percent if totals and ours else None
    return LineTable(
        rows=[_row(line, shows_margin=ours) for line in deal.lines],
        list_price=Worth(totals.list_amount, totals.currency) if totals else None,
        discount=shown(totals.discount_percent) if totals else "0",
        net_price=Worth(totals.net_amount, totals.currency) if totals else None,
        margin=_worth(totals.margin, totals.currency) if totals and ours else None,
        margin_percent=None if percent is None else shown(percent),
        shows_margin=ours,
        may_edit=at_work and principal.may(Action.EDIT_LINES),
        may_set_cost=at_work and principal.may(Action.SET_COST),
    )


def _row(line: DealLine, *, shows_margin: bool) -> LineRow:
    return LineRow(
        line=line,
        discount=shown(line.discount_percent),
        net_price=Worth(line.net_amount, line.currency),
        margin=_worth(line.margin, line.currency) if shows_margin else None,
    )


def _worth(amount: Decimal | None, currency: str) -> Worth | None:
    return None if amount is None else Worth(amount, currency)
