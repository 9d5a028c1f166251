"""From what a form's fields hold to what the API's inputs take."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from api.web.forms import Form

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


def day_at_nine(form: Form, name: str) -> dict[str, str]:
    """A day that was picked, as nine o'clock UTC; anything else as it was typed, to be refused in words."""
    value = form.get(name)
    if value is None:
        return {}
    return {name: f"{value}T09:00:00Z" if _DAY.fullmatch(value) else value}


def moment_typed(form: Form, name: str, zone: ZoneInfo) -> dict[str, str]:
    """A day and a time that were picked, by the clock of this zone; a day alone is nine o'clock there.

    Anything else as it was typed, to be refused in words.
    """
    value = form.get(name)
    if value is None:
        return {}
    with suppress(ValueError):
        typed = datetime.fromisoformat(f"{value}T09:00" if _DAY.fullmatch(value) else value)
        if typed.tzinfo is None:
            return {name: typed.replace(tzinfo=zone).astimezone(UTC).isoformat()}
    return {name: value}


def number_typed(form: Form, name: str) -> dict[str, str]:
    """A number as people type it (250,000, 250 000 or 15 %), by the field's name; nothing for none."""
    value = form.get(name)
    return {} if value is None else {name: _plain(value.removesuffix("%"))}


def money_typed(form: Form) -> dict[str, str] | None:
    """An amount as people type it (250,000 or 250 000), in its currency; None for none."""
    amount = form.get("amount")
    if amount is None:
        return None
    return {"amount": _plain(amount), "currency": form.get("currency") or "USD"}


def _plain(number: str) -> str:
    plain = re.sub(r"[\s\u00a0\u202f']", "", number)
    if re.fullmatch(r"[0-9]{1,3}(,[0-9]{3})+(\.[0-9]+)?", plain):
        plain = plain.replace(",", "")
    return plain
