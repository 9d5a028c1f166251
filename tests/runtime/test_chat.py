"""Chats, as apprise writes to them: in our name, and where they are, not where they send us."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from fastapi import FastAPI, Request, Response

from runtime.chat import ChatNotTaken, Chats, names
from tests.stack import serving

CHAT = "mmost://{}/3ccdd113474722377935511fc85d3dd4"


class Channel:
    """A chat on loopback: what was said, and where it sends those who speak."""

    def __init__(self) -> None:
        self.address = ""
        self.said: list[tuple[str, dict[str, Any]]] = []
        self.elsewhere: str | None = None

    async def hear(self, request: Request) -> Response:
        self.said.append((request.url.path, await request.json()))
        if self.elsewhere is None:
            return Response(status_code=200)
        return Response(status_code=307, headers={"Location": self.elsewhere})


@pytest_asyncio.fixture
async def channel() -> AsyncIterator[Channel]:
    app, heard = FastAPI(), Channel()
    app.post("/{path:path}")(heard.hear)
    async with serving(app) as address:
        heard.address = CHAT.format(address.removeprefix("http://"))
        yield heard


async def test_a_message_comes_from_tandem(channel: Channel):
    await Chats("mmost").say(channel.address, "ERP rollout", "A check-in is due.")
    ((_, said),) = channel.said
    assert said["username"] == "Tandem"
    assert said["text"].split() == ["ERP", "rollout", "A", "check-in", "is", "due."]
    assert "icon_url" not in said


async def test_a_chat_sends_nobody_elsewhere(channel: Channel):
    channel.elsewhere = "/inside"
    with pytest.raises(ChatNotTaken):
        await Chats("mmost").say(channel.address, "ERP rollout", "A check-in is due.")
    assert [path for path, _ in channel.said] == ["/hooks/3ccdd113474722377935511fc85d3dd4"]


def test_services_are_called_as_people_know_them():
    assert names("slack, workflows,json") == ["Slack", "Microsoft Teams", "json"]
    assert names("none") == names("") == []
