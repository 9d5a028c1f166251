"""How pages write money, dates and people: the filters and globals of the templates.

Instants come in UTC and are shown relative to now, with the exact instant in the
`title`; `static/tandem/tandem.js` rewrites that title in the reader's own time zone.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol
from uuid import uuid4

from babel import Locale
from babel.dates import TIMEDELTA_UNITS, format_date, format_datetime
from babel.numbers import format_compact_currency, format_currency
from babel.units import format_unit
from markupsafe import Markup, escape

from domain.duration import in_words
from domain.percent import shown

LOCALE = Locale("en", "US")
STATIC = Path(__file__).parents[2] / "static"
HUES = 8
"""How many avatar colours there are (`.hue-0` to `.hue-7`)."""


class HasMoney(Protocol):
    """What `Money` and everything shaped like it has."""

    @property
    def amount(self) -> Any: ...

    @property
    def currency(self) -> str: ...


def money(value: HasMoney | None) -> str:
    """Exact, without cents where there are none: $250,000 or $1,250.50."""
    if value is None:
        return "—"
    return _money(Decimal(value.amount), value.currency)


def compact_money(value: HasMoney | None) -> str:
    """For columns and cards: $250K, €1.3M."""
    if value is None:
        return "—"
    return _compact_money(Decimal(value.amount), value.currency)


# Formatting costs a board more than anything else, and the same value reads the same for ever.
@lru_cache(maxsize=4096)
def _money(amount: Decimal, currency: str) -> str:
    if amount == amount.to_integral_value():
        return format_currency(amount, currency, "¤#,##0", locale=LOCALE, currency_digits=False)
    return format_currency(amount, currency, locale=LOCALE)


@lru_cache(maxsize=4096)
def _compact_money(amount: Decimal, currency: str) -> str:
    return format_compact_currency(amount, currency, locale=LOCALE, fraction_digits=1)


def day(value: date | None) -> str:
    """A date as Nov 21, 2026; this year's without the year."""
    if value is None:
        return "—"
    same_year = value.year == datetime.now(UTC).year
    return format_date(value, "MMM d" if same_year else "MMM d, y", locale=LOCALE)


def month(value: date) -> str:
    """A month as November 2026."""
    return format_date(value, "MMMM y", locale=LOCALE)


def weekday(value: date) -> str:
    """A day as Thursday, November 5; in another year with the year."""
    same_year = value.year == datetime.now(UTC).year
    return format_date(value, "EEEE, MMMM d" if same_year else "EEEE, MMMM d, y", locale=LOCALE)


@lru_cache(maxsize=4096)
def moment(value: datetime) -> str:
    """An instant in full, in UTC."""
    return format_datetime(value.astimezone(UTC), "EEE, MMM d, y, HH:mm 'UTC'", locale=LOCALE)


def words(span: timedelta, *, short: bool = False, least: str = "minute") -> str:
    """A span in its largest unit, of which it has at least 1.2, down to `least`: 3 hours; 3h in short.

    It says what `babel.dates.format_timedelta` says, and asks Babel once for each number of each unit:
    a board has a span on every card.
    """
    seconds = abs(span.total_seconds())
    for unit, length in TIMEDELTA_UNITS:
        count = seconds / length
        if count >= _ENOUGH or unit == least:
            return _counted(round(max(1, count) if unit == least and count > 0 else count), unit, short=short)
    raise ValueError(least)


_ENOUGH = 1.2


@lru_cache(maxsize=1024)
def _counted(count: int, unit: str, *, short: bool) -> str:
    return format_unit(count, f"duration-{unit}", length="narrow" if short else "long", locale=LOCALE)


def ago(value: datetime, now: datetime | None = None) -> str:
    """How long ago, or in how long: just now, 3 hours ago, in 2 days."""
    delta = value - (now or datetime.now(UTC))
    if abs(delta) < timedelta(minutes=1):
        return "just now"
    return f"in {words(delta)}" if delta > timedelta(0) else f"{words(-delta)} ago"


def due(value: datetime, now: datetime | None = None) -> str:
    """A deadline in words: due in 2 days, due today, 3 days overdue."""
    now = now or datetime.now(UTC)
    if value < now:
        return f"{words(now - value)} overdue"
    if value.date() == now.date():
        return "due today"
    return f"due in {words(value - now)}"


def due_short(value: datetime, now: datetime | None = None) -> str:
    """A deadline for a card: 3d, or 3d overdue."""
    delta = value - (now or datetime.now(UTC))
    span = words(delta, short=True, least="second")
    return f"{span} overdue" if delta < timedelta(0) else span


def capitalize_first(text: str) -> str:
    """The text with a large first letter, and otherwise as it is."""
    return text[:1].upper() + text[1:]


def urgency(value: datetime | None, now: datetime | None = None) -> str:
    """overdue, today, week, later: how My work and the colours of deadlines are grouped."""
    now = now or datetime.now(UTC)
    if value is None or value > now + timedelta(days=7):
        return "later"
    if value < now:
        return "overdue"
    return "today" if value.date() == now.date() else "week"


def percent(value: Decimal | None) -> str:
    """27.5 %, without zeros at the end."""
    return "—" if value is None else f"{shown(value)} %"


def business(value: str) -> str:
    """A business duration in words: 8bh is 8 working hours, 3d is 3 days."""
    if value[-2:-1] != "b":
        return in_words(value)
    return plural(int(value[:-2]), {"h": "working hour", "d": "working day"}[value[-1]])


def days_since(value: datetime) -> int:
    """Whole days from then to now."""
    return max((datetime.now(UTC) - value).days, 0)


def initials(name: str) -> str:
    """Two letters for an avatar: the first of the first and of the last word."""
    words = [word for word in name.split() if word[0].isalnum()] or ["?"]
    return (words[0][0] + (words[-1][0] if len(words) > 1 else "")).upper()


def hue(name: str) -> int:
    """Which of the avatar colours somebody has: always the same one."""
    return hashlib.blake2s(name.encode(), digest_size=1).digest()[0] % HUES


@lru_cache(maxsize=4096)
def avatar(name: str, *, large: bool = False, org: bool = False, label: str | None = None) -> Markup:
    """A face for somebody: decoration beside the name, or a picture where a label stands in its place."""
    css = f"avatar hue-{hue(name)}{' avatar-large' if large else ''}{' avatar-org' if org else ''}"
    says = (
        Markup('role="img" aria-label="{}" title="{}"').format(label, label)
        if label
        else Markup('aria-hidden="true"')
    )
    return Markup('<span class="{}" {}>{}</span>').format(css, says, initials(name))


def country(code: str | None) -> str:
    """A country's English name; the code itself where it is none."""
    return str(LOCALE.territories.get((code or "").upper(), code or "—"))


def plural(count: int, one: str, many: str | None = None) -> str:
    """1 deal, 2 deals."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


@lru_cache(maxsize=256)
def _svg(name: str) -> str:
    text = (STATIC / "vendor" / "lucide-static" / f"{name}.svg").read_text(encoding="utf-8")
    return text[text.index(">", text.index("<svg")) + 1 : text.rindex("</svg>")].strip()


@lru_cache(maxsize=1024)
def icon(name: str, label: str | None = None, css: str = "") -> Markup:
    """One vendored icon, drawn in the text's colour; silent to screen readers without a label."""
    says = Markup('role="img" aria-label="{}"').format(label) if label else Markup('aria-hidden="true"')
    return Markup(
        '<svg class="icon {}" {} viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2" '
        'stroke-linecap="round" stroke-linejoin="round">{}</svg>'
    ).format(css, says, Markup(_svg(name)))  # noqa: S704 - a file of our own


@lru_cache(maxsize=64)
def _fingerprint(path: Path, changed: int) -> str:
    del changed  # part of the key: an edited file has a new address
    return hashlib.sha256(path.read_bytes()).hexdigest()[:10]


def asset(name: str) -> str:
    """The address of a static file, which changes with its content and may be cached for ever."""
    path = STATIC / name
    return f"/static/{name}?v={_fingerprint(path, path.stat().st_mtime_ns)}"


def new_key() -> str:
    """What makes a form that is sent twice one change: the Idempotency-Key of its command."""
    return uuid4().hex


def lines(text: str) -> Markup:
    """Text that somebody typed, escaped, with its line breaks."""
    return Markup("<br>").join(escape(line) for line in text.splitlines())


FILTERS = {
    "money": money,
    "compact_money": compact_money,
    "day": day,
    "month": month,
    "weekday": weekday,
    "moment": moment,
    "ago": ago,
    "due": due,
    "due_short": due_short,
    "urgency": urgency,
    "capitalize_first": capitalize_first,
    "percent": percent,
    "business": business,
    "days_since": days_since,
    "initials": initials,
    "hue": hue,
    "country": country,
    "lines": lines,
}
MANY_CHOICES = 150
"""So many nobody looks through, and more than `db.choices.MOST` are not listed: one may type instead."""
GLOBALS = {
    "icon": icon,
    "avatar_of": avatar,
    "asset": asset,
    "plural": plural,
    "new_key": new_key,
    "MANY_CHOICES": MANY_CHOICES,
}
