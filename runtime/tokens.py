"""Random secrets that are given away once and kept as a hash only.

They carry 256 random bits, so that a plain SHA-256 is enough: there is nothing
to guess, and looking one up costs nothing.
"""

from __future__ import annotations

import hashlib
import secrets

API_KEY_PREFIX = "tdm_"
HINT_CHARACTERS = len(API_KEY_PREFIX) + 4


def new_api_key() -> str:
    """The secret of a new API key, with a prefix by which scanners find it where it should not be."""
    return API_KEY_PREFIX + secrets.token_urlsafe(32)


def new_session_token() -> str:
    """The secret in the cookie of a browser that signs in."""
    return secrets.token_urlsafe(32)


def digest(token: str) -> bytes:
    """What is kept of a secret, and what it is found by."""
    return hashlib.sha256(token.encode()).digest()


def hint(token: str) -> str:
    """The first characters, by which the owner recognises a key."""
    return token[:HINT_CHARACTERS]
