"""The pipeline's filters by owner and by partner: by id, by address or by name, and shown as they are."""

from __future__ import annotations

from html.parser import HTMLParser
from uuid import uuid4

import pytest

from domain.playbook import Playbook
from tests.calendars import Diary
from tests.stack import ClientFor, People, Person

pytestmark = pytest.mark.usefixtures("worker")


@pytest.fixture
def diary(as_: ClientFor, people: People, playbook: Playbook) -> Diary:
    return Diary(as_, people, playbook)


class Shown(HTMLParser):
    """What a pipeline's page shows: the deals of its list, and what is chosen or typed in each filter."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text
        self.deals: set[str] = set()
        self.chosen: dict[str, str] = {}
        self.typed: dict[str, str] = {}
        self.clear = ""
        self._filter: str | None = None
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = dict(attrs)
        if tag == "select":
            self._filter = said["name"]
        elif tag == "option" and "selected" in said and said["value"]:
            self.chosen[str(self._filter)] = str(said["value"])
        elif tag == "input" and str(said.get("name")).endswith("-typed") and said["value"]:
            self.typed[str(said["name"])] = str(said["value"])
        elif tag == "a" and said.get("data-variant") == "ghost":
            self.clear = str(said["href"])
        elif tag == "a" and "data-open" in said:
            self.deals.add(str(said["href"]).rpartition("/")[2])


async def shown(diary: Diary, who: Person, **query: str) -> Shown:
    answer = await (await diary.client(who)).get("/pipeline", params={"view": "list", **query})
    assert answer.status_code == 200, answer.text
    return Shown(answer.text)


@pytest.mark.parametrize("field", ["owner", "owner-typed"])
async def test_an_owner_is_found_by_address(diary: Diary, field: str):
    rep = await diary.rep()
    deal = await diary.open(rep, "Found by its owner's address")
    found = await shown(diary, rep, **{field: rep.email.upper()})
    assert (found.deals, found.chosen) == ({deal["id"]}, {"owner": str(rep.id)})
    assert "was understood" not in found.text


@pytest.mark.parametrize("field", ["partner", "partner-typed"])
async def test_a_partner_is_found_by_name_and_what_is_typed_goes_first(diary: Diary, field: str):
    rep, borealis = await diary.rep(), diary.people.borealis
    with_borealis = {"partners": [{"partner_id": str(borealis.id), "role": "referral"}]}
    deal = await diary.open(rep, "With Borealis", **with_borealis)
    await diary.open(rep, "With Aster")
    before = {"partner": str(diary.people.aster.id), "owner": str(rep.id).upper()}
    found = await shown(diary, rep, **before | {field: f" {borealis.name.lower()} "})
    assert found.deals == {deal["id"]}
    assert found.chosen == {"owner": str(rep.id), "partner": str(borealis.id)}


async def test_who_is_no_longer_here_is_still_shown_as_chosen(diary: Diary):
    gone, admin = await diary.rep(), await diary.as_("admin@vendor.example")
    changed = await admin.patch(f"/api/v1/users/{gone.id}", json={"active": False})
    assert changed.status_code == 200, changed.text
    rep = await diary.rep()
    for words in (str(gone.id), gone.email):
        found = await shown(diary, rep, owner=words)
        assert found.chosen == {"owner": str(gone.id)}, "or the next change of a filter would drop this one"
        assert "was understood" not in found.text


async def test_whoever_is_not_there_is_said(diary: Diary):
    rep, seller, nobody = await diary.rep(), await diary.seller(), str(uuid4())
    aster = diary.people.aster.name
    await diary.open(rep, "Not to be found by nobody")
    for query, said in (
        ({"owner": "nobody@vendor.example"}, "“nobody@vendor.example” is the e-mail address of no owner"),
        ({"owner": seller.email}, f"“{seller.email}” is the e-mail address of no owner"),
        ({"owner": aster}, f"“{aster}” is the e-mail address of no owner"),
        ({"owner-typed": "x" * 61}, f"“{'x' * 60}…” is the e-mail address of no owner"),
        ({"partner-typed": "<b>"}, "“&lt;b&gt;” is the name of no partner, or of several"),
        ({"partner": nobody}, f"No partner has the id “{nobody}”"),
        ({"owner": str(seller.id)}, f"No owner has the id “{seller.id}”"),
    ):
        found = await shown(diary, rep, **query)
        assert f"{said}, so no deal fits." in found.text
        assert (found.deals, found.chosen) == (set(), {})


async def test_what_names_nobody_stays_to_be_mended_and_undoes_no_choice(diary: Diary):
    rep = await diary.rep()
    deal = await diary.open(rep, "Chosen before somebody mistyped")
    lost = await shown(diary, rep, **{"owner": str(rep.id), "partner-typed": "Astre"})
    assert (lost.deals, lost.typed) == (set(), {"partner-typed": "Astre"})
    kept = await shown(diary, rep, **{"owner": str(rep.id), "owner-typed": "rpe@vendor.example"})
    assert (kept.deals, kept.chosen) == ({deal["id"]}, {"owner": str(rep.id)})
    assert kept.typed == {"owner-typed": "rpe@vendor.example"}
    assert "is the e-mail address of no owner; it changes nothing." in kept.text


async def test_a_partner_that_was_here_before_does_not_hide_one_of_the_same_name(diary: Diary):
    rep, admin = await diary.rep(), await diary.as_("admin@vendor.example")
    name = f"Namesake {uuid4().hex[:8]}"

    async def partner() -> str:
        made = await admin.post("/api/v1/partners", json={"name": name})
        assert made.status_code == 201, made.text
        return str(made.json()["id"])

    async def ends(partner_id: str) -> None:
        ended = await admin.patch(f"/api/v1/partners/{partner_id}", json={"status": "inactive"})
        assert ended.status_code == 200, ended.text

    first = await partner()
    await ends(first)
    assert (await shown(diary, rep, partner=name)).chosen == {"partner": first}
    second = await partner()
    assert (await shown(diary, rep, partner=name)).chosen == {"partner": second}
    await partner()
    assert "or of several, so no deal fits" in (await shown(diary, rep, partner=name)).text


async def test_clearing_the_filters_keeps_the_playbook_of_a_board(diary: Diary):
    rep, key = await diary.rep(), diary.playbook.key
    for view, cleared in (("board", f"/pipeline?view=board&playbook={key}"), ("list", "/pipeline?view=list")):
        found = await shown(diary, rep, view=view, q="nothing", playbook=key)
        assert found.clear == cleared


async def test_a_partner_looks_nobody_up(diary: Diary):
    rep, other, seller = await diary.rep(), await diary.rep(), await diary.seller()
    admin = await diary.as_("admin@vendor.example")
    name = f"Stranger {uuid4().hex[:8]}"
    stranger = (await admin.post("/api/v1/partners", json={"name": name})).json()["id"]
    deal = await diary.open(rep, "Looked for by a partner")
    theirs = await shown(diary, seller, owner=str(rep.id))
    assert theirs.deals == {deal["id"]}
    assert "so no deal fits" not in theirs.text, "an id that a partner is not told the name of may still fit"
    assert theirs.chosen == {}
    for query in ({"owner": str(other.id)}, {"partner": stranger}):
        found = await shown(diary, seller, **query)
        assert (found.deals, found.chosen) == (set(), {})
        assert "so no deal fits" not in found.text
        assert name not in found.text
    for query in ({"owner": rep.email}, {"partner": name}):
        found = await shown(diary, seller, **query)
        assert "so no deal fits" in found.text
        assert (found.deals, found.chosen) == (set(), {})
