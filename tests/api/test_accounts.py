"""Accounts: the companies that are sold to."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import httpx

from api.app import create_app
from domain.playbook import Playbook
from runtime.settings import Settings
from tests.stack import ClientFor, People, calling, serving

ACCOUNTS = "/api/v1/accounts"


async def make(rep: httpx.AsyncClient, **fields: Any) -> dict[str, Any]:
    answer = await rep.post(ACCOUNTS, json={"name": "Acme", **fields})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def test_anonymous_is_asked_to_sign_in(client: httpx.AsyncClient) -> None:
    for answer in (
        await client.get(ACCOUNTS),
        await client.post(ACCOUNTS, json={"name": "Acme"}),
        await client.get(f"{ACCOUNTS}/{uuid4()}"),
        await client.patch(f"{ACCOUNTS}/{uuid4()}", json={}),
    ):
        assert answer.status_code == 401


async def test_a_partner_does_not_see_accounts_of_deals_that_it_has_no_part_in(as_: ClientFor) -> None:
    account = await make(await as_("rep@vendor.example"), name="Hidden from partners")
    seller = await as_("seller@aster.example")
    assert (await seller.get(f"{ACCOUNTS}/{account['id']}")).status_code == 404
    assert (await seller.get(ACCOUNTS, params={"q": "Hidden"})).json()["items"] == []
    assert (await seller.patch(f"{ACCOUNTS}/{account['id']}", json={"name": "Mine"})).status_code == 403
    assert (await seller.post(ACCOUNTS, json={"name": "Mine"})).status_code == 403


async def test_a_rep_adds_reads_and_changes_an_account(as_: ClientFor) -> None:
    rep = await as_("rep@vendor.example")
    answer = await rep.post(
        ACCOUNTS,
        json={
            "name": "  Bücher & Söhne 📚 ",
            "domain": "Bücher.example",
            "country": "DE",
            "industry": "retail",
            "custom": {"employees": 1200, "key_account": True, "note": "<b>שלום</b>"},
        },
    )
    account = answer.json()
    assert answer.status_code == 201
    assert answer.headers["etag"] == '"1"'
    assert answer.headers["location"] == f"{ACCOUNTS}/{account['id']}"
    assert account["name"] == "Bücher & Söhne 📚"
    assert account["domain"] == "xn--bcher-kva.example"
    assert account["custom"] == {"employees": 1200, "key_account": True, "note": "<b>שלום</b>"}

    changed = await rep.patch(answer.headers["location"], json={"industry": None, "country": "AT"})
    assert changed.json() == {
        **account,
        "industry": None,
        "country": "AT",
        "version": 2,
        "updated_at": changed.json()["updated_at"],
    }
    assert (await rep.get(answer.headers["location"])).json() == changed.json()


async def test_a_change_that_changes_nothing_is_no_new_version(as_: ClientFor) -> None:
    rep = await as_("rep@vendor.example")
    account = await make(rep, country="US")
    answer = await rep.patch(f"{ACCOUNTS}/{account['id']}", json={"country": "US"})
    assert answer.json() == account


async def test_who_read_an_older_version_overwrites_nothing(as_: ClientFor) -> None:
    rep = await as_("rep@vendor.example")
    address = f"{ACCOUNTS}/{(await make(rep))['id']}"
    assert (await rep.patch(address, json={"industry": "a"}, headers={"If-Match": '"1"'})).status_code == 200
    stale = await rep.patch(address, json={"industry": "b"}, headers={"If-Match": '"1"'})
    assert stale.status_code == 412
    assert stale.json()["code"] == "stale_version"
    assert stale.json()["version"] == 2
    for header in ('W/"2"', '"1", "2"', "*"):
        answer = await rep.patch(address, json={"industry": header}, headers={"If-Match": header})
        assert answer.status_code in {200, 412}
    assert (await rep.get(address)).json()["industry"] == "*"
    unquoted = await rep.patch(address, json={"industry": "c"}, headers={"If-Match": "2"})
    assert unquoted.status_code == 422


async def test_what_is_known_is_not_sent_again(as_: ClientFor) -> None:
    rep = await as_("rep@vendor.example")
    address = f"{ACCOUNTS}/{(await make(rep))['id']}"
    known = await rep.get(address, headers={"If-None-Match": '"1"'})
    assert known.status_code == 304
    assert known.content == b""
    assert (await rep.get(address, headers={"If-None-Match": '"9"'})).status_code == 200


async def test_the_same_record_of_another_system_is_there_once(as_: ClientFor) -> None:
    rep = await as_("rep@vendor.example")
    external = {"source": "crm", "id": str(uuid4())}
    account = await make(rep, external=external)
    assert account["external"] == external
    again = await rep.post(ACCOUNTS, json={"name": "Acme", "external": external})
    assert again.status_code == 409
    assert again.json()["code"] == "already_exists"
    other = await make(rep)
    moved = await rep.patch(f"{ACCOUNTS}/{other['id']}", json={"external": external})
    assert moved.status_code == 409
    cleared = await rep.patch(f"{ACCOUNTS}/{account['id']}", json={"external": None})
    assert cleared.json()["external"] is None


async def test_pages_show_each_account_once_and_in_order(as_: ClientFor) -> None:
    rep = await as_("rep@vendor.example")
    mark = uuid4().hex[:8]
    names = [f"Paged {mark} {letter}" for letter in "CAEBD"]
    for name in names:
        await make(rep, name=name)
    for sort, expected in (
        ("name", sorted(names)),
        ("-name", sorted(names, reverse=True)),
        ("created_at", names),
        ("-created_at", names[::-1]),
    ):
        seen: list[str] = []
        answer = await rep.get(ACCOUNTS, params={"q": mark, "limit": 2, "sort": sort})
        seen += [item["name"] for item in answer.json()["items"]]
        while "next" in answer.links:
            assert answer.json()["next_cursor"]
            answer = await rep.get(answer.links["next"]["url"])
            seen += [item["name"] for item in answer.json()["items"]]
        assert answer.json()["next_cursor"] is None
        assert seen == expected


async def test_an_edited_cursor_or_one_of_another_list_is_refused(as_: ClientFor) -> None:
    rep = await as_("rep@vendor.example")
    for _ in range(2):
        await make(rep)
    cursor = (await rep.get(ACCOUNTS, params={"limit": 1})).json()["next_cursor"]
    edited = cursor[:-3] + ("AAA" if not cursor.endswith("AAA") else "BBB")
    for path, wrong in (
        (ACCOUNTS, edited),
        (ACCOUNTS, cursor[:10]),
        (ACCOUNTS, "é"),
        (ACCOUNTS, ""),
        ("/api/v1/users", cursor),
        (f"{ACCOUNTS}?sort=-name", cursor),
    ):
        answer = await rep.get(path, params={"cursor": wrong} if "?" not in path else None)
        if "?" in path:
            answer = await rep.get(f"{path}&cursor={wrong}")
        assert answer.status_code == 422, (path, wrong)
        assert answer.json()["code"] == "invalid_cursor"
        assert "without a cursor" in answer.json()["detail"]


async def test_a_limit_is_between_1_and_200(as_: ClientFor) -> None:
    rep = await as_("rep@vendor.example")
    for limit in ("0", "201", "-1", "many"):
        answer = await rep.get(ACCOUNTS, params={"limit": limit})
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["pointer"] == "/limit"


async def test_a_partner_does_not_see_what_the_vendor_notes_for_itself(
    as_: ClientFor, people: People, playbook: Playbook, worker: None
) -> None:
    rep, seller = await as_("rep@vendor.example"), await as_("seller@aster.example")
    noted = {"custom": {"segment": "strategic"}, "external": {"source": "crm", "id": str(uuid4())}}
    account = await make(rep, name=f"Known {uuid4().hex}", **noted)
    partners = [{"partner_id": str(people.aster.id), "role": "reseller"}]
    body = {"title": "Shared", "customer": {"name": account["name"]}, "playbook": playbook.key}
    deal = await rep.post("/api/v1/opportunities", json={**body, "partners": partners})
    assert deal.json()["account_id"] == account["id"]
    (listed,) = (await seller.get(ACCOUNTS, params={"q": account["name"]})).json()["items"]
    read = (await seller.get(f"{ACCOUNTS}/{account['id']}")).json()
    for seen in (listed, read):
        assert (seen["name"], seen["custom"], seen["external"]) == (account["name"], {}, None)
    ours = (await rep.get(f"{ACCOUNTS}/{account['id']}")).json()
    assert (ours["custom"], ours["external"]) == (noted["custom"], noted["external"])


async def test_a_partner_does_not_learn_whom_the_vendor_knows_by_opening_a_deal(
    as_: ClientFor, people: People, playbook: Playbook, worker: None
) -> None:
    rep, seller = await as_("rep@vendor.example"), await as_("seller@aster.example")
    known = await make(rep, name=f"Known {uuid4().hex}", domain=f"{uuid4().hex}.example")
    body = {"title": "Guessed", "customer": {"name": known["name"], "domain": known["domain"]}}
    deal = (await seller.post("/api/v1/opportunities", json={**body, "playbook": playbook.key})).json()
    assert deal["account_id"] != known["id"]
    assert (await seller.get(f"{ACCOUNTS}/{known['id']}")).status_code == 404
    again = (await seller.post("/api/v1/opportunities", json={**body, "playbook": playbook.key})).json()
    assert again["account_id"] == deal["account_id"]


async def test_a_deal_that_is_not_opened_leaves_no_account_behind(
    settings: Settings, people: People, playbook: Playbook, as_: ClientFor, worker: None
) -> None:
    rep = await people.of("rep@vendor.example")
    name = f"Customer {uuid4()}"
    body = {"title": "All or nothing", "customer": {"name": name, "country": "US"}, "playbook": playbook.key}
    away = settings.model_copy(update={"temporal_address": "127.0.0.1:1"})
    async with (
        serving(create_app(away)) as address,
        calling(address, headers=rep.headers) as client,
    ):
        refused = await client.post("/api/v1/opportunities", json=body)
        assert refused.status_code == 503
        assert (await client.get(ACCOUNTS, params={"q": name})).json()["items"] == []
    here = await as_("rep@vendor.example")
    first = await here.post("/api/v1/opportunities", json=body)
    assert first.status_code == 201
    second = await here.post("/api/v1/opportunities", json={**body, "title": "Another"})
    (account,) = (await here.get(ACCOUNTS, params={"q": name})).json()["items"]
    assert (account["name"], account["country"], account["version"]) == (name, "US", 1)
    assert account["id"] == first.json()["account_id"] == second.json()["account_id"]
