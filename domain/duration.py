"""Durations as people write them in playbooks: `8h`, `3d`, `2w`."""

from __future__ import annotations

import re
from datetime import timedelta
from functools import lru_cache
from typing import Annotated

from pydantic import AfterValidator, WithJsonSchema

_SHAPE = re.compile(r"([1-9][0-9]{0,3})([hdw])")
_UNIT = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
_NAMES = {"h": "hour", "d": "day", "w": "week"}


@lru_cache(maxsize=1024)
def parse_duration(text: str) -> timedelta:
    """The length of elapsed time that `text` names (`h` hours, `d` days of 24 hours, `w` weeks).

    Raises:
        ValueError: it is not a whole number from 1 to 9999 followed by h, d or w.
    """
    match = _SHAPE.fullmatch(text)
    if match is None:
        msg = (
            f"{text[:20]!r} is not a duration: write a number from 1 to 9999 and h, d or w, "
            "such as 8h, 3d or 2w"
        )
        raise ValueError(msg)
    return int(match[1]) * _UNIT[match[2]]


def in_words(text: str) -> str:
    """`90 days` for `90d`. Raises `ValueError` as `parse_duration`."""
    parse_duration(text)
    number = int(text[:-1])
    return f"{number:,} {_NAMES[text[-1]]}{'' if number == 1 else 's'}"


def _check(text: str) -> str:
    parse_duration(text)
    return text


Duration = Annotated[
    str,
    AfterValidator(_check),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": "^[1-9][0-9]{0,3}[hdw]$",
            "examples": ["8h", "3d", "2w"],
            "description": "A whole number of hours (h), days (d) or weeks (w).",
        }
    ),
]
"""A duration as written; `parse_duration` makes it a timedelta."""
