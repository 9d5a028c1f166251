"""Calling programs elsewhere: signed, patiently, and nothing inside a network, however it is spelled."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import pytest_asyncio
from standardwebhooks import Webhook

from runtime import instance, webhook
from runtime.errors import CannotStart
from runtime.settings import Settings, load
from runtime.webhook import NotDelivered, Webhooks
from tests.patience import PATIENCE
from tests.receiver import SECRET, Receiver, receiving

LOOPBACK = ("127.0.0.1", "localhost", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "[::ffff:127.0.0.1]")


@pytest_asyncio.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as told:
        yield told


def webhooks(home: Path, **settings: object) -> Webhooks:
    return Webhooks(Settings.model_validate({"home": home, "webhook_secret": SECRET, **settings}))


async def refused(calling: Webhooks, url: str) -> NotDelivered:
    with pytest.raises(NotDelivered) as failed:
        await calling.call(url, "msg-1", "{}")
    return failed.value


async def test_a_receiver_can_verify_who_called(tmp_path: Path, receiver: Receiver) -> None:
    await webhooks(tmp_path, webhook_allow_private=True).call(receiver.url, "deal-7", '{"type": "x"}')
    assert (receiver.told, receiver.ids) == ([{"type": "x"}], ["deal-7"])


@pytest.mark.parametrize("host", LOOPBACK)
async def test_this_machine_is_not_called_however_it_is_spelled(
    tmp_path: Path, receiver: Receiver, host: str
) -> None:
    error = await refused(webhooks(tmp_path), f"http://{host}:{urlsplit(receiver.url).port}/hooks")
    assert receiver.told == []
    assert error.final, error.words


@pytest.mark.parametrize(
    "url", ["http://169.254.169.254/latest/meta-data", "http://10.0.0.1/", "http://[::1]:9/"]
)
async def test_neither_is_what_else_is_inside(tmp_path: Path, url: str) -> None:
    error = await refused(webhooks(tmp_path), url)
    assert error.final
    assert "inside a network" in error.words


@pytest.mark.parametrize("url", ["file:///etc/passwd", "gopher://hooks.example/x", "https://", "no address"])
async def test_what_is_no_web_address_is_refused_for_good(tmp_path: Path, url: str) -> None:
    assert (await refused(webhooks(tmp_path), url)).final


@pytest.mark.parametrize(
    ("status", "final", "said"),
    [(503, False, "it answered 503"), (404, False, "it answered 404"), (410, True, "it answered 410")],
)
async def test_what_is_not_taken_is_tried_again_unless_the_receiver_is_gone(
    tmp_path: Path, receiver: Receiver, status: int, final: bool, said: str
) -> None:
    receiver.answers = [status]
    error = await refused(webhooks(tmp_path, webhook_allow_private=True), receiver.url)
    assert (error.final, error.words, error.again_in) == (final, said, None)


@pytest.mark.parametrize(
    ("wanted", "wait"),
    [("120", timedelta(minutes=2)), ("999999999999", timedelta(hours=1)), ("soon", None), ("-1", None)],
)
async def test_a_receiver_may_ask_for_patience(
    tmp_path: Path, receiver: Receiver, wanted: str, wait: timedelta | None
) -> None:
    receiver.answers, receiver.headers = [429], {"retry-after": wanted}
    error = await refused(webhooks(tmp_path, webhook_allow_private=True), receiver.url)
    assert error.again_in == wait


async def test_redirects_are_not_followed(tmp_path: Path, receiver: Receiver) -> None:
    receiver.answers, receiver.headers = [302], {"location": "http://169.254.169.254/"}
    error = await refused(webhooks(tmp_path, webhook_allow_private=True), receiver.url)
    assert "redirects are not followed" in error.words


async def test_a_receiver_that_hangs_or_is_not_there_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhook, "PATIENCE", 0.3)
    calling = webhooks(tmp_path, webhook_allow_private=True)
    server = await asyncio.start_server(lambda *_: asyncio.sleep(60), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    error = await refused(calling, f"http://127.0.0.1:{port}/")
    assert (error.words, error.final) == ("it did not answer in time", False)
    server.close()
    monkeypatch.setattr(webhook, "PATIENCE", PATIENCE)
    error = await refused(calling, f"http://127.0.0.1:{port}/")
    assert (error.words, error.final) == ("it could not be reached", False)


def test_without_a_secret_one_is_made_and_kept(tmp_path: Path) -> None:
    made = instance.webhook_secret(Settings(home=tmp_path))
    assert made == instance.webhook_secret(Settings(home=tmp_path))
    assert made != instance.secret_key(Settings(home=tmp_path))
    Webhook(made)
    assert (tmp_path / "webhook-secret").stat().st_mode & 0o077 == 0


async def test_where_no_secret_can_be_kept_it_is_said_what_to_set(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    error = await refused(Webhooks(Settings(home=tmp_path / "file")), "https://hooks.example/x")
    assert "set TANDEM_WEBHOOK_SECRET" in error.words
    assert not error.final


@pytest.mark.parametrize(
    "secret", ["plain", "whsec_", "whsec_c2hvcnQ=", "whsec_ä", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"]
)
def test_a_secret_of_another_form_is_refused(secret: str) -> None:
    with pytest.raises(CannotStart, match="TANDEM_WEBHOOK_SECRET cannot be used"):
        load(webhook_secret=secret)
