"""Identifiers."""

from __future__ import annotations

from uuid import UUID

import uuid_utils.compat


def new_id() -> UUID:
    """A new UUID version 7 (RFC 9562): unique everywhere, and in the order of its making."""
    return uuid_utils.compat.uuid7()
