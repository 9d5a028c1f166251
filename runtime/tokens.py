"""Random secrets that are given away once and kept as a hash only.

They carry 256 random bits, so that a plain SHA-256 is enough: there is nothing
to guess, and looking one up costs nothing.
"""

from __future__ import annotations

import hashlib
import secrets

API_KEY_PREFIX = "tdm_"
FEED_PREFIX = "cal_"
HINT_CHARACTERS = len(API_KEY_PREFIX) + 4


def new_api_key() -> str:
    """The secret of a new API key, with a prefix by which scanners find it where it should not be."""
    return API_KEY_PREFIX + secrets.token_urlsafe(32)


def new_feed_token() -> str:
    """The secret in the address of somebody's calendar feed."""
    return FEED_PREFIX + secrets.token_urlsafe(32)


def new_session_token() -> str:
    """The secret in the cookie of a browser that signs in."""
    return secrets.token_urlsafe(32)


def digest(token: str) -> bytes:
    """What is kept of a secret, and what it is found by."""
    return hashlib.sha256(token.encode()).digest()


def hint(token: str) -> str:
    """The first characters, by which the owner recognises a key or an address."""
    return token[:HINT_CHARACTERS]


_CHECK_BYTES = 16


def seal(content: bytes, secret: str, nonce: bytes) -> bytes:
    """Content that only who knows the secret can open; the nonce must be new each time.

    SHAKE-256 over secret and nonce is the pad; a hash of the content tells whether it was opened rightly.
    """
    plain = hashlib.sha256(content).digest()[:_CHECK_BYTES] + content
    return _padded(plain, secret, nonce)


def unseal(sealed: bytes, secret: str, nonce: bytes) -> bytes | None:
    """What was sealed; None with another secret."""
    plain = _padded(sealed, secret, nonce)
    check, content = plain[:_CHECK_BYTES], plain[_CHECK_BYTES:]
    right = secrets.compare_digest(check, hashlib.sha256(content).digest()[:_CHECK_BYTES])
    return content if right else None


def _padded(content: bytes, secret: str, nonce: bytes) -> bytes:
    key = hashlib.sha256(secret.encode()).digest()
    pad = hashlib.shake_256(key + nonce).digest(len(content))
    return bytes(a ^ b for a, b in zip(content, pad, strict=True))
