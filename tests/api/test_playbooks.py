"""Playbooks: how kinds of deals are worked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from ops.playbooks import shipped_playbooks
from runtime.playbooks import read_playbook
from tests.stack import ClientFor

PLAYBOOKS = "/api/v1/playbooks"
YAML = {"content-type": "application/yaml"}


def a_definition(**fields: Any) -> dict[str, Any]:
    return {
        "key": f"book-{uuid4().hex[:8]}",
        "title": "A book",
        "stages": [
            {
                "key": "meet",
                "title": "Meet",
                "phase": "prospect",
                "probability": 10,
                "tasks": [{"key": "call", "title": "Call", "side": "vendor"}],
            }
        ],
        **fields,
    }


async def publish(admin: httpx.AsyncClient, definition: dict[str, Any]) -> httpx.Response:
    return await admin.post(f"{PLAYBOOKS}/{definition['key']}/versions", json=definition)


async def test_anonymous_is_asked_to_sign_in(client: httpx.AsyncClient) -> None:
    for path in ("", "/joint-software", "/joint-software/versions", "/joint-software/versions/1"):
        assert (await client.get(PLAYBOOKS + path)).status_code == 401
    assert (await publish(client, a_definition())).status_code == 401
    assert (await client.post(PLAYBOOKS, json=a_definition())).status_code == 401


async def test_playbooks_are_for_both_sides_and_who_published_does_not_see_another_organisation(
    as_: ClientFor,
) -> None:
    definition = a_definition()
    await publish(await as_("admin@vendor.example"), definition)
    seen = (await (await as_("seller@aster.example")).get(f"{PLAYBOOKS}/{definition['key']}")).json()
    assert seen["definition"]["stages"][0]["tasks"][0]["key"] == "call"
    assert "vendor.example" not in str(seen)


@pytest.mark.parametrize("email", ["rep@vendor.example", "director@vendor.example", "lead@aster.example"])
async def test_only_administrators_publish(as_: ClientFor, email: str) -> None:
    assert (await publish(await as_(email), a_definition())).status_code == 403
    assert (await (await as_(email)).post(PLAYBOOKS, json=a_definition())).status_code == 403


async def test_a_playbook_says_itself_which_one_it_is(as_: ClientFor) -> None:
    admin, definition = await as_("admin@vendor.example"), a_definition()
    first = await admin.post(PLAYBOOKS, json=definition)
    assert (first.status_code, first.json()["version"]) == (201, 1)
    assert (await admin.get(first.headers["location"])).json() == first.json()
    second = await admin.post(PLAYBOOKS, json={**definition, "title": "A better book"})
    assert (second.status_code, second.json()["version"]) == (201, 2)
    assert (await admin.post(PLAYBOOKS, json={**definition, "title": "A better book"})).status_code == 200


async def test_a_change_is_a_new_version_and_the_old_one_stays(as_: ClientFor) -> None:
    admin, definition = await as_("admin@vendor.example"), a_definition()
    first = await publish(admin, definition)
    assert first.status_code == 201
    assert first.json()["version"] == 1
    second = await publish(admin, {**definition, "title": "A better book"})
    assert second.json()["version"] == 2
    assert second.headers["etag"] == '"2"'
    again = await publish(admin, {**definition, "title": "A better book"})
    assert again.status_code == 200
    assert again.json() == second.json()

    newest = (await admin.get(f"{PLAYBOOKS}/{definition['key']}")).json()
    assert newest["title"] == newest["definition"]["title"] == "A better book"
    old = (await admin.get(first.headers["location"])).json()
    assert old == first.json()
    versions = (await admin.get(f"{PLAYBOOKS}/{definition['key']}/versions")).json()["items"]
    assert [each["version"] for each in versions] == [2, 1]


async def test_the_list_has_the_newest_of_each_and_the_reasons_to_lose(as_: ClientFor) -> None:
    admin, definition = await as_("admin@vendor.example"), a_definition()
    await publish(admin, definition)
    await publish(admin, {**definition, "title": "Newest"})
    found = (await admin.get(PLAYBOOKS, params={"limit": 200})).json()
    mine = [each for each in found["items"] if each["key"] == definition["key"]]
    assert [(each["version"], each["title"]) for each in mine] == [(2, "Newest")]
    assert {"price", "competitor", "no_decision", "other"} <= set(found["lose_reasons"])


async def test_yaml_is_taken_and_its_mistakes_have_lines(as_: ClientFor) -> None:
    admin, key = await as_("admin@vendor.example"), f"yaml-{uuid4().hex[:8]}"
    text = f"""key: {key}
title: A book in YAML
stages:
  - key: meet
    title: Meet
    phase: prospect
    probability: 10
"""
    good = await admin.post(f"{PLAYBOOKS}/{key}/versions", content=text, headers=YAML)
    assert good.status_code == 201
    bad = await admin.post(
        f"{PLAYBOOKS}/{key}/versions", content=text.replace("prospect", "someday"), headers=YAML
    )
    assert bad.status_code == 422
    assert bad.json()["errors"][0]["line"] == 6
    assert bad.json()["errors"][0]["pointer"] == "/stages/0/phase"
    for content in (b"\xff\xfe", b"", b"a: [", b"- a", b"a: &a [*a]", b"a: \x00"):
        answer = await admin.post(f"{PLAYBOOKS}/{key}/versions", content=content, headers=YAML)
        assert answer.status_code == 422, content


async def test_what_is_no_playbook_is_refused_with_where(as_: ClientFor) -> None:
    admin, definition = await as_("admin@vendor.example"), a_definition()
    stage = definition["stages"][0]
    for wrong, pointer in (
        ({**definition, "stages": []}, "/stages"),
        ({**definition, "steps": []}, "/steps"),
        ({**definition, "stages": [stage, stage]}, "/stages/1/key"),
        ({**definition, "stages": [{**stage, "exit": {"by": "rule", "rule": "1 +"}}]}, "/stages/0/exit/rule"),
    ):
        answer = await publish(admin, wrong)
        assert answer.status_code == 422
        assert pointer in {error["pointer"] for error in answer.json()["errors"]}
    elsewhere = await admin.post(f"{PLAYBOOKS}/another/versions", json=definition)
    assert elsewhere.status_code == 422
    deep = await admin.post(f"{PLAYBOOKS}/deep/versions", content=b"[" * 100_000)
    assert deep.status_code in {400, 422}


async def test_what_is_not_there_is_not_found(as_: ClientFor) -> None:
    admin, key = await as_("admin@vendor.example"), a_definition()["key"]
    for path in (key, f"{key}/versions", f"{key}/versions/1"):
        assert (await admin.get(f"{PLAYBOOKS}/{path}")).status_code == 404
    for path in (f"{key}/versions/0", f"{key}/versions/99999999999", f"{key}/versions/x"):
        assert (await admin.get(f"{PLAYBOOKS}/{path}")).status_code == 422


async def test_a_playbook_that_says_a_thing_twice_is_refused(as_: ClientFor) -> None:
    admin = await as_("admin@vendor.example")
    body = (
        b'{"key": "twice", "title": "A", "title": "B", "stages": [%s]}'
        % json.dumps(a_definition()["stages"][0]).encode()
    )
    to = f"{PLAYBOOKS}/twice/versions"
    answer = await admin.post(to, content=body, headers={"content-type": "application/json"})
    assert (answer.status_code, "'title' is here a second time" in answer.json()["detail"]) == (422, True)


async def test_a_playbook_without_its_kind_of_content_is_asked_for_it(as_: ClientFor) -> None:
    admin = await as_("admin@vendor.example")
    answer = await admin.post(f"{PLAYBOOKS}/any/versions", content=b"key: any\n")
    assert answer.status_code == 422
    assert "application/yaml" in answer.json()["detail"]


@pytest.mark.parametrize("kind", ["application/json", "application/yaml"])
async def test_a_playbook_is_as_large_as_a_file_may_be_however_it_is_written(
    as_: ClientFor, kind: str
) -> None:
    admin = await as_("admin@vendor.example")
    definition = a_definition()
    body = json.dumps(definition).encode()
    at = f"{PLAYBOOKS}/{definition['key']}/versions"
    large = await admin.post(at, content=body + b" " * 256 * 1024, headers={"content-type": kind})
    assert (large.status_code, large.json()["detail"]) == (422, "A playbook may have at most 256 KB.")
    fits = await admin.post(
        at, content=body + b" " * (256 * 1024 - len(body)), headers={"content-type": kind}
    )
    assert fits.status_code == 201


@pytest.mark.parametrize("path", shipped_playbooks(), ids=lambda path: path.stem)
async def test_the_page_of_each_playbook_that_ships_says_until_when_its_tasks_are_due(
    as_: ClientFor, path: Path
) -> None:
    """Those in business days, too: the playbooks of the tests have none."""
    definition = read_playbook(path).model_dump(mode="json") | {"key": f"book-{uuid4().hex[:8]}"}
    assert (await publish(await as_("admin@vendor.example"), definition)).status_code == 201
    for email in ("rep@vendor.example", "seller@aster.example"):
        answer = await (await as_(email)).get(
            f"/playbooks/{definition['key']}", headers={"accept": "text/html"}
        )
        assert answer.status_code == 200
        assert "working days" in answer.text
