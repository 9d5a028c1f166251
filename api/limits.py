"""Rate limits. They are counted in the memory of each API process: N processes allow N times as much.

That is enough for what they are for, which is to keep one caller's runaway loop
from starving the others, and to make guessing passwords slow.
"""

from __future__ import annotations

import hashlib
import math
import time

from limits import RateLimitItem, parse
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import FixedWindowRateLimiter
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api import problems
from domain.errors import TooManyRequests

SIGN_IN_LIMITS = {"person": parse("10/5minutes"), "address": parse("60/5minutes")}


class RateLimit:
    """Counts the requests of each caller; announces the rest in RateLimit-* headers, refuses beyond it."""

    def __init__(self, app: ASGIApp, *, limit: str) -> None:
        self.app = app
        self.limit: RateLimitItem = parse(limit)
        self.limiter = FixedWindowRateLimiter(MemoryStorage())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not _is_counted(scope["path"]):
            await self.app(scope, receive, send)
            return
        caller = _caller(scope)
        allowed = await self.limiter.hit(self.limit, caller)
        reset_at, remaining = await self.limiter.get_window_stats(self.limit, caller)
        reset = max(1, math.ceil(reset_at - time.time()))

        async def announce(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["RateLimit-Limit"] = str(self.limit.amount)
                headers["RateLimit-Remaining"] = str(max(0, remaining))
                headers["RateLimit-Reset"] = str(reset)
            await send(message)

        if allowed:
            await self.app(scope, receive, announce)
            return
        error = TooManyRequests(f"Too many requests; go on in {reset} s.", retry_after=reset)
        await problems.response_to(error, Request(scope))(scope, receive, announce)


def _is_counted(path: str) -> bool:
    """Probes and files of our own are free."""
    return path not in {"/healthz", "/readyz", "/metrics"} and not path.startswith("/static/")


def _caller(scope: Scope) -> str:
    """The credential, or the address where there is none. Kept as a hash: a counter need not know secrets."""
    headers = Headers(scope=scope)
    credential = headers.get("authorization") or headers.get("cookie")
    if credential is None:
        client = scope.get("client")
        return f"address:{client[0] if client else ''}"
    return hashlib.sha256(credential.encode()).hexdigest()


class SignInThrottle:
    """Slows down guessing: so many attempts for a person, and so many from an address."""

    def __init__(self) -> None:
        self._limiter = FixedWindowRateLimiter(MemoryStorage())

    async def attempt(self, email: str, address: str) -> None:
        """Count an attempt. Raises `TooManyRequests` beyond the limits."""
        for kind, who in (("person", email.casefold()), ("address", address)):
            limit = SIGN_IN_LIMITS[kind]
            if not await self._limiter.hit(limit, kind, who):
                reset_at, _ = await self._limiter.get_window_stats(limit, kind, who)
                seconds = max(1, math.ceil(reset_at - time.time()))
                raise TooManyRequests(
                    f"Too many attempts to sign in; try again in {seconds} s.", retry_after=seconds
                )
