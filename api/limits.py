"""Rate limits. They are counted in the memory of each API process: N processes allow N times as much.

That is enough for what they are for, which is to keep one caller's runaway loop
from starving the others, and to make guessing passwords slow.
"""

from __future__ import annotations

import contextlib
import hashlib
import math
import time
from collections import OrderedDict
from ipaddress import ip_network

from limits import RateLimitItem, parse
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import FixedWindowRateLimiter
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request, cookie_parser
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api import problems
from domain.errors import TooManyRequests

REFUSED_LIMIT = parse("100/minute")
"""Wrong credentials that one address may send: each is a new caller, and never meets a caller's limit."""
MOST_WELCOME = 10_000
_TO_SIGN_IN = {401, 303}
"""How the API and the pages answer strangers."""
SIGN_IN_LIMITS = {"person": parse("10/5minutes"), "address": parse("60/5minutes")}


class RateLimit:
    """Counts the requests of each caller; announces the rest in RateLimit-* headers, refuses beyond it.

    An address that sends too many wrong credentials is refused, but for the callers
    that were let in before: others who share the address go on working.
    """

    def __init__(self, app: ASGIApp, *, limit: str, cookie: str) -> None:
        """Take the session from the cookie of this name."""
        self.app = app
        self.cookie = cookie
        self.limit: RateLimitItem = parse(limit)
        self.limiter = FixedWindowRateLimiter(MemoryStorage())
        self.welcome: OrderedDict[str, None] = OrderedDict()
        """The callers let in last, the latest at the end."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not _is_counted(scope["path"]):
            await self.app(scope, receive, send)
            return
        caller, address = _caller(scope, self.cookie), _address(scope)
        unknown = caller != address and caller not in self.welcome
        if unknown and not await self.limiter.test(REFUSED_LIMIT, "refused", address):
            reset = await self._reset(REFUSED_LIMIT, "refused", address)
            error = TooManyRequests(
                f"Too many wrong keys or sessions came from your address; go on in {reset} s.",
                retry_after=reset,
            )
            await problems.response_to(error, Request(scope))(scope, receive, send)
            return
        allowed = await self.limiter.hit(self.limit, caller)
        _, remaining = await self.limiter.get_window_stats(self.limit, caller)
        reset = await self._reset(self.limit, caller)

        async def announce(message: Message) -> None:
            if message["type"] == "http.response.start":
                if caller != address:
                    await self._learn(caller, address, scope, message["status"])
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

    async def _reset(self, limit: RateLimitItem, *who: str) -> int:
        """Seconds until the count begins anew."""
        reset_at, _ = await self.limiter.get_window_stats(limit, *who)
        return max(1, math.ceil(reset_at - time.time()))

    async def _learn(self, caller: str, address: str, scope: Scope, status: int) -> None:
        """Remember whom a route knew, and count the strangers of an address."""
        if "principal" in scope.get("state", {}):
            self.welcome[caller] = None
            self.welcome.move_to_end(caller)
            if len(self.welcome) > MOST_WELCOME:
                self.welcome.popitem(last=False)
        elif status in _TO_SIGN_IN:
            self.welcome.pop(caller, None)
            await self.limiter.hit(REFUSED_LIMIT, "refused", address)


def _is_counted(path: str) -> bool:
    """Probes and files of our own are free."""
    return path not in {"/healthz", "/readyz", "/metrics"} and not path.startswith("/static/")


def _caller(scope: Scope, cookie: str) -> str:
    """The credential, or the address where there is none. Kept as a hash: a counter need not know secrets."""
    headers = Headers(scope=scope)
    credential = headers.get("authorization") or cookie_parser(headers.get("cookie", "")).get(cookie)
    if not credential:
        return _address(scope)
    return hashlib.sha256(credential.encode()).hexdigest()


def _address(scope: Scope) -> str:
    """Where the request comes from. Who has an IPv6 address usually has all of its /64."""
    host = str((scope.get("client") or ("",))[0])
    if ":" in host:
        with contextlib.suppress(ValueError):
            host = str(ip_network((host, 64), strict=False))
    return f"address:{host}"


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
