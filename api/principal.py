"""Who asks: the person behind a session cookie or an API key."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from fastapi import Depends, Request, Security
from fastapi.security import APIKeyCookie, HTTPBearer

from api import sessions
from api.services import services_of
from db import keys
from db.session import Database
from domain.errors import Forbidden, Unauthenticated
from domain.principal import Action, Principal
from runtime import tokens

TOUCH_AFTER = timedelta(minutes=1)
"""How stale a key's last use must be before it is written again."""

# For the API description; `authenticate` reads the request itself, also before a route is chosen.
_bearer = HTTPBearer(auto_error=False, scheme_name="api_key", description="An API key (`tdm_…`).")
_cookie = APIKeyCookie(name=sessions.COOKIE, auto_error=False, scheme_name="session")


async def authenticate(request: Request) -> Principal:
    """The principal of a request, found once with one query. Raises `Unauthenticated`."""
    known: Principal | None = getattr(request.state, "principal", None)
    if known is None:
        known = await _find(request, services_of(request).database)
        request.state.principal = known
    return known


async def authenticate_again(request: Request) -> Principal:
    """The principal as it is by now, for a request that lasts. Raises `Unauthenticated`."""
    return await _find(request, services_of(request).database)


def credential_of(request: Request) -> str:
    """The secret that the request came with."""
    authorization = request.headers.get("authorization")
    return authorization or request.cookies.get(sessions.COOKIE, "")


async def _find(request: Request, database: Database) -> Principal:
    authorization = request.headers.get("authorization")
    if authorization is not None:
        scheme, _, token = authorization.partition(" ")
        principal = await _by_key(database, token.strip()) if scheme.lower() == "bearer" else None
        if principal is None:
            raise Unauthenticated("This API key is not valid; it may be expired or revoked. Make a new one.")
        return principal
    token = request.cookies.get(sessions.COOKIE, "")
    found = await sessions.find(database, token) if token else None
    if found is None:
        raise Unauthenticated("Sign in, or send an API key as Authorization: Bearer.")
    request.state.counts = found.counts
    return found.principal


async def _by_key(database: Database, token: str) -> Principal | None:
    if not token.startswith(tokens.API_KEY_PREFIX):
        return None
    now = datetime.now(UTC)
    async with database.connection() as connection:
        found = await keys.find(connection, tokens.digest(token), now)
    if found is None:
        return None
    if found.last_used_at is None or now - found.last_used_at > TOUCH_AFTER:
        async with database.single() as session:
            await keys.touch(session, found.key_id, now)
    return found.principal


async def current_principal(
    request: Request, _key: Annotated[Any, Security(_bearer)], _session: Annotated[Any, Security(_cookie)]
) -> Principal:
    """Dependency: the principal, or 401."""
    return await authenticate(request)


PrincipalDep = Annotated[Principal, Depends(current_principal)]


def require(*actions: Action) -> Any:
    """Dependency: the principal, if she may do one of these; else 403.

    Use it as `principal: Annotated[Principal, require(Action.MANAGE_PARTNERS)]`.
    """

    async def permitted(principal: PrincipalDep) -> Principal:
        if not any(principal.may(action) for action in actions):
            raise Forbidden("Your roles do not include this; ask an administrator of your organisation.")
        return principal

    return Depends(permitted)
