"""What is known of partners wherever rules are about them."""

from __future__ import annotations

from enum import StrEnum


class Tier(StrEnum):
    """How close a partner is to the vendor."""

    GOLD = "gold"
    SILVER = "silver"
    REGISTERED = "registered"
