"""Single values of an export: text, days and amounts, or a sentence why not."""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, date, datetime
from decimal import Decimal

from domain.money import MAX_AMOUNT
from domain.text import turning

EARLIEST = date(1980, 1, 1)
"""No CRM is older; a day before is a mistake."""
LATEST = date(2100, 1, 1)
MAX_NAME = 200
_ECHO = 40


class BadValue(ValueError):
    """A value that cannot be taken; the message says why, and what was found."""


def echo(text: str) -> str:
    """What was found, short enough for a message."""
    return f"“{text[:_ECHO]}…”" if len(text) > _ECHO else f"“{text}”"


def clean(text: str) -> str:
    """The text with single spaces, in the usual Unicode form (NFC), free of control characters."""
    tidy = " ".join(unicodedata.normalize("NFC", text).split())
    bad = next((c for c in tidy if unicodedata.category(c) in {"Cc", "Cs"}), None)
    if bad is not None:
        raise BadValue(f"holds a character that text cannot have (U+{ord(bad):04X}); take it out")
    if found := turning(tidy):
        raise BadValue(f"holds a character that turns the direction of reading ({found}); take it out")
    return tidy


def name(text: str) -> str:
    """The name of somebody or something, not empty and not longer than a name is."""
    tidy = clean(text)
    if not tidy:
        raise BadValue("is empty")
    if len(tidy) > MAX_NAME:
        raise BadValue(f"is {len(tidy):,} characters long; at most {MAX_NAME} are taken")
    return tidy


def day(text: str, date_format: str, *, latest: date) -> date:
    """A day, in the format of the mapping, between 1980 and `latest`."""
    tidy = clean(text)
    try:
        found = datetime.strptime(tidy, date_format).replace(tzinfo=UTC).date()
    except ValueError:
        raise BadValue(f"{echo(tidy)} is not a date in the form {date_format}") from None
    if found < EARLIEST:
        raise BadValue(f"{found} is before {EARLIEST.year}")
    if found > latest:
        raise BadValue(
            f"{found} is in the future" if latest < LATEST else f"{found} is after {LATEST.year - 1}"
        )
    return found


def amount(text: str, decimal_mark: str) -> Decimal:
    """An amount of money: digits, perhaps with cents; no signs, thousands marks or currencies."""
    tidy = clean(text)
    if not re.fullmatch(rf"-?[0-9]+({re.escape(decimal_mark)}[0-9]+)?", tidy):
        raise BadValue(f"{echo(tidy)} is not an amount such as 1250{decimal_mark}50")
    found = Decimal(tidy.replace(decimal_mark, "."))
    if found < 0:
        raise BadValue(f"{echo(tidy)} is negative")
    if found > MAX_AMOUNT:
        raise BadValue(f"{echo(tidy)} is more than {MAX_AMOUNT:,}")
    cents = found.quantize(Decimal("0.01"))
    if cents != found:
        raise BadValue(f"{echo(tidy)} has more than two digits after the {decimal_mark}")
    return cents


def email_of(person: str, domain: str) -> str:
    """An address made of a name: Anna-Maria Müller is anna-maria.muller@domain."""
    plain = unicodedata.normalize("NFKD", person).encode("ascii", "ignore").decode().lower().replace("'", "")
    local = ".".join(re.findall(r"[a-z0-9]+(?:-[a-z0-9]+)*", plain))
    if not local or len(local) > 64:  # noqa: PLR2004 -- RFC 5321, 4.5.3.1.1
        raise BadValue(
            f"no e-mail address can be made of {echo(person)}; give one under emails in the mapping"
        )
    return f"{local}@{domain}"


def shortened(text: str) -> str:
    """The text, cut to the length of a name where it is longer."""
    return text if len(text) <= MAX_NAME else text[: MAX_NAME - 1] + "…"
