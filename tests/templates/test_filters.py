"""How pages write money, dates and people."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from babel.dates import format_timedelta
from hypothesis import given
from hypothesis import strategies as st

from api.web import filters
from api.web.fields import day_at_nine, money_typed
from api.web.forms import Form, safe_path
from domain.duration import in_words
from domain.money import Money

NOW = datetime(2027, 3, 1, 9, 0, tzinfo=UTC)


def typed(**values: str) -> Form:
    return Form(values, "")


@pytest.mark.parametrize(
    ("amount", "currency", "exact", "short"),
    [
        ("250000", "USD", "$250,000", "$250K"),
        ("84500.50", "EUR", "€84,500.50", "€84.5K"),
        ("1250000", "GBP", "£1,250,000", "£1.2M"),
        ("0", "USD", "$0", "$0"),
    ],
)
def test_money_is_written_exactly_and_short(amount: str, currency: str, exact: str, short: str):
    value = Money(amount=Decimal(amount), currency=currency)
    assert filters.money(value) == exact
    assert filters.compact_money(value) == short


def test_what_is_not_there_is_a_dash():
    assert (
        filters.money(None)
        == filters.compact_money(None)
        == filters.day(None)
        == filters.country(None)
        == "—"
    )


@pytest.mark.parametrize(
    ("hours", "words", "short", "group"),
    [
        (-50, "2 days overdue", "2d overdue", "overdue"),
        (-0.5, "30 minutes overdue", "30m overdue", "overdue"),
        (5, "due today", "5h", "today"),
        (30, "due in 1 day", "1d", "week"),
        (24 * 20, "due in 3 weeks", "3w", "later"),
    ],
)
def test_a_deadline_says_how_urgent_it_is(hours: float, words: str, short: str, group: str):
    at = NOW + timedelta(hours=hours)
    assert filters.due(at, NOW) == words
    assert filters.due_short(at, NOW) == short
    assert filters.urgency(at, NOW) == group


def test_no_deadline_is_later():
    assert filters.urgency(None, NOW) == "later"


def test_instants_are_told_from_now():
    assert filters.ago(NOW - timedelta(seconds=20), NOW) == "just now"
    assert filters.ago(NOW - timedelta(hours=3), NOW) == "3 hours ago"
    assert filters.ago(NOW + timedelta(days=2), NOW) == "in 2 days"
    assert filters.moment(NOW) == "Mon, Mar 1, 2027, 09:00 UTC"
    assert filters.day(date(2031, 5, 1)) == "May 1, 2031"


@pytest.mark.parametrize(
    ("name", "letters"), [("Ana Maria Rep", "AR"), ("Aster", "A"), ("🎉 مرحبا", "م"), ("  ", "?")]
)
def test_initials_are_letters(name: str, letters: str):
    assert filters.initials(name) == letters


def test_durations_and_counts_are_words():
    assert [in_words(each) for each in ("1d", "3d", "8h", "2w")] == [
        "1 day",
        "3 days",
        "8 hours",
        "2 weeks",
    ]
    assert filters.plural(1, "deal") == "1 deal"
    assert filters.plural(1200, "deal") == "1,200 deals"


@pytest.mark.parametrize(
    ("wanted", "path"),
    [
        ("/pipeline?q=a", "/pipeline?q=a"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("https://evil.example", "/"),
        ("/a\r\nSet-Cookie: x", "/"),
        (None, "/"),
    ],
)
def test_the_way_back_stays_on_this_site(wanted: str | None, path: str):
    assert safe_path(wanted, "/") == path


def test_amounts_are_taken_as_people_type_them():
    assert money_typed(typed(amount="1,250,000.50", currency="EUR")) == {
        "amount": "1250000.50",
        "currency": "EUR",
    }
    assert money_typed(typed(amount="250 000")) == {"amount": "250000", "currency": "USD"}
    assert money_typed(typed(amount="  ")) is None


def test_a_day_is_nine_o_clock():
    assert day_at_nine(typed(until="2027-03-31"), "until") == {"until": "2027-03-31T09:00:00Z"}
    assert day_at_nine(typed(until="soon"), "until") == {"until": "soon"}
    assert day_at_nine(typed(), "until") == {}


@given(st.timedeltas(min_value=timedelta(days=-4000), max_value=timedelta(days=4000)))
def test_a_span_is_written_as_babel_writes_it(span: timedelta):
    """The same words, remembered: `abs` since a span has no direction here."""
    long = format_timedelta(abs(span), granularity="minute", threshold=1.2, locale=filters.LOCALE)
    short = format_timedelta(abs(span), format="narrow", threshold=1.2, locale=filters.LOCALE)
    assert filters.words(span) == long
    assert filters.words(span, short=True, least="second") == short


def test_a_face_escapes_what_it_shows():
    face = filters.avatar('<b> "x"', label='<i> "y"')
    assert "<b>" not in face
    assert "<i>" not in face
    assert 'aria-label="&lt;i&gt; &#34;y&#34;"' in face
