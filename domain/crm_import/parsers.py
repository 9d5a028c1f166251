"""How values are read under one mapping: its formats, its aliases, its words for stages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, tzinfo
from decimal import Decimal
from typing import TypeVar

from domain.crm_import import values
from domain.crm_import.mapping import ImportMapping, StageMeaning
from domain.crm_import.values import BadValue, echo

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class World:
    """What the rules need to know of the world. Country codes (ISO 3166-1) are by case-folded name."""

    today: date
    zone: tzinfo
    countries: Mapping[str, str]


class Parsers:
    """Each takes the text of a cell, and raises `BadValue` where that cannot be taken."""

    def __init__(self, mapping: ImportMapping, world: World) -> None:
        self._mapping = mapping
        self._world = world
        self._industries = folded(mapping.values.industries)
        self._countries = folded(mapping.values.countries)
        self._stages = folded(mapping.stages)

    def past_day(self, text: str) -> date:
        """A day up to today."""
        return values.day(text, self._mapping.date_format, latest=self._world.today)

    def any_day(self, text: str) -> date:
        """A day that may be to come."""
        return values.day(text, self._mapping.date_format, latest=values.LATEST)

    def begin(self, day: date) -> datetime:
        """The instant when the day begins in the export's zone, in UTC."""
        return datetime.combine(day, time(), self._world.zone).astimezone(UTC)

    def amount(self, text: str) -> Decimal:
        return values.amount(text, self._mapping.decimal_mark)

    def industry(self, text: str) -> str:
        tidy = values.name(text)
        return self._industries.get(tidy.casefold(), tidy)

    def country(self, text: str) -> str:
        tidy = values.name(text)
        code = self._world.countries.get(self._countries.get(tidy.casefold(), tidy).casefold())
        if code is None:
            raise BadValue(f"{echo(tidy)} is no country; add it under values.countries in the mapping")
        return code

    def meaning(self, text: str) -> StageMeaning:
        tidy = values.clean(text)
        found = self._stages.get(tidy.casefold())
        if found is None:
            raise BadValue(f"{echo(tidy)} is not among the stages of the mapping")
        return found


def folded(aliases: Mapping[str, T]) -> dict[str, T]:
    """The same by case-folded name."""
    return {alias.strip().casefold(): meant for alias, meant in aliases.items()}
