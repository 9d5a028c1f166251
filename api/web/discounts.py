"""Asking for a discount on a deal's page: a form that says, while one types, who would be asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request, Response

from api import discounts
from api.commands import Commands, CommandsDep
from api.principal import PrincipalDep
from api.services import ServicesDep
from api.v1.discounts import DiscountInput
from api.web import choices
from api.web.actions import Action, Asked, Field, SheetWords
from api.web.discount_view import Foreseen, discounts_of, foreseen, partner_options, parts_of
from api.web.fields import money_typed, number_typed
from api.web.filters import new_key
from api.web.forms import Form, FormDep, Refusal, WebRoute, claimed, parse
from api.web.rendering import go, page
from db.session import Database
from domain.discount.state import Discount
from domain.errors import NotFound, TandemError
from domain.opportunity import commands as ask
from domain.opportunity.commands_discount import DropDiscount
from domain.opportunity.discounts import find
from domain.opportunity.state import Opportunity
from domain.percent import shown
from domain.principal import Principal, Side

router = APIRouter(
    prefix="/opportunities/{opportunity_id}/discounts", include_in_schema=False, route_class=WebRoute
)

PREVIEW = "preview"
"""What the button's `choice` is that only asks who would be asked."""


@router.get("/new")
async def ask_for_new(
    opportunity_id: UUID, request: Request, principal: PrincipalDep, commands: CommandsDep
) -> Response:
    """The form."""
    deal = await commands.read(opportunity_id)
    return _form(request, principal, deal, {})


@router.post("/new")
async def request_new(
    opportunity_id: UUID,
    request: Request,
    principal: PrincipalDep,
    services: ServicesDep,
    commands: CommandsDep,
    form: FormDep,
) -> Response:
    """Ask for the discount; or, by the other button, say what asking would lead to."""
    deal = await commands.read(opportunity_id)
    try:
        wish = parse(DiscountInput, _typed(form))
        if form.get("choice") == PREVIEW:
            seen = await _foresee(services.database, principal, deal, wish)
            return _form(request, principal, deal, form.values, seen=seen)
        minted = await claimed(services.database, principal, form)
        command = discounts.requesting(minted.resource_id, wish)
        after = await Commands(services, principal, minted).change(deal.id, command, form.precondition)
        discount = find(after, minted.resource_id)
        if discount is not None and discount.approval_id is not None:
            await discounts.until_submitted(services, discount.approval_id)
    except TandemError as error:
        return _form(request, principal, deal, form.values, Refusal.of(error))
    return go(request, _page(opportunity_id), _said(discount, principal))


async def _foresee(
    database: Database, principal: Principal, deal: Opportunity, wish: DiscountInput
) -> Foreseen:
    return foreseen(await discounts.preview(database, principal, deal, wish), deal, wish, principal)


def _typed(form: Form) -> dict[str, Any]:
    """What was typed as the API takes it. For a preview the reason may still be missing."""
    typed: dict[str, Any] = form.given("reason", "competitor", "line", "partner_id")
    typed |= number_typed(form, "percent")
    price = money_typed(form)
    if price is not None:
        typed["competing_price"] = price
    if form.get("choice") == PREVIEW:
        typed.setdefault("reason", "…")
    return typed


def _said(discount: Discount | None, principal: Principal) -> str:
    if discount is None or discount.approval_id is None:
        return f"{shown(discount.percent)} % is granted." if discount else "Asked."
    holder = discount.waits_for if principal.side is Side.VENDOR else None
    return f"Asked for {shown(discount.percent)} %. It waits for {holder or 'approval'} now."


def _form(
    request: Request,
    principal: Principal,
    deal: Opportunity,
    values: Mapping[str, str],
    refusal: Refusal | None = None,
    seen: Foreseen | None = None,
) -> Response:
    known = {"currency": deal.amount.currency if deal.amount else "USD"}
    return page(
        request,
        "opportunities/discount.html",
        status=refusal.status if refusal else 200,
        principal=principal,
        section="pipeline",
        sheet=SheetWords("Ask for a discount", "Ask for it"),
        subject=deal.title,
        href=f"{_page(deal.id)}/discounts/new",
        back=_page(deal.id),
        fields=_fields(deal, principal),
        part=discounts_of(deal, principal),
        seen=seen,
        # The preview is no change: the form that is sent after it is the same one.
        key=values.get("_key") if seen else refusal.key(values) if refusal else new_key(),
        version=deal.version,
        values={**known, **values},
        errors=refusal.errors if refusal else {},
        error=refusal,
    )


def _fields(deal: Opportunity, principal: Principal) -> Sequence[Field]:
    standard = f" The standard is {shown(deal.standard_percent)} %." if deal.standard_percent else ""
    fields = [
        Field(
            "text", "percent", "Discount", f"In percent off the list price, in all.{standard}", maxlength=20
        )
    ]
    parts, partners = list(parts_of(deal)), partner_options(deal)
    if parts:
        fields.append(Field("choose", "line", "On", options=parts, blank="All of the deal", required=False))
    if partners and principal.side is Side.VENDOR:
        blank = "The one that sets the price"
        fields.append(
            Field("choose", "partner_id", "Given by", options=partners, blank=blank, required=False)
        )
    hint = "Those who decide read it: a competitor, a strategic account, a longer term …"
    return (
        *fields,
        Field("area", "reason", "Why", hint, maxlength=1000),
        Field("text", "competitor", "Competitor", required=False, maxlength=100),
        Field("money", "amount", "Competing price", required=False, options=choices.currencies(deal.amount)),
    )


def _page(opportunity_id: UUID) -> str:
    return f"/opportunities/{opportunity_id}"


# Giving one up, as a command of the deal ---------------------------------------------------


def _dropped(asked: Asked) -> Discount:
    try:
        discount = find(asked.deal, UUID(asked.of))
    except ValueError:
        discount = None
    if discount is None:
        raise NotFound("This deal has no such discount.")
    return discount


async def _drop_fields(_: Asked) -> Sequence[Field]:
    return (Field("area", "reason", "Why", "It stays on the timeline.", required=False, maxlength=1000),)


async def _drop(asked: Asked, form: Form) -> ask.Command:
    return DropDiscount(discount_id=_dropped(asked).id, reason=form.get("reason"))


def _drop_title(asked: Asked) -> str:
    discount = _dropped(asked)
    return f"{'Take back' if discount.is_pending else 'Give up'} {shown(discount.percent)} %"


DISCOUNT_ACTIONS = (
    Action("drop-discount", _drop_title, _drop_title, "x", _drop_fields, _drop, danger=True,
           done="The discount is given up.",
           lede="A request that waits ends; a grant holds no more. You can ask anew."),
)  # fmt: skip
