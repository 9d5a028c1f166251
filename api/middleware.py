"""What surrounds every request: its id, limits, headers, metrics. Plain ASGI, so that streams stream."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable

from prometheus_client import Counter, Histogram
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api import problems
from domain.errors import Forbidden, TooLarge
from runtime.ids import new_id

_SANE_REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}")

REQUESTS = Counter("tandem_http_requests_total", "Requests answered.", ["method", "route", "status"])
DURATION = Histogram("tandem_http_request_seconds", "Time to the start of the answer.", ["method", "route"])

CONTENT_SECURITY_POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
"""For HTML that says nothing itself; pages bring their own."""


class Envelope:
    """The outermost layer: gives each request an id, and each answer its headers, also when a route fails."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        if scope["method"] == "HEAD" and not scope["path"].endswith("/stream"):
            # As RFC 9110 wants it, a GET whose body the server leaves out. A stream would run for nobody.
            scope = {**scope, "method": "GET"}
        request_id = _request_id(Headers(scope=scope).get("x-request-id"))
        scope.setdefault("state", {})["request_id"] = request_id
        began = time.perf_counter()
        started = False

        async def send_in_envelope(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                _dress(MutableHeaders(scope=message), scope, request_id)
                _count(scope, message["status"], time.perf_counter() - began)
            await send(message)

        try:
            await self.app(scope, receive, send_in_envelope)
        except Exception as error:
            if started:
                raise
            await problems.unexpected(Request(scope), error)(scope, receive, send_in_envelope)


def _request_id(sent: str | None) -> str:
    """The caller's own id where it is short and plain, else a new one."""
    return sent if sent is not None and _SANE_REQUEST_ID.fullmatch(sent) else str(new_id())


def _dress(headers: MutableHeaders, scope: Scope, request_id: str) -> None:
    headers["X-Request-Id"] = request_id
    headers.setdefault("X-Content-Type-Options", "nosniff")
    headers.setdefault("Referrer-Policy", "same-origin")
    headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    if headers.get("content-type", "").startswith("text/html"):
        headers.setdefault("Content-Security-Policy", CONTENT_SECURITY_POLICY)
    if not scope["path"].startswith("/static/"):
        headers.setdefault("Cache-Control", "private, no-cache")
    if scope["scheme"] == "https":
        headers.setdefault("Strict-Transport-Security", "max-age=31536000")


def _count(scope: Scope, status: int, seconds: float) -> None:
    # The route's pattern, not the path: ids would make a new series each.
    route = getattr(scope.get("route"), "path", "none")
    REQUESTS.labels(scope["method"], route, status).inc()
    DURATION.labels(scope["method"], route).observe(seconds)


class BodyLimit:
    """Refuses bodies of more than `limit` bytes, whether they say their length or not.

    The body is read here, so a route that starts has all of it. A body that is
    too large is read to its end up to `patience` bytes and thrown away: a client
    that is still sending would see a broken connection instead of the answer.
    """

    def __init__(self, app: ASGIApp, *, limit: int = 1_000_000, patience: int = 64_000_000) -> None:
        self.app = app
        self.limit = limit
        self.patience = patience

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not _has_body(Headers(scope=scope)):
            await self.app(scope, receive, send)
            return
        body = await self._read(receive)
        if body is None:
            error = TooLarge(f"The request is larger than {self.limit // 1_000_000} MB; send less at once.")
            await problems.response_to(error, Request(scope))(scope, receive, send)
            return
        delivered = False

        async def receive_again() -> Message:
            nonlocal delivered
            if delivered:
                return await receive()
            delivered = True
            return {"type": "http.request", "body": body, "more_body": False}

        await self.app(scope, receive_again, send)

    async def _read(self, receive: Receive) -> bytes | None:
        """The whole body; None when it is too large."""
        chunks: list[bytes] = []
        size = 0
        while size <= self.patience:
            message = await receive()
            if message["type"] == "http.disconnect":
                return None
            chunk = message.get("body", b"")
            size += len(chunk)
            if size <= self.limit:
                chunks.append(chunk)
            if not message.get("more_body", False):
                break
        return b"".join(chunks) if size <= self.limit else None


def _has_body(headers: Headers) -> bool:
    return "transfer-encoding" in headers or headers.get("content-length", "0") != "0"


async def deny_cross_origin(scope: Scope, receive: Receive, send: Send) -> None:
    """The answer to a request that another site made a browser send."""
    error = Forbidden("This request came from another site; open Tandem itself and try again.")
    await problems.response_to(error, Request(scope))(scope, receive, send)


class UnlessAuthorized:
    """Takes a request with an Authorization header past a layer that is there for cookies.

    A browser never adds that header by itself, so no other site can forge it.
    """

    def __init__(self, app: ASGIApp, *, guarded: ASGIApp) -> None:
        self.app = app
        self.guarded = guarded

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        plain = scope["type"] != "http" or _sends(scope["headers"], b"authorization")
        await (self.app if plain else self.guarded)(scope, receive, send)


def _sends(headers: Iterable[tuple[bytes, bytes]], name: bytes) -> bool:
    return any(key == name for key, _ in headers)
