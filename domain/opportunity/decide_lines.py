"""Decisions about the lines of a deal: add, change, remove."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from domain.errors import DiscountNotGranted, InvalidInput, NotFound
from domain.money import MAX_AMOUNT, Money
from domain.opportunity import commands_lines as ask
from domain.opportunity import events as did
from domain.opportunity.discounts import granted_percent
from domain.opportunity.draft import Draft
from domain.opportunity.guards import demand, selling
from domain.opportunity.lines import DealLine, LineTotals
from domain.opportunity.state import Opportunity
from domain.percent import shown
from domain.principal import Action

MAX_LINES = 200
"""Lines of one deal: more is a catalogue."""


def add(draft: Draft, command: ask.AddLine) -> None:
    """A line at the list price of today. Its key is never used again, so that no grant is inherited."""
    _may_edit(draft)
    deal, product = draft.deal, command.product
    if len(deal.lines) >= MAX_LINES:
        raise InvalidInput(f"A deal has at most {MAX_LINES} lines.")
    _same_currency(deal, product)
    line = DealLine(
        key=f"line-{deal.version + 1}",
        product_id=product.id,
        sku=product.sku,
        name=product.name,
        product_line=product.product_line,
        quantity=command.quantity,
        list_price=product.list_price,
        discount_percent=command.discount_percent,
        cost=product.cost,
    )
    _may_give(deal, line, command.standard_percent)
    amount = _amount((*deal.lines, line))
    priced = line.without_cost
    draft.add(did.LineAdded(line=priced, net_price=priced.net_price, amount=amount, cost=product.cost))


def change(draft: Draft, command: ask.ChangeLine) -> None:
    """Only what is given and different."""
    given = command.model_fields_set - {"kind", "key", "standard_percent"}
    if "cost" in given:
        demand(draft.by, Action.SET_COST, "Your role does not say what products cost the vendor.")
    if given - {"cost"}:
        _may_edit(draft)
    selling(draft.deal)
    line = _line(draft.deal, command.key)
    _change_price(draft, line, command)
    if "cost" in given:
        _set_cost(draft, line, command.cost)


def remove(draft: Draft, command: ask.RemoveLine) -> None:
    _may_edit(draft)
    deal = draft.deal
    line = _line(deal, command.key)
    rest = tuple(other for other in deal.lines if other.key != line.key)
    amount = _amount(rest) if rest else deal.amount
    draft.add(did.LineRemoved(key=line.key, sku=line.sku, name=line.name, amount=amount))


def _may_edit(draft: Draft) -> None:
    demand(draft.by, Action.EDIT_LINES, "Your role does not change what a deal sells.")
    selling(draft.deal)


def _change_price(draft: Draft, line: DealLine, command: ask.ChangeLine) -> None:
    """Another quantity or discount, where one is given. A discount that only stays is not asked about."""
    wanted = {
        "quantity": command.quantity or line.quantity,
        "discount_percent": line.discount_percent
        if command.discount_percent is None
        else command.discount_percent,
    }
    after = line.but(**wanted)
    if after == line:
        return
    if after.discount_percent > line.discount_percent:
        _may_give(draft.deal, after, command.standard_percent)
    amount = _amount(after if other.key == line.key else other for other in draft.deal.lines)
    draft.add(
        did.LineChanged(
            key=line.key,
            sku=line.sku,
            name=line.name,
            before=line.without_cost,
            after=after.without_cost,
            amount=amount,
        )
    )


def _set_cost(draft: Draft, line: DealLine, cost: Money | None) -> None:
    if cost is not None and cost.currency != line.currency:
        raise InvalidInput(f"This line is priced in {line.currency}; give its cost in it.", pointer="/cost")
    if cost != line.cost:
        told = {"key": line.key, "sku": line.sku, "name": line.name}
        draft.add(did.LineCostSet(**told, before=line.cost, cost=cost))


def _line(deal: Opportunity, key: str) -> DealLine:
    line = deal.line(key)
    if line is None:
        raise NotFound(f"This deal has no line “{key}”.")
    return line


def _same_currency(deal: Opportunity, product: ask.LineProduct) -> None:
    """Raises: InvalidInput, for a product in another currency than the lines that are there."""
    totals = deal.line_totals
    if totals is not None and totals.currency != product.list_price.currency:
        raise InvalidInput(
            f"{product.name} is priced in {product.list_price.currency}, and this deal in "
            f"{totals.currency}: all lines of a deal are in one currency. Choose a product that is "
            f"priced in {totals.currency}, or open a second deal.",
            pointer="/product_id",
        )


def _may_give(deal: Opportunity, line: DealLine, standard_percent: Decimal) -> None:
    """Raises: DiscountNotGranted, when more is given off than the standard, or than was granted here."""
    most = max(standard_percent, granted_percent(deal, line))
    if line.discount_percent > most:
        raise DiscountNotGranted(
            f"{shown(line.discount_percent)} % off {line.name} is more than the {shown(most)} % that may be "
            "given without asking. Save it with that much at most, then ask for a discount on this line.",
            standard_percent=shown(most),
            line=line.key,
            errors=[{"pointer": "/discount_percent", "detail": f"At most {shown(most)} % without asking."}],
        )


def _amount(lines: Iterable[DealLine]) -> Money:
    """What these lines come to. Raises `InvalidInput`, when no amount is that large."""
    totals = LineTotals.of(lines)
    if totals is None or totals.list_amount > MAX_AMOUNT:
        raise InvalidInput(
            f"The lines would come to more than {MAX_AMOUNT:,.2f}: lower the quantity.", pointer="/quantity"
        )
    return totals.net_price
