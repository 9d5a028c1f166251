"""The pages of the catalogue and of exchange rates, as a browser without scripts uses them."""

from __future__ import annotations

from uuid import uuid4

import httpx
import pytest

from tests.stack import ClientFor

PAGE = "/products"
RATES = "/exchange-rates"


def form(**typed: str) -> dict[str, str]:
    return {"_key": uuid4().hex, **typed}


def a_product(**typed: str) -> dict[str, str]:
    known = {
        "name": "Page suite",
        "sku": f"PAGE-{uuid4()}",
        "amount": "6,000",
        "currency": "USD",
        "active": "yes",
    }
    return form(**{**known, **typed})


async def test_a_stranger_is_sent_to_sign_in(client: httpx.AsyncClient) -> None:
    for path in (PAGE, f"{PAGE}/new", f"{PAGE}/{uuid4()}/edit", RATES):
        answer = await client.get(path, headers={"Accept": "text/html"})
        assert answer.status_code == 303
        assert answer.headers["location"].startswith("/sign-in")


async def test_an_administrator_keeps_the_catalogue(as_: ClientFor) -> None:
    admin = await as_("admin@vendor.example")
    typed = a_product(cost="4,321.09", product_line="Suites of pages")
    made = await admin.post(f"{PAGE}/new", data=typed)
    assert (made.status_code, made.headers["location"]) == (303, PAGE)
    assert (await admin.post(f"{PAGE}/new", data=typed)).status_code == 303, "sent twice, it is one product"
    [product] = (await admin.get("/api/v1/products", params={"q": typed["sku"]})).json()["items"]
    assert (product["list_price"]["amount"], product["cost"]["amount"]) == ("6000.00", "4321.09")

    edit = f"{PAGE}/{product['id']}/edit"
    shown = (await admin.get(edit)).text
    assert 'value="4321.09"' in shown
    changes = {**typed, **form(amount="6500", cost="", name="Page suite 2", _version="1")}
    del changes["active"]
    assert (await admin.post(edit, data=changes)).status_code == 303
    stale = await admin.post(edit, data={**changes, **form(name="Late")})
    assert stale.status_code == 412
    assert "read it again" in stale.text
    listed = await admin.get(PAGE, params={"q": typed["sku"], "product_line": "Suites of pages"})
    assert "Page suite 2" in listed.text
    assert "Not sold any more" in listed.text
    assert "$6,500" in listed.text


async def test_what_is_not_right_is_said_beside_its_field(as_: ClientFor) -> None:
    admin = await as_("admin@vendor.example")
    answer = await admin.post(f"{PAGE}/new", data=a_product(amount="cheap", sku="", cost="-1"))
    assert answer.status_code == 422
    for name in ("amount", "sku", "cost"):
        assert f'id="{name}-wrong"' in answer.text
    assert 'value="cheap"' in answer.text
    taken = a_product()
    await admin.post(f"{PAGE}/new", data=taken)
    again = await admin.post(f"{PAGE}/new", data={**taken, **form(name="Another")})
    assert again.status_code == 409
    assert "A product with this SKU is there already." in again.text


@pytest.mark.parametrize("email", ["rep@vendor.example", "seller@aster.example"])
async def test_others_look_and_do_not_touch(as_: ClientFor, email: str) -> None:
    admin, somebody = await as_("admin@vendor.example"), await as_(email)
    typed = a_product(cost="4321.09")
    await admin.post(f"{PAGE}/new", data=typed)
    seen = (await somebody.get(PAGE, params={"q": typed["sku"]})).text
    assert typed["sku"] in seen
    assert ("4,321" in seen) == email.endswith("@vendor.example")
    assert "/edit" not in seen
    assert "Set the rates" not in (await somebody.get(RATES)).text
    for answer in (
        await somebody.get(f"{PAGE}/new"),
        await somebody.post(f"{PAGE}/new", data=a_product()),
        await somebody.post(RATES, data=form(base="USD", rates="EUR 0.9")),
    ):
        assert answer.status_code == 403


async def test_a_long_catalogue_goes_on(as_: ClientFor) -> None:
    admin = await as_("admin@vendor.example")
    mark = f"Pages {uuid4()}"
    for number in range(51):
        body = {
            "sku": f"{mark} {number}",
            "name": f"{mark} {number:02}",
            "list_price": {"amount": "1", "currency": "USD"},
        }
        await admin.post("/api/v1/products", json=body)
    first = await admin.get(PAGE, params={"q": mark})
    assert 'rel="next"' in first.text
    assert f"{mark} 49" in first.text
    assert f"{mark} 50" not in first.text.replace(f"q={mark} 50", "")
    assert "No product found" in (await admin.get(PAGE, params={"q": f"{mark} none"})).text


async def test_an_administrator_sets_rates(as_: ClientFor) -> None:
    admin, seller = await as_("admin@vendor.example"), await as_("seller@aster.example")
    version = (await admin.get("/api/v1/exchange-rates")).json()["version"]
    typed = form(base="USD", as_of="2027-01-11", rates="eur 0.92\n\n JPY: 149.5 ", _version=str(version))
    assert (await admin.post(RATES, data=typed)).status_code == 303
    kept = (await admin.get("/api/v1/exchange-rates")).json()
    assert (kept["base"], kept["rates"]) == ("USD", {"EUR": "0.92", "JPY": "149.5"})
    assert "149.5" in (await seller.get(RATES)).text
    stale = await admin.post(RATES, data={**typed, "_key": uuid4().hex, "rates": "EUR 1"})
    assert stale.status_code == 412


@pytest.mark.parametrize(
    ("rates", "sentence"),
    [
        ("", "This needs at least 1 item."),
        ("EUR", "Line 1 is no rate such as “EUR 0.92”."),
        ("EUR 0.9\neur 0.8", "Line 2 names a currency twice."),
        ("EUR 0", "EUR: This must be more than 0."),
        ("XXX 1", "This is no currency; send an ISO 4217 code such as USD or EUR."),
        ("USD 1", "One USD is worth one USD: leave it out."),
    ],
)
async def test_what_is_no_rate_is_said(as_: ClientFor, rates: str, sentence: str) -> None:
    admin = await as_("admin@vendor.example")
    answer = await admin.post(RATES, data=form(base="USD", rates=rates))
    assert answer.status_code == 422
    assert sentence in answer.text
