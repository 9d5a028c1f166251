"""The route class of the JSON API: what every route does besides its own work."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute

from api import etag, idempotency

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class TandemRoute(APIRoute):
    """A POST honours `Idempotency-Key`; a GET honours `If-None-Match`."""

    def get_route_handler(self) -> Handler:
        handler = super().get_route_handler()
        methods = self.methods or set()
        if "POST" in methods:
            return partial(idempotency.once, handler=handler)
        if "GET" in methods:
            return partial(_unless_known, handler=handler)
        return handler


async def _unless_known(request: Request, handler: Handler) -> Response:
    return etag.unless_known(request, await handler(request))
