"""What surrounds every request."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import httpx
import pytest
from limits import parse

from api import limits, sessions
from api.app import create_app
from domain.errors import Unavailable
from runtime.settings import Settings
from tests.stack import ClientFor, People, calling, serving


async def test_anonymous_sees_health_and_metrics(client: httpx.AsyncClient) -> None:
    assert (await client.get("/healthz")).json() == {"status": "ok"}
    assert (await client.get("/readyz")).json() == {"status": "ok"}
    metrics = await client.get("/metrics")
    assert 'tandem_http_requests_total{method="GET",route="/healthz",status="200"}' in metrics.text


async def test_metrics_name_no_ids_so_nobody_sees_another_organisation(
    as_: ClientFor, client: httpx.AsyncClient
) -> None:
    account = "/api/v1/accounts/0198c5a2-7e53-7cc1-9d4e-5f0c5b1f2a10"
    await (await as_("rep@vendor.example")).get(account)
    assert "0198c5a2" not in (await client.get("/metrics")).text


@pytest.mark.parametrize("sent", ["abc-123", None, "x" * 500, "with space", "<script>"])
async def test_every_answer_has_a_request_id(client: httpx.AsyncClient, sent: str | None) -> None:
    answer = await client.get("/healthz", headers={"X-Request-Id": sent} if sent else {})
    given = answer.headers["x-request-id"]
    assert (given == sent) == (sent == "abc-123")
    assert re.fullmatch(r"[A-Za-z0-9._:-]{1,128}", given)


async def test_every_answer_has_security_headers(client: httpx.AsyncClient) -> None:
    for path in ("/healthz", "/api/v1/me", "/nothing"):
        headers = (await client.get(path)).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"
        assert "server" not in headers or headers["server"] == "uvicorn"


async def test_who_is_too_fast_is_told_when_to_go_on(settings: Settings) -> None:
    app = create_app(settings.model_copy(update={"rate_limit": "3/minute"}))
    async with serving(app) as address, calling(address) as nobody:
        for remaining in ("2", "1", "0"):
            answer = await nobody.get("/api/v1/me")
            assert answer.status_code == 401
            assert answer.headers["ratelimit-limit"] == "3"
            assert answer.headers["ratelimit-remaining"] == remaining
        refused = await nobody.get("/api/v1/me")
        assert refused.status_code == 429
        assert refused.json()["code"] == "too_many_requests"
        assert 0 < int(refused.headers["retry-after"]) <= 60
        assert (await nobody.get("/healthz")).status_code == 200


async def test_ever_new_wrong_keys_from_one_address_are_too_many(
    settings: Settings, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "REFUSED_LIMIT", parse("3/minute"))
    rep, seller = await people.of("rep@vendor.example"), await people.of("seller@aster.example")
    wrong = [
        {"Authorization": "Bearer tdm_made_up"},
        {"Authorization": "Basic Zm9vOmJhcg=="},
        {"Cookie": f"theme=dark; {sessions.COOKIE}=made-up"},
    ]
    async with serving(create_app(settings)) as address, calling(address) as anyone:
        assert (await anyone.get("/api/v1/me", headers=rep.headers)).status_code == 200
        for headers in wrong:
            assert (await anyone.get("/api/v1/me", headers=headers)).status_code == 401
        refused = await anyone.get("/api/v1/me", headers={"Authorization": "Bearer tdm_another"})
        assert (refused.status_code, refused.json()["code"]) == (429, "too_many_requests")
        assert 0 < int(refused.headers["retry-after"]) <= 60
        assert (await anyone.get("/api/v1/me", headers=rep.headers)).status_code == 200, "was let in before"
        assert (await anyone.get("/api/v1/me", headers=seller.headers)).status_code == 429
        for without in ({}, {"Cookie": "theme=dark"}):
            assert (await anyone.get("/sign-in", headers=without)).status_code == 200


async def test_pages_count_wrong_sessions_too(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "REFUSED_LIMIT", parse("1/minute"))
    headers = {"Accept": "text/html", "Cookie": f"{sessions.COOKIE}=made-up"}
    async with serving(create_app(settings)) as address, calling(address) as anyone:
        assert (await anyone.get("/pipeline", headers=headers)).status_code == 303
        refused = await anyone.get("/pipeline", headers=headers)
        assert refused.status_code == 429
        assert "Too many wrong keys or sessions" in refused.text


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("192.0.2.7", "address:192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "address:2001:db8:1:2::/64"),
        ("fe80::1%eth0", "address:fe80::/64"),
        (":strange", "address::strange"),
    ],
)
def test_an_address_of_ipv6_stands_for_its_network(host: str, address: str) -> None:
    assert limits._address({"client": (host, 1)}) == address


async def test_without_its_database_the_api_says_so_and_lives(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, database_url=f"postgresql://nobody@/none?host={tmp_path}")
    async with serving(create_app(settings)) as address, calling(address) as nobody:
        assert (await nobody.get("/healthz")).status_code == 200
        for path in ("/readyz", "/api/v1/me"):
            answer = await nobody.get(path, headers={"Authorization": "Bearer tdm_any"})
            assert answer.status_code == 503
            assert answer.json()["code"] == Unavailable.code
            assert answer.headers["retry-after"]


async def test_without_temporal_reading_goes_on(settings: Settings, as_: ClientFor) -> None:
    away = settings.model_copy(update={"temporal_address": "127.0.0.1:9"})
    rep = await as_("rep@vendor.example")
    async with serving(create_app(away)) as address:
        accounts = await rep.get(f"{address}/api/v1/accounts")
        ready = await rep.get(f"{address}/readyz")
    assert accounts.status_code == 200
    assert ready.status_code == 503
    assert "workflow engine" in ready.json()["detail"]


@pytest.mark.parametrize("path", ["accounts", "opportunities", "me", "events/stream"])
async def test_a_parameter_that_is_not_known_is_refused_by_name(
    client: httpx.AsyncClient, as_: ClientFor, path: str
) -> None:
    rep = await as_("rep@vendor.example")
    answer = await rep.get(f"/api/v1/{path}", params={"limt": 5})
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert error["pointer"] == "/limt"
    assert error["detail"].startswith("There is no parameter “limt” here; ")
    assert (await client.get(f"/api/v1/{path}", params={"limt": 5})).status_code == 401


async def test_parameters_are_those_of_the_route_and_all_that_it_depends_on(as_: ClientFor) -> None:
    rep = await as_("rep@vendor.example")
    known = {"limit": "5", "q": "", "sort": "name"}
    assert (await rep.get("/api/v1/accounts", params=known)).status_code == 200
    more = {"a/b": "1", "x" * 500: "2"}
    answer = await rep.post("/api/v1/accounts", params=more, json={"name": "Acme"})
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == ["/a~1b", f"/{'x' * 60}…"]
    assert "it takes none" in answer.text


async def test_a_bug_is_answered_without_details_and_with_its_request_id(settings: Settings) -> None:
    app = create_app(settings)

    @app.get("/api/v1/bug")
    async def bug() -> None:
        raise RuntimeError("the secret inside")

    async with serving(app) as address, calling(address) as nobody:
        answer = await nobody.get("/api/v1/bug", headers={"X-Request-Id": "find-me"})
        page = await nobody.get("/nothing", headers={"Accept": "text/html"})
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["x-request-id"] == answer.json()["request_id"] == "find-me"
    assert "secret" not in answer.text
    assert page.status_code == 404
    assert page.headers["content-type"].startswith("text/html")
    assert "script-src 'self'" in page.headers["content-security-policy"]


async def test_behind_tls_browsers_are_told_to_stay_there(client: httpx.AsyncClient) -> None:
    secure = await client.get("/healthz", headers={"X-Forwarded-Proto": "https"})
    assert "max-age" in secure.headers["strict-transport-security"]
    assert "strict-transport-security" not in (await client.get("/healthz")).headers


async def test_a_client_that_hangs_up_while_sending_harms_nothing(client: httpx.AsyncClient) -> None:
    host, port = client.base_url.host, client.base_url.port
    _, writer = await asyncio.open_connection(host, port)
    writer.write(b"POST /api/v1/accounts HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
    await writer.drain()
    writer.close()
    await writer.wait_closed()
    assert (await client.get("/healthz")).status_code == 200


async def test_head_is_get_without_its_body(client: httpx.AsyncClient, as_: ClientFor) -> None:
    rep = await as_("rep@vendor.example")
    for who, path in ((client, "/healthz"), (client, "/sign-in"), (rep, "/api/v1/accounts")):
        got, head = await who.get(path), await who.head(path)
        assert (head.status_code, head.content) == (200, b"")
        assert head.headers["content-type"] == got.headers["content-type"]
    assert (await client.head("/api/v1/me")).status_code == 401
    assert (await rep.head("/api/v1/events/stream")).status_code == 405
