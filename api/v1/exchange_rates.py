"""Exchange rates: what amounts are worth in other currencies, as the vendor has set it."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field, ValidationInfo, field_validator

from api.etag import PreconditionDep, answer_version
from api.fields import CurrencyCode, Day, Input
from api.principal import PrincipalDep, require
from api.route import TandemRoute
from api.services import DatabaseDep
from api.v1.schemas import WHEN, example, example_input
from db import rates
from db.rates import KeptRates
from domain.principal import Action, Principal
from domain.rates import Rate, Rates

router = APIRouter(prefix="/exchange-rates", tags=["products"], route_class=TandemRoute)

Manager = Annotated[Principal, require(Action.MANAGE_RATES)]
MOST_RATES = 200

_EXAMPLE = {"base": "USD", "as_of": "2027-01-11", "rates": {"EUR": "0.9285", "GBP": "0.7912", "JPY": "148.3"}}


class RatesInput(Input):
    """All rates, in place of those that are there: what one unit of the base is worth in each currency."""

    model_config = example_input(_EXAMPLE)

    base: CurrencyCode
    as_of: Annotated[Day | None, Field(description="The day of the rates; today without it.")] = None
    rates: Annotated[dict[CurrencyCode, Rate], Field(min_length=1, max_length=MOST_RATES)]

    @field_validator("rates")
    @classmethod
    def _not_of_itself(cls, rates: dict[str, Rate], known: ValidationInfo) -> dict[str, Rate]:
        base = known.data.get("base")
        if base in rates:
            msg = f"One {base} is worth one {base}: leave it out."
            raise ValueError(msg)
        return rates


class RatesPublic(BaseModel):
    """The rates in effect. As long as nobody has set any, there are none, and `as_of` is null."""

    model_config = example({**_EXAMPLE, "version": 3, "updated_at": WHEN})

    base: str
    as_of: date | None
    rates: dict[str, Rate]
    version: int
    updated_at: datetime | None


@router.get("")
async def read_rates(response: Response, _principal: PrincipalDep, database: DatabaseDep) -> RatesPublic:
    """The rates at which amounts are told in other currencies: one base unit is worth so much."""
    async with database.read() as session:
        return show(response, await rates.kept(session))


@router.put("")
async def replace_rates(
    body: RatesInput,
    response: Response,
    _principal: Manager,
    precondition: PreconditionDep,
    database: DatabaseDep,
) -> RatesPublic:
    """Set all rates, from now on. What was decided before keeps the rates that it was decided with."""
    async with database.transaction() as session:
        there = await rates.locked(session)
        precondition.check(there.version)
        wanted = Rates(base=body.base, as_of=body.as_of, rates=body.rates)
        return show(response, await rates.replace(session, there, wanted, datetime.now(UTC)))


def show(response: Response, kept: KeptRates) -> RatesPublic:
    """The rates as the API answers them, with their version as ETag."""
    answer_version(response, kept.version)
    return RatesPublic(**dict(kept.rates), version=kept.version, updated_at=kept.updated_at)
