"""Exchange rates: everybody reads them, administrators set them, all at once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Request, Response

from api.principal import PrincipalDep, require
from api.services import DatabaseDep
from api.v1.exchange_rates import RatesInput
from api.web.choices import CURRENCIES
from api.web.filters import new_key
from api.web.forms import Form, FormDep, Refusal, WebRoute, parse
from api.web.rendering import go, page
from db import rates
from db.rates import KeptRates
from domain.errors import InvalidInput, TandemError
from domain.principal import Action, Principal
from domain.rates import Rates

router = APIRouter(prefix="/exchange-rates", include_in_schema=False, route_class=WebRoute)

Manager = Annotated[Principal, require(Action.MANAGE_RATES)]

_LINE = re.compile(r"([A-Za-z]{3})[\s:=]+([0-9][0-9.,]*)")


@router.get("")
async def read(request: Request, principal: PrincipalDep, database: DatabaseDep) -> Response:
    """The rates in effect, and for administrators the form that sets them."""
    async with database.read() as session:
        kept = await rates.kept(session)
    return _show(request, principal, kept, _values(kept))


@router.post("")
async def replace(request: Request, principal: Manager, database: DatabaseDep, form: FormDep) -> Response:
    """Set all rates."""
    try:
        body = parse(RatesInput, _typed(form))
        async with database.transaction() as session:
            there = await rates.locked(session)
            if form.precondition:
                form.precondition.check(there.version)
            wanted = Rates(base=body.base, as_of=body.as_of, rates=body.rates)
            await rates.replace(session, there, wanted, datetime.now(UTC))
    except TandemError as error:
        async with database.read() as session:
            kept = await rates.kept(session)
        return _show(request, principal, kept, form.values, Refusal.of(error))
    return go(request, "/exchange-rates", "The rates are set.")


def _values(kept: KeptRates) -> dict[str, str]:
    """The form as the rates are; the day is today's, for whoever sets them anew."""
    known = kept.rates.model_dump(mode="json")["rates"]
    return {
        "base": kept.rates.base,
        "as_of": datetime.now(UTC).date().isoformat(),
        "rates": "\n".join(f"{currency} {rate}" for currency, rate in known.items()),
    }


def _typed(form: Form) -> dict[str, object]:
    """What the form holds as the API's input takes it. Raises `InvalidInput` for a line that is no rate."""
    found: dict[str, str] = {}
    for number, line in enumerate((form.get("rates") or "").splitlines(), start=1):
        if not line.strip():
            continue
        match = _LINE.fullmatch(line.strip())
        if match is None or match[1].upper() in found:
            why = "names a currency twice" if match else "is no rate such as “EUR 0.92”"
            raise InvalidInput(f"Line {number} {why}.", pointer="/rates")
        found[match[1].upper()] = match[2]
    return {"rates": found, **form.given("base", "as_of")}


def _show(
    request: Request,
    principal: Principal,
    kept: KeptRates,
    values: Mapping[str, str],
    refusal: Refusal | None = None,
) -> Response:
    known = kept.rates.model_dump(mode="json")["rates"]
    errors = dict(refusal.errors) if refusal else {}
    for name in [name for name in errors if name.startswith("rates_")]:
        errors.setdefault("rates", f"{name.removeprefix('rates_').upper()}: {errors[name]}")
    return page(
        request,
        "products/rates.html",
        status=refusal.status if refusal else 200,
        principal=principal,
        section="exchange-rates",
        rates=kept.rates,
        known=known,
        version=kept.version,
        may_edit=principal.may(Action.MANAGE_RATES),
        currencies=[(code, code) for code in sorted({*CURRENCIES, kept.rates.base})],
        values=values,
        errors=errors,
        error=refusal,
        key=refusal.key(values) if refusal else new_key(),
    )
