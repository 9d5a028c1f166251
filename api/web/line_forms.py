"""The commands about a deal's lines as small forms: add, change, remove."""

from __future__ import annotations

from collections.abc import Sequence

from api import line_intake
from api.v1.lines import LineInput, LinePatch
from api.web import line_view
from api.web.actions import Action, Asked, Field
from api.web.fields import number_typed
from api.web.forms import Form, parse
from db import products
from db.pages import PageRequest
from domain.errors import NotFound
from domain.money import Money
from domain.opportunity import commands as ask
from domain.opportunity.commands_lines import ChangeLine, RemoveLine
from domain.opportunity.lines import DealLine
from domain.opportunity.state import Opportunity
from domain.percent import shown
from domain.principal import Action as Right
from domain.principal import Principal

SUGGESTED = 200
"""Products that a form suggests; any other is found by its SKU."""


async def _discount(asked: Asked, product_line: str | None) -> Field:
    """The field of the discount, which says what may be given without asking."""
    async with asked.database.read() as session:
        standard = await line_intake.standard_percent(session, asked.principal, asked.deal, product_line)
    hint = f"In percent. Up to {shown(standard)} % without asking; more is asked for afterwards."
    return Field("text", "discount_percent", "Discount", hint, required=False, maxlength=20)


def _line(asked: Asked) -> DealLine:
    line = asked.deal.line(asked.of)
    if line is None:
        raise NotFound("This deal has no such line.")
    return line


async def _add_fields(asked: Asked) -> Sequence[Field]:
    async with asked.database.read() as session:
        found = await products.page(session, asked.principal, PageRequest(SUGGESTED), active=True)
    currency = asked.deal.lines[0].currency if asked.deal.lines else None
    options = [
        (product.sku, f"{product.name}, {product.list_price:,.2f} {product.currency}")
        for product in found.items
        if currency in (None, product.currency)
    ]
    return (
        Field("suggest", "sku", "Product", "Its SKU; the list helps.", options=options, maxlength=100),
        Field("number", "quantity", "Quantity"),
        await _discount(asked, None),
    )


async def _add(asked: Asked, form: Form) -> ask.Command:
    typed = form.given("sku") | number_typed(form, "quantity") | number_typed(form, "discount_percent")
    body = parse(LineInput, typed)
    return await line_intake.adding(asked.database, asked.principal, asked.deal, body)


async def _change_fields(asked: Asked) -> Sequence[Field]:
    line = _line(asked)
    fields = []
    if asked.principal.may(Right.EDIT_LINES):
        fields += [Field("number", "quantity", "Quantity"), await _discount(asked, line.product_line)]
    if asked.principal.may(Right.SET_COST):
        hint = f"In {line.currency}. Only the vendor's people see it. Empty: not known."
        fields.append(Field("text", "cost", "Cost of one piece", hint, required=False, maxlength=20))
    return fields


def _change_values(asked: Asked) -> dict[str, object]:
    line = _line(asked)
    values: dict[str, object] = {"quantity": line.quantity, "discount_percent": shown(line.discount_percent)}
    if asked.principal.may(Right.SET_COST):
        values["cost"] = line.cost.amount if line.cost else ""
    return values


async def _change(asked: Asked, form: Form) -> ask.Command:
    """What differs from the line as it is: an untouched field is not sent."""
    line = _line(asked)
    typed: dict[str, object] = {}
    if asked.principal.may(Right.EDIT_LINES):
        typed |= number_typed(form, "quantity") | (
            number_typed(form, "discount_percent") or {"discount_percent": "0"}
        )
    if asked.principal.may(Right.SET_COST):
        cost = number_typed(form, "cost").get("cost")
        typed["cost"] = {"amount": cost, "currency": line.currency} if cost else None
    body = parse(LinePatch, typed)
    values = dict(body) | {"cost": Money(**dict(body.cost)) if body.cost else None}
    given = {name: values[name] for name in body.model_fields_set if values[name] != getattr(line, name)}
    command = ChangeLine(key=line.key, **given)
    return await line_intake.changing(asked.database, asked.principal, asked.deal, command)


async def _remove(asked: Asked, form: Form) -> ask.Command:
    del form
    return RemoveLine(key=asked.of)


async def _no_fields(_: Asked) -> Sequence[Field]:
    return ()


def _offers_edit(deal: Opportunity, principal: Principal) -> bool:
    return line_view.table(deal, principal).may_edit


LINE_ACTIONS = (
    Action("add-line", "Add a line", "Add", "plus", _add_fields, _add, done="The line is added.",
           offered=_offers_edit, initial=lambda _: {"quantity": 1},
           lede="At the list price of today. The deal's amount is the sum of its lines."),
    Action("change-line", lambda asked: f"Change: {_line(asked).name}", "Save", "pencil", _change_fields,
           _change, done="Saved.", initial=_change_values, guarded=True),
    Action("remove-line", lambda asked: f"Take out: {_line(asked).name}", "Take it out", "x", _no_fields,
           _remove, done="The line is gone.", danger=True,
           lede="A line that is added again later begins at the list price of that day, without a discount."),
)  # fmt: skip
