"""Stage triggers over HTTP: published, fired, held by an approval, asked again; and what a partner reads."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import httpx
import pytest
import pytest_asyncio

from tests.factories import a_stage, a_task
from tests.patience import PATIENCE
from tests.stack import ClientFor, People

pytestmark = pytest.mark.usefixtures("worker")

DEALS = "/api/v1/opportunities"


def a_book(**fields: Any) -> dict[str, Any]:
    triggers = [
        {"task": a_task("book-room", required=False)},
        {"notify": {"to": "owner", "words": "Prepare the room."}},
        {"approval": {"title": "Solution review", "role": "sales_director", "words": "Is it sound?"}},
        {"campaign": {"key": "demo-guests", "step": "invite"}},
        {"when": "deal.amount > 1000000.0", "notify": {"to": "manager", "words": "A large one."}},
    ]
    stages = [
        a_stage("talk", a_task("call"), on_leave=[{"task": a_task("send-notes", required=False)}]),
        a_stage("show", a_task("demo", required=False), on_enter=triggers),
        a_stage("close", a_task("sign")),
    ]
    return {"key": f"book-{uuid4().hex[:8]}", "title": "Triggers", "stages": stages, **fields}


@pytest_asyncio.fixture
async def rep(as_: ClientFor) -> httpx.AsyncClient:
    return await as_("rep@vendor.example")


@pytest_asyncio.fixture
async def deal(as_: ClientFor, rep: httpx.AsyncClient, people: People) -> str:
    """A deal that has just entered the stage with triggers; its path. Who approves is there already."""
    await as_("director@vendor.example")
    book = a_book()
    published = await (await as_("admin@vendor.example")).post("/api/v1/playbooks", json=book)
    assert published.status_code == 201, published.text
    body = {
        "title": "ERP rollout",
        "customer": {"name": f"Acme {uuid4().hex[:8]}"},
        "amount": {"amount": "250000.00", "currency": "USD"},
        "playbook": book["key"],
        "partners": [{"partner_id": str(people.aster.id), "role": "reseller"}],
    }
    opened = await rep.post(DEALS, json=body)
    assert opened.status_code == 201, opened.text
    path = f"{DEALS}/{opened.json()['id']}"
    assert (await rep.post(f"{path}/tasks/call/complete", json={})).status_code == 200
    assert (await rep.post(f"{path}/advance", json={})).status_code == 200
    return path


async def blockers(client: httpx.AsyncClient, path: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await client.get(f"{path}/blockers")).json()["items"]
    return found


async def until(client: httpx.AsyncClient, path: str, so: Callable[[Any], bool]) -> Any:
    """What is answered there, once it is so."""
    async with asyncio.timeout(PATIENCE):
        while True:
            answer = await client.get(path)
            if answer.status_code == 200 and so(answer.json()):
                return answer.json()
            await asyncio.sleep(0.05)


async def decide(as_: ClientFor, approval_id: str, verb: str, **body: Any) -> None:
    director = await as_("director@vendor.example")
    await until(director, f"/api/v1/approvals/{approval_id}", lambda found: found["steps"][0]["approvers"])
    answer = await director.post(f"/api/v1/approvals/{approval_id}/{verb}", json=body)
    assert answer.status_code == 200, answer.text


async def test_a_stage_begins_and_its_triggers_stand_in_the_timeline(
    deal: str, rep: httpx.AsyncClient
) -> None:
    tasks = (await rep.get(f"{deal}/tasks")).json()["items"]
    assert {task["key"] for task in tasks if task["state"] == "open"} == {"demo", "book-room", "send-notes"}
    entries = (await rep.get(f"{deal}/timeline?limit=200")).json()["items"]
    fired = [entry["words"] for entry in entries if entry["type"] == "trigger_fired"]
    assert len(fired) == 5
    assert any(words.startswith("Talk ended: the task") for words in fired)
    (step,) = [entry for entry in entries if entry["type"] == "campaign_step_started"]
    assert (step["data"]["campaign"], step["data"]["step"]) == ("demo-guests", "invite")


async def test_a_partner_reads_what_it_can_do_and_not_how_the_vendor_works_inside(
    deal: str, as_: ClientFor, rep: httpx.AsyncClient
) -> None:
    seller = await as_("seller@aster.example")
    types = {entry["type"] for entry in (await seller.get(f"{deal}/timeline?limit=200")).json()["items"]}
    assert "task_added" in types
    assert not types & {"trigger_fired", "stage_approval_asked", "campaign_step_started"}
    (blocker,) = await blockers(seller, deal)
    assert (blocker["code"], blocker["who"]) == ("approval_pending", "sales director")
    assert (await seller.get(f"/api/v1/approvals/{blocker['approval_id']}")).status_code == 404
    again = f"{deal}/stage-approvals/{blocker['approval_id']}/ask-again"
    assert (await seller.post(again, json={})).status_code == 403
    assert (await (await as_("seller@borealis.example")).post(again, json={})).status_code == 404
    assert (await httpx.AsyncClient(base_url=rep.base_url).post(again, json={})).status_code == 401
    book = (await rep.get(deal)).json()["playbook"]["key"]
    stages = (await seller.get(f"/api/v1/playbooks/{book}")).json()["definition"]["stages"]
    assert [list(filter(each.get, each)) for each in stages[1]["on_enter"]] == [["task"]]


async def test_the_stage_waits_for_a_yes_and_after_a_no_it_is_asked_again(
    deal: str, as_: ClientFor, rep: httpx.AsyncClient
) -> None:
    (blocker,) = await blockers(rep, deal)
    refused = await rep.post(f"{deal}/advance", json={})
    assert (refused.status_code, refused.json()["code"]) == (409, "stage_gate_closed")
    await decide(as_, blocker["approval_id"], "reject", comment="Too thin.")
    await until(rep, f"{deal}/blockers", lambda found: found["items"][0]["code"] == "approval_missing")
    again = f"{deal}/stage-approvals/{blocker['approval_id']}/ask-again"
    headers = {"Idempotency-Key": uuid4().hex}
    first = await rep.post(again, json={}, headers=headers)
    assert first.status_code == 200, first.text
    assert (await rep.post(again, json={}, headers=headers)).json() == first.json()
    (blocker,) = await blockers(rep, deal)
    assert blocker["code"] == "approval_pending"
    await decide(as_, blocker["approval_id"], "approve")
    await until(rep, f"{deal}/blockers", lambda found: found["items"][0]["code"] == "ready_to_advance")
    assert (await rep.post(f"{deal}/advance", json={})).json()["stage"]["key"] == "close"


async def test_whoever_owns_the_deal_does_not_approve_and_can_take_it_back(
    deal: str, as_: ClientFor, rep: httpx.AsyncClient
) -> None:
    (blocker,) = await blockers(rep, deal)
    path = f"/api/v1/approvals/{blocker['approval_id']}"
    asked = await until(rep, path, lambda found: found["state"] == "pending")
    assert asked["subject"]["kind"] == "stage"
    assert (await rep.post(f"{path}/approve", json={})).status_code in (403, 409)
    assert (await rep.post(f"{path}/recall", json={})).status_code == 200
    await until(rep, f"{deal}/blockers", lambda found: found["items"][0]["code"] == "approval_missing")


async def test_the_pages_show_triggers_the_request_and_what_to_do(
    deal: str, as_: ClientFor, rep: httpx.AsyncClient
) -> None:
    book = (await rep.get(deal)).json()["playbook"]["key"]
    (blocker,) = await blockers(rep, deal)
    director = await as_("director@vendor.example")
    page = await rep.get(f"/playbooks/{book}")
    assert "When this stage begins: “Solution review” is asked for, of sales director." in page.text
    assert "When this stage ends: the task “Send notes” opens for the vendor." in page.text
    assert "A large one.”, if deal.amount &gt; 1000000.0." in page.text
    await until(director, f"/api/v1/approvals/{blocker['approval_id']}", lambda found: found["steps"])
    request = await director.get(f"/approvals/{blocker['approval_id']}")
    assert request.status_code == 200, request.text
    assert "Solution review: ERP rollout" in request.text
    assert (await director.get("/approvals")).status_code == 200
    await decide(as_, blocker["approval_id"], "reject", comment="Too thin.")
    await until(rep, f"{deal}/blockers", lambda found: found["items"][0]["code"] == "approval_missing")
    path = deal.removeprefix("/api/v1")
    shown = await rep.get(path)
    ask_again = f"{path}/actions/ask-again?of={blocker['approval_id']}"
    assert f'href="{ask_again}"' in shown.text
    assert "Ask again: Solution review" in (await rep.get(ask_again)).text
    assert (await rep.get(f"{path}/actions/ask-again?of=nothing")).status_code == 404


@pytest.mark.parametrize(
    ("trigger", "pointer", "said"),
    [
        ({"webhook": {"url": "https://127.0.0.1/x", "event": "x"}}, "webhook/url", "inside a network"),
        ({"webhook": {"url": "https://169.254.169.254/x", "event": "x"}}, "webhook/url", "inside a network"),
        ({"webhook": {"url": "http://hooks.example/x", "event": "x"}}, "webhook/url", "over https"),
        ({"webhook": {"url": "file:///etc/passwd", "event": "x"}}, "webhook/url", "web address"),
        ({"when": "deal.amout > 1.0", "campaign": {"key": "a", "step": "b"}}, "when", "did you mean amount?"),
        (
            {"campaign": {"key": "a", "step": "b"}, "notify": {"to": "owner", "words": "x"}},
            "",
            "one of task",
        ),
    ],
)
async def test_what_cannot_be_is_refused_at_publishing_at_its_place(
    as_: ClientFor, trigger: dict[str, Any], pointer: str, said: str
) -> None:
    book = a_book()
    book["stages"][1]["on_enter"] = [trigger]
    refused = await (await as_("admin@vendor.example")).post("/api/v1/playbooks", json=book)
    assert refused.status_code == 422
    (error,) = refused.json()["errors"]
    assert error["pointer"] == f"/stages/1/on_enter/0/{pointer}".rstrip("/")
    assert said in error["detail"]
