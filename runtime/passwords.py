"""Passwords: argon2 with the recommended cost, which takes some 0.2 s, so it runs in a thread."""

from __future__ import annotations

import asyncio
from functools import cache

from pwdlib import PasswordHash

_hasher = PasswordHash.recommended()


async def hash_password(password: str) -> str:
    """The hash to keep."""
    return await asyncio.to_thread(_hasher.hash, password)


async def verify_password(password: str, password_hash: str | None) -> bool:
    """Whether the password is the one that was hashed.

    Without a hash the answer is no, after the same time as with one: how long a
    refusal takes must not tell whether an address is known.
    """
    if password_hash is None:
        await asyncio.to_thread(lambda: _hasher.verify(password, _nobody()))
        return False
    return await asyncio.to_thread(_hasher.verify, password, password_hash)


@cache
def _nobody() -> str:
    return _hasher.hash("nobody has this password")
