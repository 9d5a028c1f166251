"""An HTTP client that costs next to nothing, so that a bench measures what it calls.

With 64 of httpx's at once the client takes as much of the machine as the API does.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx


class Caller:
    """One connection, kept alive, with one request at a time; with the address and headers of `like`."""

    def __init__(self, like: httpx.AsyncClient) -> None:
        self._url = like.base_url
        allowed = like.headers["authorization"]
        self._head = f"Host: {self._url.netloc.decode()}\r\nAuthorization: {allowed}\r\n"
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def get(self, path: str) -> Any:
        """What is there, as JSON. Raises RuntimeError when that is a refusal."""
        return json.loads(await self._ask("GET", path, b""))

    async def post(self, path: str, body: Any = None) -> None:
        """Send a body as JSON, or none, and read the answer. Raises RuntimeError when that is a refusal."""
        kind = "" if body is None else "Content-Type: application/json\r\n"
        await self._ask("POST", path, b"" if body is None else json.dumps(body).encode(), kind)

    async def _ask(self, method: str, path: str, content: bytes, kind: str = "") -> bytes:
        if self._streams is None or self._streams[0].at_eof():  # the server closes what is idle
            self._streams = await asyncio.open_connection(self._url.host, self._url.port)
        reader, writer = self._streams
        head = f"{method} {path} HTTP/1.1\r\n{self._head}{kind}Content-Length: {len(content)}\r\n\r\n"
        writer.write(head.encode() + content)
        status, *headers = (await reader.readuntil(b"\r\n\r\n")).decode().lower().splitlines()
        length = next(header for header in headers if header.startswith("content-length:"))
        answer = await reader.readexactly(int(length.partition(":")[2]))
        if status.split()[1] not in {"200", "201"}:
            msg = f"{status}: {answer.decode()}"
            raise RuntimeError(msg)
        return answer
