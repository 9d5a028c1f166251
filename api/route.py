"""The route class of the JSON API: what every route does besides its own work."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute

from api import etag, idempotency

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class TandemRoute(APIRoute):
    """A POST honours `Idempotency-Key`; a GET honours `If-None-Match`."""

    def get_route_handler(self) -> Handler:
        handler = super().get_route_handler()
        if "POST" in self.methods:
            return lambda request: idempotency.once(request, handler)
        if "GET" in self.methods:
            return lambda request: _unless_known(request, handler)
        return handler


async def _unless_known(request: Request, handler: Handler) -> Response:
    return etag.unless_known(request, await handler(request))
