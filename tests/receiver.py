"""A real receiver of webhooks on loopback, which answers as it is told and keeps what it heard."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from fastapi import FastAPI, Request, Response
from standardwebhooks import Webhook

from tests.stack import serving

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@dataclass
class Receiver:
    """What was heard: the calls that were signed as they should be, and their ids."""

    url: str
    answers: list[int] = field(default_factory=list)
    """The status of the next answers; 204 when there are none."""
    headers: dict[str, str] = field(default_factory=dict)
    told: list[dict[str, Any]] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    heard: asyncio.Event = field(default_factory=asyncio.Event)

    async def hear(self, request: Request) -> Response:
        body = await request.body()
        self.told.append(Webhook(SECRET).verify(body, dict(request.headers)))
        self.ids.append(request.headers["webhook-id"])
        self.heard.set()
        return Response(status_code=self.answers.pop(0) if self.answers else 204, headers=self.headers)


@contextlib.asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    """A receiver that verifies each call; one that is not signed right is answered 500."""
    app = FastAPI()
    receiver = Receiver("")
    app.post("/hooks")(receiver.hear)
    async with serving(app) as address:
        receiver.url = f"{address}/hooks"
        yield receiver
