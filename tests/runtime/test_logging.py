"""What logs keep of addresses: enough to find the cause, nothing that somebody could use."""

from __future__ import annotations

import logging
from uuid import uuid4

import pytest
from fastapi import FastAPI, Request
from pydantic import SecretStr
from structlog.testing import capture_logs

from api import problems
from runtime import logging as ours
from runtime import tokens
from runtime.links import Links
from runtime.settings import Settings

SECRETS = (
    Links(Settings(secret_key=SecretStr("k" * 32))).token(uuid4()),
    tokens.new_feed_token(),
    tokens.new_api_key(),
)


@pytest.mark.parametrize("secret", SECRETS, ids=["decision link", "calendar feed", "API key"])
def test_a_secret_in_an_address_is_not_kept(secret: str) -> None:
    an_id = uuid4()
    assert ours.without_secrets(f"/decide/{secret}/x?page={an_id}") == f"/decide/…/x?page={an_id}"
    assert secret not in ours.without_secrets(f"/somewhere?token={secret}&limit=1")
    assert ours.without_secrets(f"/api/v1/opportunities/{an_id}/discounts").endswith(f"{an_id}/discounts")


def test_a_bug_is_logged_without_the_secret_of_the_address() -> None:
    scope = {
        "type": "http",
        "method": "GET",
        "path": f"/decide/{SECRETS[0]}",
        "query_string": b"",
        "headers": [],
        "server": ("tandem.example", 80),
        "app": FastAPI(),
    }
    with capture_logs() as written:
        answer = problems.unexpected(Request(scope), ValueError("a bug"))
    assert answer.status_code == 500
    [line] = written
    assert line["path"] == "/decide/…"
    assert SECRETS[0] not in str(line)


def test_the_lines_of_each_request_are_without_them_too(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    ours.configure(settings, "tests")
    access = logging.getLogger("uvicorn.access")
    try:
        access.addHandler(caplog.handler)
        access.warning('%s - "%s %s HTTP/%s" %d', "127.0.0.1:1", "GET", f"/decide/{SECRETS[0]}", "1.1", 500)
    finally:
        access.removeHandler(caplog.handler)
    assert [record.getMessage() for record in caplog.records] == [
        '127.0.0.1:1 - "GET /decide/… HTTP/1.1" 500'
    ]
