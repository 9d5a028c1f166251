"""The lines of an opportunity over HTTP: what both sides sell, and what only the vendor knows of it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
import pytest_asyncio

from db import playbooks, policies
from db.session import Database
from domain.discount.policy import DiscountPolicyDefinition
from domain.playbook import Playbook, PlaybookDefinition
from tests.factories import COSTS, a_playbook
from tests.stack import ClientFor, People

pytestmark = pytest.mark.usefixtures("worker")

SECRET = "4321.09"
"""What the product of these tests costs: digits that stand for nothing else."""


def a_product(**fields: Any) -> dict[str, Any]:
    return {
        "sku": f"ERP-{uuid4()}",
        "name": "ERP suite",
        "product_line": "ERP",
        "list_price": {"amount": "6000", "currency": "USD"},
        "cost": {"amount": SECRET, "currency": "USD"},
        **fields,
    }


@dataclass
class Desk:
    """A deal and a product to put into it, with the people around them."""

    rep: httpx.AsyncClient
    seller: httpx.AsyncClient
    finance: httpx.AsyncClient
    admin: httpx.AsyncClient
    at: str
    product: dict[str, Any]

    async def add(self, who: httpx.AsyncClient | None = None, **body: Any) -> httpx.Response:
        wanted = {"product_id": self.product["id"], "quantity": 10, **body}
        return await (who or self.rep).post(f"{self.at}/lines", json=wanted)

    async def added(self, **body: Any) -> str:
        """A line that was added: its address."""
        answer = await self.add(**body)
        assert answer.status_code == 201, answer.text
        listed = (await self.rep.get(f"{self.at}/lines")).json()
        return f"{self.at}/lines/{listed['items'][-1]['key']}"


@pytest_asyncio.fixture
async def desk(as_: ClientFor, people: People, playbook: Playbook) -> Desk:
    rep, admin = await as_("rep@vendor.example"), await as_("admin@vendor.example")
    made = await admin.post("/api/v1/products", json=a_product())
    body = {
        "title": "ERP rollout",
        "customer": {"name": f"Customer {uuid4()}"},
        "amount": {"amount": "5", "currency": "EUR"},
        "playbook": playbook.key,
        "partners": [{"partner_id": str(people.aster.id), "role": "reseller"}],
    }
    deal = await rep.post("/api/v1/opportunities", json=body)
    seller, finance = await as_("seller@aster.example"), await as_("finance@vendor.example")
    return Desk(rep, seller, finance, admin, deal.headers["location"], made.json())


async def test_anonymous_is_asked_to_sign_in(client: httpx.AsyncClient, desk: Desk) -> None:
    for answer in (
        await client.get(f"{desk.at}/lines"),
        await client.post(f"{desk.at}/lines", json={"sku": "ERP"}),
        await client.patch(f"{desk.at}/lines/line-3", json={"quantity": 1}),
        await client.delete(f"{desk.at}/lines/line-3"),
    ):
        assert answer.status_code == 401


async def test_somebody_elses_deal_has_no_lines_to_see(as_: ClientFor, desk: Desk) -> None:
    line = await desk.added()
    stranger = await as_("seller@borealis.example")
    for answer in (
        await stranger.get(f"{desk.at}/lines"),
        await desk.add(stranger),
        await stranger.patch(line, json={"quantity": 1}),
        await stranger.delete(line),
    ):
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


async def test_the_amount_follows_the_lines(desk: Desk) -> None:
    assert (await desk.rep.get(f"{desk.at}/lines")).json() == {
        "items": [],
        "next_cursor": None,
        "totals": None,
    }
    line = await desk.added()
    await desk.added(sku=desk.product["sku"].upper(), product_id=None, quantity=1)
    listed = await desk.rep.get(f"{desk.at}/lines")
    assert [item["quantity"] for item in listed.json()["items"]] == [10, 1]
    assert listed.json()["totals"] == {
        "list_price": {"amount": "66000.00", "currency": "USD"},
        "discount_percent": "0.00",
        "net_price": {"amount": "66000.00", "currency": "USD"},
        "margin": {"amount": "18468.01", "currency": "USD"},
        "margin_percent": "28.0",
    }
    changed = await desk.rep.patch(line, json={"quantity": 2}, headers={"If-Match": listed.headers["etag"]})
    assert changed.json()["amount"] == {"amount": "18000.00", "currency": "USD"}
    stale = await desk.rep.delete(line, headers={"If-Match": listed.headers["etag"]})
    assert (stale.status_code, stale.json()["code"]) == (412, "stale_version")
    removed = await desk.rep.delete(line)
    assert removed.json()["amount"]["amount"] == "6000.00"
    assert (await desk.rep.get(desk.at)).json()["amount"] == removed.json()["amount"]


async def test_the_same_request_twice_is_one_line(desk: Desk) -> None:
    body, key = {"sku": desk.product["sku"]}, {"Idempotency-Key": str(uuid4())}
    first = await desk.rep.post(f"{desk.at}/lines", json=body, headers=key)
    again = await desk.rep.post(f"{desk.at}/lines", json=body, headers=key)
    assert first.json() == again.json()
    assert len((await desk.rep.get(f"{desk.at}/lines")).json()["items"]) == 1


async def test_a_line_keeps_the_price_at_which_it_was_added(desk: Desk) -> None:
    await desk.added()
    price = {"list_price": {"amount": "9000", "currency": "USD"}}
    await desk.admin.patch(f"/api/v1/products/{desk.product['id']}", json=price)
    await desk.added()
    prices = [
        line["list_price"]["amount"] for line in (await desk.rep.get(f"{desk.at}/lines")).json()["items"]
    ]
    assert prices == ["6000.00", "9000.00"]


async def test_the_amount_of_a_deal_with_lines_is_not_typed(desk: Desk) -> None:
    await desk.added()
    answer = await desk.rep.patch(desk.at, json={"amount": {"amount": "1", "currency": "USD"}})
    assert (answer.status_code, answer.json()["code"]) == (409, "amount_from_lines")
    assert "change the lines" in answer.json()["detail"]


async def test_what_goes_beyond_the_standard_says_how_to_ask(desk: Desk) -> None:
    answer = await desk.add(discount_percent="99")
    assert (answer.status_code, answer.json()["code"]) == (409, "discount_not_granted")
    assert "ask for a discount on this line" in answer.json()["detail"]
    line = await desk.added()
    assert (await desk.seller.patch(line, json={"discount_percent": "99"})).status_code == 409


@pytest_asyncio.fixture(scope="session")
async def own_policy(database: Database) -> str:
    """A playbook under a discount policy that asks nobody, whatever is asked for."""
    policy = DiscountPolicyDefinition.model_validate(
        {
            "key": "of-lines",
            "title": "Of lines",
            "standard": {
                "tiers": {"gold": 15, "silver": 10},
                "without_partner": 5,
                "lines": {"ERP": {"gold": 12}},
            },
        }
    )
    book = a_playbook(key="of-lines", discount_policy="of-lines").model_dump(exclude={"version"})
    async with database.transaction() as session:
        now = datetime.now(UTC)
        await policies.publish(session, policy, by=None, now=now)
        await playbooks.publish(session, PlaybookDefinition.model_validate(book), by=None, now=now)
    return "of-lines"


async def test_what_is_granted_for_a_line_may_be_given(people: People, own_policy: str, desk: Desk) -> None:
    body = {
        "title": "Granted",
        "customer": {"name": f"Customer {uuid4()}"},
        "playbook": own_policy,
        "partners": [{"partner_id": str(people.aster.id), "role": "reseller"}],
    }
    desk.at = (await desk.rep.post("/api/v1/opportunities", json=body)).headers["location"]
    line, other = await desk.added(discount_percent="12"), await desk.added(discount_percent="12")
    beyond = {"discount_percent": "30"}
    assert (await desk.seller.patch(line, json=beyond)).json()["code"] == "discount_not_granted"
    wanted = {"percent": "30", "reason": "A rival is cheaper.", "line": line.rpartition("/")[2]}
    asked = await desk.seller.post(f"{desk.at}/discounts", json=wanted)
    assert (asked.status_code, asked.json()["state"]) == (201, "granted"), asked.text
    given = await desk.seller.patch(line, json=beyond)
    assert given.json()["amount"] == {"amount": "94800.00", "currency": "USD"}
    assert (await desk.seller.patch(line, json={"discount_percent": "30.01"})).status_code == 409
    assert (await desk.seller.patch(other, json=beyond)).json()["standard_percent"] == "12"


async def test_the_standard_is_that_of_the_partners_tier_and_the_product_line(
    as_: ClientFor, people: People, own_policy: str, desk: Desk
) -> None:
    other = await desk.admin.post("/api/v1/products", json=a_product(product_line="Other"))

    async def most(who: httpx.AsyncClient, *partners: tuple[UUID, str], **product: str) -> str:
        """How much may be given off this product without asking, as the refusal of more says it."""
        body = {
            "title": "Standards",
            "customer": {"name": f"Customer {uuid4()}"},
            "playbook": own_policy,
            "partners": [{"partner_id": str(partner), "role": role} for partner, role in partners],
        }
        opened = await desk.rep.post("/api/v1/opportunities", json=body)
        lines = f"{opened.headers['location']}/lines"
        refused = await who.post(lines, json={**product, "discount_percent": "99"})
        assert (refused.status_code, refused.json()["code"]) == (409, "discount_not_granted"), refused.text
        percent: str = refused.json()["standard_percent"]
        taken = await who.post(lines, json={**product, "discount_percent": percent})
        assert taken.status_code == 201
        return percent

    erp, rest = {"sku": desk.product["sku"]}, {"sku": other.json()["sku"]}
    aster, borealis = (people.aster.id, "reseller"), (people.borealis.id, "technology")
    assert await most(desk.rep, **rest) == "5"
    assert await most(desk.rep, aster, **rest) == "15"
    assert await most(desk.seller, aster, **erp) == "12"
    assert await most(desk.rep, borealis, aster, **rest) == "15", "who sells sets the price"
    assert await most(await as_("seller@borealis.example"), borealis, aster, **rest) == "10"


async def test_a_partner_never_learns_cost_or_margin(desk: Desk) -> None:
    """Not of its own line, not of the vendor's, in no answer, page, event or stream."""
    async with asyncio.timeout(60), desk.seller.stream("GET", "/api/v1/events/stream") as stream:
        told = stream.aiter_lines()
        assert (await anext(told)).startswith(":")
        own = await desk.add(desk.seller)
        line = await desk.added(quantity=3)
        patched = await desk.seller.patch(line, json={"quantity": 4})
        cost = {"cost": {"amount": "4321.08", "currency": "USD"}}
        assert (await desk.finance.patch(line, json=cost)).status_code == 200
        removed = await desk.seller.delete(line)
        streamed = ""
        while "line_removed" not in streamed:
            streamed += await anext(told)
    paths = (f"{desk.at}{part}" for part in ("", "/lines", "/timeline", "/blockers", "/notes"))
    lists = ("/api/v1/events?limit=200", f"/api/v1/products?q={desk.product['sku']}")
    answers = [own, patched, removed, *[await desk.seller.get(path) for path in (*paths, *lists)]]
    assert all(answer.is_success for answer in answers)
    for text in (streamed, *(answer.text for answer in answers)):
        assert not COSTS.search(text)
        assert '"margin":{' not in text.replace(" ", "")
    [seen] = (await desk.seller.get(f"{desk.at}/lines")).json()["items"]
    assert (seen["cost"], seen["margin"]) == (None, None)
    [known] = (await desk.finance.get(f"{desk.at}/lines")).json()["items"]
    assert known["cost"]["amount"] == SECRET
    story = (await desk.finance.get(f"{desk.at}/timeline")).json()["items"]
    assert any("from 4,321.09 USD to 4,321.08 USD" in event["words"] for event in story)
    assert known["margin"] == {"amount": "16789.10", "currency": "USD"}


@pytest.mark.parametrize("email", ["seller@aster.example", "rep@vendor.example"])
async def test_who_sells_does_not_say_what_it_costs(as_: ClientFor, desk: Desk, email: str) -> None:
    line = await desk.added()
    somebody = await as_(email)
    for cost in ({"amount": "1", "currency": "USD"}, None):
        answer = await somebody.patch(line, json={"cost": cost})
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    assert (await desk.add(somebody, cost={"amount": "1", "currency": "USD"})).status_code == 422


async def test_a_margin_may_be_a_loss(desk: Desk) -> None:
    line = await desk.added(quantity=1)
    await desk.finance.patch(line, json={"cost": {"amount": "7000", "currency": "USD"}})
    listed = (await desk.finance.get(f"{desk.at}/lines")).json()
    assert listed["items"][0]["margin"]["amount"] == listed["totals"]["margin"]["amount"] == "-1000.00"
    assert listed["totals"]["margin_percent"] == "-16.7"
    await desk.finance.patch(line, json={"cost": None})
    listed = (await desk.finance.get(f"{desk.at}/lines")).json()
    assert (listed["items"][0]["margin"], listed["totals"]["margin_percent"]) == (None, None)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"quantity": 0}, "/quantity"),
        ({"quantity": 1.5}, "/quantity"),
        ({"quantity": 1_000_001}, "/quantity"),
        ({"discount_percent": "-1"}, "/discount_percent"),
        ({"discount_percent": "100.0000001"}, "/discount_percent"),
        ({"discount_percent": "101"}, "/discount_percent"),
        ({"product_id": str(UUID(int=7))}, "/product_id"),
        ({"product_id": None}, "/product_id"),
        ({"product_id": None, "sku": "nothing like it"}, "/sku"),
        ({"sku": "both"}, "/product_id"),
        ({"price": "1"}, "/price"),
    ],
    ids=str,
)
async def test_what_is_no_line_is_refused_where_it_is_wrong(
    desk: Desk, body: dict[str, Any], pointer: str
) -> None:
    answer = await desk.add(**body)
    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"][0]["pointer"] == pointer


async def test_what_is_not_sold_any_more_is_not_added(desk: Desk) -> None:
    await desk.added()
    await desk.admin.patch(f"/api/v1/products/{desk.product['id']}", json={"active": False})
    answer = await desk.add()
    assert (answer.status_code, answer.json()["detail"]) == (
        422,
        "ERP suite is not sold any more; choose another product.",
    )
    assert (await desk.add(desk.seller)).json()["detail"] == "There is no such product."
    assert len((await desk.seller.get(f"{desk.at}/lines")).json()["items"]) == 1


async def test_a_line_that_is_not_there_is_not_found(desk: Desk) -> None:
    for answer in (
        await desk.rep.patch(f"{desk.at}/lines/line-99", json={"discount_percent": "1"}),
        await desk.rep.delete(f"{desk.at}/lines/line-99"),
    ):
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
