"""Signing in and out of the pages: an opaque id in a cookie, a row that can be revoked."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from starlette.requests import Request
from starlette.responses import Response

from api.limits import SignInThrottle
from db import people, sessions
from db.session import Database
from db.sessions import SignedIn
from domain.errors import Unauthenticated
from runtime import tokens
from runtime.passwords import verify_password
from runtime.settings import Settings

COOKIE = "tandem_session"
LIFETIME = timedelta(days=14)
SLIDE_AFTER = timedelta(minutes=10)
"""How stale the last use must be before it is written again: reading a page should not write each time."""


async def sign_in(
    database: Database, throttle: SignInThrottle, *, email: str, password: str, address: str = ""
) -> str:
    """Check a password and open a session; answers the token for the cookie (see `set_cookie`).

    Raises `Unauthenticated` (one sentence for every reason, after the same time)
    and `TooManyRequests`. `address` is the client's network address.
    """
    await throttle.attempt(email, address)
    async with database.read() as session:
        found = await people.credentials(session, email.strip()) if email.isprintable() else None
    principal, password_hash = found or (None, None)
    if not await verify_password(password, password_hash) or principal is None:
        raise Unauthenticated("The e-mail address or the password is not right.")
    token = tokens.new_session_token()
    now = datetime.now(UTC)
    async with database.transaction() as session:
        await sessions.add(session, tokens.digest(token), principal.id, now, now + LIFETIME)
    return token


async def sign_out(database: Database, token: str) -> None:
    """End the session behind a cookie; an unknown one is as good as ended."""
    async with database.single() as session:
        await sessions.remove(session, tokens.digest(token))


async def find(database: Database, token: str) -> SignedIn | None:
    """Whose session it is; slides its end. None when it has ended."""
    now = datetime.now(UTC)
    token_hash = tokens.digest(token)
    async with database.connection() as connection:
        found = await sessions.find(connection, token_hash, now)
    if found is None:
        return None
    if now - found.last_used_at > SLIDE_AFTER:
        async with database.single() as session:
            await sessions.touch(session, token_hash, now, now + LIFETIME)
    return found


def set_cookie(request: Request, response: Response, token: str) -> None:
    """Give the browser its session; scripts cannot read it, other sites cannot send it."""
    response.set_cookie(
        COOKIE,
        token,
        max_age=int(LIFETIME.total_seconds()),
        httponly=True,
        samesite="lax",
        secure=_is_https(request),
        path="/",
    )


def _is_https(request: Request) -> bool:
    """Also where a proxy speaks TLS for us and only the public address tells."""
    settings: Settings = request.app.state.services.settings
    return request.url.scheme == "https" or settings.url.startswith("https:")


def clear_cookie(response: Response) -> None:
    """Take the session from the browser."""
    response.delete_cookie(COOKIE, path="/", httponly=True, samesite="lax")
