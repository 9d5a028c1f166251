"""Business time that was reckoned is kept for a while: the same answers, in bounded room."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from domain import calendar
from domain.calendar import Calendar, after
from domain.span import parse_business

MONDAY = datetime(2030, 1, 7, 9, tzinfo=UTC)
DAY = parse_business("1bd")


def test_calendars_that_were_not_asked_for_lately_are_forgotten() -> None:
    found = {after(Calendar(), MONDAY, DAY) for _ in range(3 * calendar._CALENDARS_KNOWN)}
    assert found == {MONDAY + timedelta(hours=8)}
    assert len(calendar._known) <= calendar._CALENDARS_KNOWN


def test_of_one_calendar_only_so_much_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calendar, "_known", {})  # what other tests asked for would make room for this one
    office = Calendar()
    for minutes in range(calendar._KNOWN_OF_EACH + 10):
        after(office, MONDAY + timedelta(minutes=minutes), DAY)
    last = MONDAY + timedelta(minutes=calendar._KNOWN_OF_EACH + 9)
    assert after(office, last, DAY) == after(Calendar(), last, DAY)
    kept = calendar._known[id(office)]
    assert len(kept.instants) + len(kept.days) <= calendar._KNOWN_OF_EACH
    assert after(office, MONDAY, DAY) == MONDAY + timedelta(hours=8)
