"""When and where people work: what somebody says of it, checked and as it is kept."""

from __future__ import annotations

from typing import Any

from domain.errors import InvalidInput
from runtime import holidays
from runtime.holidays import NoHolidays

OWN = frozenset({"time_zone", "country", "region", "working_hours"})
"""What everybody says of herself; the rest administrators say."""


def kept(values: dict[str, Any]) -> dict[str, Any]:
    """Input values as columns keep them: lists in one order, plain words."""
    if "roles" in values:
        values["roles"] = sorted(values["roles"])
    if hours := values.get("working_hours"):
        values["working_hours"] = {day.value: list(each) for day, each in hours.items()}
    return values


def check_place(country: str | None, region: str | None) -> None:
    """The holidays of the place are known."""
    if country is None:
        if region is not None:
            raise InvalidInput("A region needs its country; send both, or neither.", pointer="/region")
        return
    try:
        holidays.regions(country)
    except NoHolidays as unknown:
        raise InvalidInput(str(unknown), pointer="/country") from unknown
    try:
        holidays.check_place(country, region)
    except NoHolidays as unknown:
        raise InvalidInput(str(unknown), pointer="/region") from unknown
