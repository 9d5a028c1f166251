"""Days and instants in sentences."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from domain.dates import dated, timed


@pytest.mark.parametrize("month", range(1, 13))
def test_a_day_has_its_month_in_words_and_no_zero(month: int):
    day = date(2027, month, 5)
    assert dated(day) == f"5 {day:%B} 2027"


def test_an_instant_has_its_time_in_utc():
    assert timed(datetime(2027, 1, 31, 9, 5, tzinfo=UTC)) == "31 January 2027, 09:05 UTC"


def test_the_day_of_an_instant_is_its_day():
    assert dated(datetime(2027, 12, 31, 23, 59, tzinfo=UTC)) == "31 December 2027"
