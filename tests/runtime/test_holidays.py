"""Public holidays: resolved to days, or a sentence that none are known."""

from __future__ import annotations

from datetime import date

import pytest

from api.fields import countries
from domain.calendar import Calendar
from runtime.holidays import NoHolidays, check_place, public_holidays, regions


def test_a_country_has_its_holidays() -> None:
    days = public_holidays("DE", None, [2027])
    assert date(2027, 10, 3) in days  # a Sunday; Germany gives no other day for it
    assert date(2027, 3, 26) in days  # Good Friday
    assert date(2027, 8, 15) not in days
    assert list(days) == sorted(days)


def test_a_region_has_its_own_besides() -> None:
    assert date(2027, 1, 6) in public_holidays("DE", "BY", [2027])
    assert set(public_holidays("DE", None, [2027])) < set(public_holidays("DE", "BY", [2027]))
    assert "BY" in regions("DE")


def test_a_holiday_on_a_weekend_is_taken_on_another_day_where_the_law_says_so() -> None:
    # Independence Day of 2027 is a Sunday.
    assert date(2027, 7, 5) in public_holidays("US", None, [2027])


def test_several_years_are_resolved_together_and_in_order() -> None:
    days = public_holidays("GB", "SCT", (2028, 2027, 2028))
    assert days == public_holidays("GB", "SCT", [2027]) + public_holidays("GB", "SCT", [2028])
    assert {day.year for day in days} == {2027, 2028}


def test_holidays_fit_a_calendar() -> None:
    assert Calendar(zone="Europe/Berlin", holidays=public_holidays("DE", "BY", [2027]))


@pytest.mark.parametrize(
    ("country", "region", "sentence"),
    [
        ("XX", None, "No public holidays are known for XX; leave the country out"),
        ("DE", "XX", "DE has no region XX with holidays of its own; take one of BB, BE"),
        ("DE", "by", "take one of"),
        ("SM", "01", "No part of SM has public holidays of its own here; leave the region out"),
    ],
)
def test_what_is_not_known_is_said_plainly(country: str, region: str | None, sentence: str) -> None:
    with pytest.raises(NoHolidays, match=sentence):
        check_place(country, region)
    with pytest.raises(NoHolidays, match=sentence):
        public_holidays(country, region, [2027])


def test_a_year_without_any_data_is_no_year_without_holidays() -> None:
    with pytest.raises(NoHolidays, match="No public holidays of US are known for 1500"):
        public_holidays("US", None, [1500])


def test_every_country_that_the_api_takes_has_holidays() -> None:
    for country in sorted(countries()):
        check_place(country, None)
