"""What is read back from the rows is what was recorded."""

from __future__ import annotations

from uuid import uuid4

from httpx import AsyncClient

from domain.playbook import Playbook
from tests.stack import ClientFor, People


async def test_tasks_come_back_in_the_order_in_which_they_opened(
    as_: ClientFor, people: People, playbook: Playbook, worker: None
) -> None:
    rep: AsyncClient = await as_("rep@vendor.example")
    body = {
        "title": "In order",
        "customer": {"name": f"Customer {uuid4()}"},
        "playbook": playbook.key,
        "partners": [{"partner_id": str(people.aster.id), "role": "reseller"}],
    }
    deal = (await rep.post("/api/v1/opportunities", json=body)).json()
    for title in ("A task with a title that is long", "B", "A"):
        task = {"title": title, "side": "vendor"}
        await rep.post(f"/api/v1/opportunities/{deal['id']}/tasks", json=task)
    tasks = (await rep.get(f"/api/v1/opportunities/{deal['id']}/tasks")).json()["items"]
    templates = [task.key for task in playbook.stages[0].tasks]
    found = [task["key"] for task in tasks]
    assert [key for key in found if key in templates] == [key for key in templates if key in found]
    assert [task["title"] for task in tasks][-3:] == ["A task with a title that is long", "B", "A"]
