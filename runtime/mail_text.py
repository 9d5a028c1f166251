"""The words of mails: `templates/mail/`, each mail as three files for subject, text and HTML."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from babel.dates import format_datetime
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

TEMPLATES = Path(__file__).parents[1] / "templates"


@dataclass(frozen=True, slots=True)
class Words:
    """A mail's subject, and its body twice."""

    subject: str
    text: str
    html: str


@lru_cache(maxsize=1)
def environment() -> Environment:
    """The templates of mails: HTML escapes what it prints, text does not; an unknown name is an error."""
    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def render(mail: str, **context: Any) -> Words:
    """The mail of that name, such as "decision", with what its templates ask for."""
    subject, text, html = (
        environment().get_template(f"mail/{mail}.{part}").render(context)
        for part in ("subject.txt", "txt", "html")
    )
    return Words(" ".join(subject.split()), text, html)


def moment(value: datetime, zone: str) -> str:
    """An instant as the clock of an IANA zone shows it: Mon, Mar 1, 2027, 10:00 (Europe/Paris)."""
    told = format_datetime(value, "EEE, MMM d, y, HH:mm", tzinfo=ZoneInfo(zone), locale="en_US")
    return f"{told} ({zone})"
