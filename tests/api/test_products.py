"""Products and exchange rates over HTTP: who may look, who may change, and what partners never learn."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.factories import COSTS
from tests.stack import ClientFor

PRODUCTS = "/api/v1/products"
RATES = "/api/v1/exchange-rates"


def a_product(**fields: Any) -> dict[str, Any]:
    return {
        "sku": f"ERP-{uuid4()}",
        "name": "ERP suite",
        "product_line": "ERP",
        "list_price": {"amount": "6000", "currency": "USD"},
        "cost": {"amount": "4321.09", "currency": "USD"},
        **fields,
    }


async def make(admin: httpx.AsyncClient, **fields: Any) -> dict[str, Any]:
    answer = await admin.post(PRODUCTS, json=a_product(**fields))
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def test_anonymous_is_asked_to_sign_in(client: httpx.AsyncClient) -> None:
    for answer in (
        await client.get(PRODUCTS),
        await client.post(PRODUCTS, json=a_product()),
        await client.get(f"{PRODUCTS}/{uuid4()}"),
        await client.patch(f"{PRODUCTS}/{uuid4()}", json={}),
        await client.get(RATES),
        await client.put(RATES, json={"base": "EUR", "rates": {"USD": "1.08"}}),
    ):
        assert answer.status_code == 401


async def test_an_administrator_adds_and_changes_a_product(as_: ClientFor) -> None:
    admin = await as_("admin@vendor.example")
    body = a_product(external={"source": "erp", "id": str(uuid4())})
    answer = await admin.post(PRODUCTS, json=body)
    product = answer.json()
    assert (answer.status_code, answer.headers["etag"]) == (201, '"1"')
    assert answer.headers["location"] == f"{PRODUCTS}/{product['id']}"
    assert product["list_price"] == {"amount": "6000.00", "currency": "USD"}
    assert product["external"] == body["external"]
    address = answer.headers["location"]
    changed = await admin.patch(
        address,
        json={"list_price": {"amount": "6500", "currency": "USD"}, "cost": None, "active": False},
        headers={"If-Match": '"1"'},
    )
    assert (changed.status_code, changed.headers["etag"]) == (200, '"2"')
    assert (changed.json()["list_price"]["amount"], changed.json()["cost"]) == ("6500.00", None)
    stale = await admin.patch(address, json={"name": "Late"}, headers={"If-Match": '"1"'})
    assert stale.status_code == 412
    assert (await admin.get(address)).json() == changed.json()


async def test_the_same_request_twice_is_one_product(as_: ClientFor) -> None:
    admin = await as_("admin@vendor.example")
    body, key = a_product(), {"Idempotency-Key": str(uuid4())}
    first = await admin.post(PRODUCTS, json=body, headers=key)
    again = await admin.post(PRODUCTS, json=body, headers=key)
    assert first.json() == again.json()


async def test_a_sku_is_there_once_in_whatever_case(as_: ClientFor) -> None:
    admin = await as_("admin@vendor.example")
    product = await make(admin)
    answer = await admin.post(PRODUCTS, json=a_product(sku=product["sku"].lower()))
    assert (answer.status_code, answer.json()["code"]) == (409, "already_exists")
    other = await make(admin)
    taken = await admin.patch(f"{PRODUCTS}/{other['id']}", json={"sku": product["sku"].upper()})
    assert taken.status_code == 409


@pytest.mark.parametrize(
    "email", ["rep@vendor.example", "desk@vendor.example", "director@vendor.example", "seller@aster.example"]
)
async def test_only_administrators_change_products_and_rates(as_: ClientFor, email: str) -> None:
    somebody, admin = await as_(email), await as_("admin@vendor.example")
    product = await make(admin)
    for answer in (
        await somebody.post(PRODUCTS, json=a_product()),
        await somebody.patch(f"{PRODUCTS}/{product['id']}", json={"name": "Mine"}),
        await somebody.put(RATES, json={"base": "EUR", "rates": {"USD": "1.08"}}),
    ):
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    assert (await somebody.get(f"{PRODUCTS}/{product['id']}")).status_code == 200


async def test_a_partner_never_learns_what_a_product_costs(as_: ClientFor) -> None:
    admin, seller = await as_("admin@vendor.example"), await as_("seller@aster.example")
    product = await make(admin, external={"source": "erp", "id": str(uuid4())})
    one = await seller.get(f"{PRODUCTS}/{product['id']}")
    several = await seller.get(PRODUCTS, params={"q": product["sku"]})
    for answer in (one, several):
        assert not COSTS.search(answer.text)
        assert "erp" not in answer.text.replace(product["sku"], "")
    assert one.json()["cost"] is None
    assert one.json()["list_price"]["amount"] == "6000.00"
    rep = await as_("rep@vendor.example")
    assert (await rep.get(f"{PRODUCTS}/{product['id']}")).json()["cost"]["amount"] == "4321.09"


async def test_a_partner_sees_what_is_sold(as_: ClientFor) -> None:
    admin, seller = await as_("admin@vendor.example"), await as_("seller@aster.example")
    product = await make(admin, active=False)
    assert (await seller.get(f"{PRODUCTS}/{product['id']}")).status_code == 404
    assert (await seller.get(PRODUCTS, params={"q": product["sku"]})).json()["items"] == []
    assert (await admin.get(PRODUCTS, params={"q": product["sku"]})).json()["items"] == [product]


async def test_products_are_found_by_name_sku_line_and_page(as_: ClientFor) -> None:
    admin = await as_("admin@vendor.example")
    mark = f"line {uuid4()}"
    made = [
        await make(admin, name=f"{name} {mark}", product_line=mark) for name in ("Beta", "Alpha", "Gamma")
    ]
    await admin.patch(f"{PRODUCTS}/{made[2]['id']}", json={"active": False})

    async def names(**params: Any) -> list[str]:
        items = (await admin.get(PRODUCTS, params=params)).json()["items"]
        return [item["name"].split()[0] for item in items]

    assert await names(q=mark.upper()) == ["Alpha", "Beta", "Gamma"]
    assert await names(product_line=mark, sort="-name") == ["Gamma", "Beta", "Alpha"]
    assert await names(product_line=mark, active=True, sort="created_at") == ["Beta", "Alpha"]
    assert await names(q=made[1]["sku"]) == ["Alpha"]
    assert await names(q="100%_") == []
    first = (await admin.get(PRODUCTS, params={"product_line": mark, "limit": 2})).json()
    rest = await admin.get(
        PRODUCTS, params={"product_line": mark, "limit": 2, "cursor": first["next_cursor"]}
    )
    assert [item["name"].split()[0] for item in first["items"] + rest.json()["items"]] == [
        "Alpha",
        "Beta",
        "Gamma",
    ]


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"sku": " "}, "/sku"),
        ({"name": ""}, "/name"),
        ({"list_price": {"amount": "-1", "currency": "USD"}}, "/list_price/amount"),
        ({"list_price": {"amount": "1e3", "currency": "USD"}}, "/list_price/amount"),
        ({"list_price": {"amount": "5", "currency": "ABC"}}, "/list_price/currency"),
        ({"list_price": None}, "/list_price"),
        ({"cost": {"amount": "5", "currency": "EUR"}}, "/cost"),
        ({"colour": "red"}, "/colour"),
    ],
)
async def test_what_is_no_product_is_refused_where_it_is_wrong(
    as_: ClientFor, fields: dict[str, Any], pointer: str
) -> None:
    admin = await as_("admin@vendor.example")
    answer = await admin.post(PRODUCTS, json=a_product(**fields))
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == pointer


async def test_price_and_cost_change_their_currency_together(as_: ClientFor) -> None:
    admin = await as_("admin@vendor.example")
    address = f"{PRODUCTS}/{(await make(admin))['id']}"
    euros = {"amount": "5", "currency": "EUR"}
    assert (await admin.patch(address, json={"list_price": euros})).status_code == 422
    assert (await admin.patch(address, json={"cost": euros})).status_code == 422
    both = await admin.patch(address, json={"list_price": euros, "cost": euros})
    assert both.json()["cost"] == {"amount": "5.00", "currency": "EUR"}


async def test_rates_are_set_as_a_whole_and_read_by_everybody(as_: ClientFor) -> None:
    admin, seller = await as_("admin@vendor.example"), await as_("seller@aster.example")
    body = {"base": "EUR", "as_of": "2027-01-11", "rates": {"USD": "1.0825", "JPY": "160.50"}}
    answer = await admin.put(RATES, json=body)
    assert answer.status_code == 200, answer.text
    version = answer.json()["version"]
    assert answer.headers["etag"] == f'"{version}"'
    assert answer.json()["rates"] == {"JPY": "160.5", "USD": "1.0825"}
    assert (await seller.get(RATES)).json() == answer.json()
    assert (await admin.put(RATES, json=body)).json()["version"] == version
    fewer = {"base": "EUR", "rates": {"USD": "1.09"}}
    changed = await admin.put(RATES, json=fewer, headers={"If-Match": answer.headers["etag"]})
    assert (changed.json()["version"], changed.json()["rates"]) == (version + 1, {"USD": "1.09"})
    stale = await admin.put(RATES, json=body, headers={"If-Match": answer.headers["etag"]})
    assert (stale.status_code, stale.json()["code"]) == (412, "stale_version")


@pytest.mark.parametrize(
    "body",
    [
        {"base": "EUR", "rates": {}},
        {"base": "EUR", "rates": {"EUR": "1"}},
        {"base": "ABC", "rates": {"USD": "1"}},
        {"base": "EUR", "rates": {"ABC": "1"}},
        {"base": "EUR", "rates": {"USD": "0"}},
        {"base": "EUR", "rates": {"USD": "-1"}},
        {"base": "EUR", "rates": {"USD": "1,08"}},
        {"base": "EUR", "rates": {"USD": None}},
        {"base": "EUR", "rates": {"USD": "1"}, "as_of": "yesterday"},
    ],
    ids=str,
)
async def test_what_is_no_rate_is_refused(as_: ClientFor, body: dict[str, Any]) -> None:
    answer = await (await as_("admin@vendor.example")).put(RATES, json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_input")
