"""Exchange rates: one table of what the base is worth elsewhere, replaced as a whole."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, insert, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from db.tables import ExchangeRate
from domain.rates import Rates


@dataclass(frozen=True, slots=True)
class KeptRates:
    """The rates in effect and their version; version 0 and no rates before anybody has set any."""

    rates: Rates
    version: int = 0
    updated_at: datetime | None = None


async def read(session: AsyncSession) -> Rates:
    """The rates in effect: without any where nobody has set some, so that nothing can be converted."""
    return (await kept(session)).rates


async def kept(session: AsyncSession) -> KeptRates:
    """The rates in effect, with their version."""
    rows = (await session.execute(select(ExchangeRate).order_by(col(ExchangeRate.currency)))).scalars().all()
    if not rows:
        return KeptRates(Rates())
    first = rows[0]
    rates = Rates(base=first.base, as_of=first.as_of, rates={row.currency: row.rate for row in rows})
    return KeptRates(rates, first.version, first.updated_at)


async def locked(session: AsyncSession) -> KeptRates:
    """The rates in effect, which nobody else replaces before this transaction ends."""
    await session.execute(text("SELECT pg_advisory_xact_lock(hashtext('exchange rates'))"))
    return await kept(session)


async def replace(session: AsyncSession, there: KeptRates, rates: Rates, now: datetime) -> KeptRates:
    """Set all rates, in place of those that are there (`locked`); the same again changes nothing."""
    wanted = rates.but(as_of=rates.as_of or now.date())
    if wanted == there.rates:
        return there
    common = {"base": wanted.base, "as_of": wanted.as_of, "version": there.version + 1, "updated_at": now}
    rows = [{"currency": currency, "rate": rate, **common} for currency, rate in wanted.rates.items()]
    await session.execute(delete(ExchangeRate))
    await session.execute(insert(ExchangeRate), rows)
    return KeptRates(wanted, there.version + 1, now)
