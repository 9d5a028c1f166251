"""Ids of imported things: made of where they come from, so that the same row has the same id for ever."""

from __future__ import annotations

import hashlib
from datetime import datetime
from uuid import UUID

_RANDOM_BITS = 74


def imported_id(at: datetime, source: str, kind: str, key: str) -> UUID:
    """A UUID version 7 (RFC 9562) of the instant `at`, whose random bits are a hash of the rest.

    It sorts among the ids of its time, and asking twice answers the same:
    starting a workflow or writing a row a second time is refused by itself.
    """
    milliseconds = int(at.timestamp() * 1000)
    digest = hashlib.sha256(f"{source}\0{kind}\0{key}".encode()).digest()
    random = int.from_bytes(digest, "big") >> (len(digest) * 8 - _RANDOM_BITS)
    high, low = random >> 62, random & ((1 << 62) - 1)
    return UUID(int=(milliseconds << 80) | (0x7 << 76) | (high << 64) | (0b10 << 62) | low)
