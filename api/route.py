"""The route class of the JSON API: what every route does besides its own work."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

from fastapi import Request, Response, params
from fastapi.dependencies.utils import get_flat_params
from fastapi.routing import APIRoute

from api import etag, idempotency
from api.principal import authenticate
from api.validation import MOST_EXPLAINED, pointer
from domain.errors import InvalidInput

Handler = Callable[[Request], Coroutine[Any, Any, Response]]
_LONGEST_ECHO = 60


class StrictRoute(APIRoute):
    """A query parameter that a route does not know is refused, not dropped: it was meant to do something."""

    def get_route_handler(self) -> Handler:
        handler = super().get_route_handler()
        named = get_flat_params(self.dependant)
        known = {each.alias for each in named if isinstance(each.field_info, params.Query)}
        return partial(_unless_unknown, handler=handler, known=frozenset(known))


class TandemRoute(StrictRoute):
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


async def _unless_unknown(request: Request, handler: Handler, known: frozenset[str]) -> Response:
    if unknown := [name for name in request.query_params if name not in known]:
        await authenticate(request)  # strangers are not told what there is
        there = f"there are {', '.join(sorted(known))}" if known else "it takes none"
        errors = [
            {"pointer": pointer([name]), "detail": f"There is no parameter “{name}” here; {there}."}
            for name in map(_cut, unknown[:MOST_EXPLAINED])
        ]
        detail = (
            errors[0]["detail"] if len(unknown) == 1 else f"{len(unknown)} parameters are not known here."
        )
        raise InvalidInput(detail, errors=errors)
    return await handler(request)


def _cut(name: str) -> str:
    return f"{name[:_LONGEST_ECHO]}…" if len(name) > _LONGEST_ECHO else name
