"""`tandem import` against the real stack: the sample that ships, and a public export where it is at hand."""

from __future__ import annotations

import csv
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from temporalio.client import Client

from db import opportunity
from db.session import Database
from db.tables import Account, User
from domain.crm_import.opening import opened, opening
from domain.errors import InvalidInput, Unavailable
from domain.playbook import Playbook
from ops.crm_import import read_files
from ops.crm_live import LiveDeals
from ops.crm_mapping import InvalidMapping, read_mapping
from ops.crm_report import silent
from ops.rebuild import rebuild
from tests.imports import ROOT, SAMPLE, Sample
from tests.stack import ClientFor, People
from workflows.messages import workflow_id

PUBLIC = ROOT.parent / "shared" / "data" / "crm-pipeline"


class Interrupted(Exception):
    """As if the process were killed here."""


async def test_every_row_is_imported_or_rejected_with_its_reason(sample: Sample) -> None:
    report = await sample.run()
    told = report.as_dict()
    assert told["people"] == {"rows": 5, "imported": 5, "already_there": 0, "rejected": 0}
    assert told["accounts"] == {"rows": 8, "imported": 8, "already_there": 0, "rejected": 0}
    assert told["opportunities"] == {"rows": 42, "imported": 40, "already_there": 0, "rejected": 2}
    assert {status: tally["imported"] for status, tally in told["taken"].items()} == {
        "open": 12,
        "won": 18,
        "lost": 10,
    }
    assert report.rejects_file is not None
    with report.rejects_file.open(newline="") as file:
        rejects = [(row["line"], row["id"], row["field"]) for row in csv.DictReader(file)]
    assert rejects == [
        ("14", "GFXSFVCB", "opportunity_id"),
        ("31", "HQRWGBNA", "product engage_date close_value"),
    ]
    assert await sample.count(User) == 5
    assert await sample.count(Account) == 8
    deals = await sample.rows()
    assert len(deals) == 40
    kept = {(deal.state["policy"]["key"], deal.state["policy"]["version"]) for deal in deals}
    assert kept == {("crm-import", 1)}, "each keeps the discount policy of the day"


async def test_closed_deals_are_history_with_their_days_and_no_workflow(
    sample: Sample, temporal: Client
) -> None:
    await sample.run()
    won = next(row for row in await sample.rows() if row.external_id == "5LL3HJ5Y")
    assert (won.status, won.closed, won.title) == ("won", True, "GTK 500 for Mabuhay Care")
    assert (str(won.amount), won.owner) == ("26471.00", "Bruno Sato")
    told = await sample.story(won.id)
    assert [(entry.at.date().isoformat(), entry.words) for entry in told] == [
        ("2017-01-17", "Bruno Sato opened “GTK 500 for Mabuhay Care” for Mabuhay Care."),
        ("2017-03-25", "Bruno Sato won the deal."),
    ]
    with pytest.raises(Exception, match="not found"):
        await temporal.get_workflow_handle(workflow_id(won.id)).describe()


async def test_a_deal_goes_by_its_owners_calendar(sample: Sample) -> None:
    await sample.run()
    live = next(row for row in await sample.rows() if row.status == "open" and row.owner_id)
    async with sample.database.read() as session:
        deal = await opportunity.as_recorded(session, live.id)
    assert deal is not None
    assert deal.calendar is not None


async def test_running_it_twice_changes_nothing(sample: Sample) -> None:
    await sample.run()
    before = {row.id: row.model_dump() for row in await sample.rows()}
    again = await sample.run()
    assert (again.people.already_there, again.accounts.already_there) == (5, 8)
    deals = again.opportunities
    assert (deals.imported, deals.already_there, deals.rejected) == (0, 40, 2)
    assert {row.id: row.model_dump() for row in await sample.rows()} == before


async def test_a_dry_run_tells_the_same_and_changes_nothing(sample: Sample) -> None:
    would = await sample.run(dry_run=True)
    assert (would.people.imported, would.accounts.imported, would.opportunities.imported) == (5, 8, 40)
    assert (await sample.rows(), await sample.count(User), await sample.count(Account)) == ([], 0, 0)


async def test_an_import_that_was_killed_goes_on_where_it_stopped(sample: Sample) -> None:
    def stop(what: str, done: int, total: int) -> None:
        if what == "Closed deals":
            raise Interrupted

    with pytest.raises(Interrupted):
        await sample.run(stop)
    done = len(await sample.rows())
    rest = await sample.run()
    # A worker that runs meanwhile records deals whose first deadline has passed.
    assert rest.opportunities.already_there >= done > 0
    assert rest.opportunities.imported + rest.opportunities.already_there == 40
    assert len(await sample.rows()) == 40


async def test_a_deal_that_was_started_and_not_recorded_keeps_its_beginning(
    sample: Sample, temporal: Client, book: Playbook
) -> None:
    file = read_mapping(sample.mapping)
    now = datetime(2026, 5, 1, tzinfo=UTC)
    export = read_files(sample.folder, file, now)
    deal = next(deal for deal in export.deals if deal.is_live)
    command = opening(deal, file.mapping, book, policy=None, account_id=None, owner=None)
    nowhere = Database("postgresql://nobody@127.0.0.1:1/none")
    with pytest.raises(Unavailable):
        await LiveDeals(temporal, nowhere, sample.settings.task_queue, silent).run(
            [opened(command, now, None)], now
        )
    await nowhere.close()

    taken = (await sample.run()).opportunities  # the deal itself too, unless a worker was quicker
    assert taken.imported + taken.already_there == 40
    row = next(row for row in await sample.rows() if row.id == deal.id)
    assert row.owner is None, "as the workflow began, which is the truth"
    assert [entry.at for entry in await sample.story(deal.id)][1] == now


async def _work(at: str, rep: httpx.AsyncClient, seller: httpx.AsyncClient, people: People) -> Any:
    """From the proposal, where the export has it, to the signature."""

    async def do(who: httpx.AsyncClient, what: str, **body: Any) -> Any:
        answer = await who.post(f"{at}/{what}", json=body)
        assert answer.status_code in (200, 201), answer.text
        return answer.json()

    await do(rep, "partners", partner_id=str(people.aster.id), role="reseller")
    await do(rep, "move", stage="qualify", reason="Meet the partner first")
    await do(rep, "tasks/confirm-budget/complete")
    await do(seller, "tasks/share-profile/complete", note="Sent.")
    await do(rep, "advance")
    await do(rep, "tasks/write-agenda/complete")
    await do(seller, "tasks/invite-customer/complete")
    await do(rep, "tasks/run-demo/complete")
    await do(rep, "advance")
    await do(seller, "advance")
    await do(rep, "tasks/sign-contract/complete")
    await do(rep, "win")
    return await do(rep, "tasks/plan-onboarding/complete")


@pytest.mark.usefixtures("worker")
async def test_an_imported_deal_is_worked_to_the_hand_over_by_both_sides(
    sample: Sample, as_: ClientFor, people: People
) -> None:
    await sample.run()
    rep, seller = await as_("rep@vendor.example"), await as_("seller@aster.example")
    success = await as_("success@vendor.example")
    row = next(row for row in await sample.rows() if row.external_id == "SAEAWG95")
    at = f"/api/v1/opportunities/{row.id}"
    before = (await rep.get(at)).json()
    assert (before["status"], before["owner"]["name"]) == ("open", "Ada Winter")
    assert (await seller.get(at)).status_code == 404

    deal = await _work(at, rep, seller, people)
    assert (deal["status"], deal["stage"]["key"]) == ("won", "handoff")
    accepted = await success.post(f"{at}/handoff/accept", json={})
    assert accepted.json()["status"] == "handed_off"
    story = (await seller.get(f"{at}/timeline", params={"limit": 200})).json()["items"]
    own = [event["sequence"] for event in story if event["stream_id"] == str(row.id)]
    assert own == list(range(len(own), 0, -1))
    assert story[-1]["at"].startswith("2017-07-24")
    assert (await sample.run()).opportunities.already_there == 40


@pytest.mark.usefixtures("worker")
async def test_a_lost_deal_of_the_export_can_be_reopened(sample: Sample, as_: ClientFor) -> None:
    await sample.run()
    rep = await as_("rep@vendor.example")
    lost = next(row for row in await sample.rows() if row.status == "lost")
    reopened = await rep.post(f"/api/v1/opportunities/{lost.id}/reopen", json={"reason": "They came back"})
    assert (reopened.status_code, reopened.json()["status"]) == (200, "open")


@pytest.mark.usefixtures("worker")
async def test_a_sleeping_deal_can_be_rebuilt_from_its_workflow(sample: Sample, temporal: Client) -> None:
    await sample.run()
    row = next(row for row in await sample.rows() if row.status == "open")
    outcome = await rebuild(sample.database, temporal, row.id)
    assert outcome.opportunity.version == row.version
    assert [entry.sequence for entry in outcome.entries] == list(range(1, row.version + 1))


async def test_owners_must_not_have_the_address_of_a_partners_person(sample: Sample, people: People) -> None:
    seller = await people.of("seller@aster.example")
    sample.edit(
        "mapping.yaml", "opportunities:\n", f"emails: {{Ada Winter: {seller.email}}}\n\nopportunities:\n"
    )
    with pytest.raises(InvalidInput, match="belongs to a partner's person"):
        await sample.run()


async def test_the_playbook_must_be_published(sample: Sample) -> None:
    sample.edit("mapping.yaml", "playbook: crm-import", "playbook: not-there")
    with pytest.raises(InvalidMapping, match=r":4: playbook: there is no playbook 'not-there'"):
        await sample.run()


async def test_a_deal_of_an_unknown_agent_is_rejected(sample: Sample) -> None:
    sample.edit("sales_pipeline.csv", "5LL3HJ5Y,Bruno Sato", "5LL3HJ5Y,Nobody Known")
    report = await sample.run()
    assert (report.opportunities.imported, report.opportunities.rejected) == (39, 3)


@pytest.mark.skipif(not PUBLIC.is_dir(), reason="the public export is not beside the repository")
def test_the_public_export_is_read_without_a_reject() -> None:
    export = read_files(PUBLIC, read_mapping(SAMPLE / "mapping.yaml"), datetime.now(UTC))
    assert export.rejects == []
    assert export.rows == {"people": 35, "accounts": 85, "products": 7, "opportunities": 8800}
    statuses = [deal.meaning.status.value for deal in export.deals]
    assert [statuses.count(status) for status in ("won", "lost", "open")] == [4238, 2473, 2089]
    assert len({deal.id for deal in export.deals}) == 8800
    assert sum(deal.account is None for deal in export.deals) == 1425
    assert {deal.custom["product"] for deal in export.deals} == {product.name for product in export.products}
