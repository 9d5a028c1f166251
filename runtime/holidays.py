"""Public holidays of a country, or of a part of it.

They change with laws, and so with the library that knows them: who waits by
them resolves them where that is recorded (an activity), and keeps the days.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from functools import cache, lru_cache

import holidays


class NoHolidays(LookupError):
    """Nothing is known about the public holidays of this place; the sentence says what to write instead."""


@cache
def _places() -> dict[str, list[str]]:
    """The countries whose holidays are known (ISO 3166-1), and the parts of each that have their own."""
    return holidays.list_supported_countries(include_aliases=False)


def regions(country: str) -> tuple[str, ...]:
    """The codes (ISO 3166-2, without the country) of a country's parts that have holidays of their own.

    Raises:
        NoHolidays: nothing is known about the country.
    """
    known = _places().get(country)
    if known is None:
        msg = (
            f"No public holidays are known for {country[:20]}; leave the country out: then weekends are free."
        )
        raise NoHolidays(msg)
    return tuple(known)


def check_place(country: str, region: str | None) -> None:
    """Whether the holidays of this place are known.

    Raises:
        NoHolidays: they are not; says what may be written.
    """
    known = regions(country)
    if region is None or region in known:
        return
    if not known:
        msg = f"No part of {country} has public holidays of its own here; leave the region out."
        raise NoHolidays(msg)
    msg = f"{country} has no region {region[:20]} with holidays of its own; take one of {', '.join(known)}."
    raise NoHolidays(msg)


def public_holidays(country: str, region: str | None, years: Iterable[int]) -> tuple[date, ...]:
    """The public holidays of these years, in order; with the days taken instead where one falls on a weekend.

    Holidays of half a day are not among them.

    Raises:
        NoHolidays: nothing is known about the place, or about one of the years.
    """
    check_place(country, region)
    return tuple(day for year in sorted(set(years)) for day in _of_year(country, region, year))


@lru_cache(maxsize=4096)
def _of_year(country: str, region: str | None, year: int) -> tuple[date, ...]:
    found = holidays.country_holidays(country, subdiv=region, years=year)
    days = tuple(sorted(day for day in found if day.year == year))
    if not days:
        msg = f"No public holidays of {country} are known for {year}."
        raise NoHolidays(msg)
    return days
