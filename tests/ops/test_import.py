"""`tandem import` against the real stack: the sample that ships, and a public export where it is at hand."""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
import pytest_asyncio
from sqlalchemy import func, select
from sqlmodel import col
from temporalio.client import Client
from typer.testing import CliRunner

import cli
from db import opportunity, playbooks, policies
from db.session import Database
from db.tables import Account, OpportunityRow, TimelineRow, User
from domain.crm_import.opening import opened, opening
from domain.discount.policy import DiscountPolicyDefinition
from domain.errors import InvalidInput, Unavailable
from domain.playbook import Playbook, PlaybookDefinition
from ops.crm_import import Wanted, import_and_show, read_files, run_import
from ops.crm_live import LiveDeals
from ops.crm_mapping import InvalidMapping, read_mapping
from ops.crm_report import Report, silent
from ops.rebuild import rebuild
from runtime.errors import CannotStart
from runtime.settings import Settings
from tests.factories import a_playbook
from tests.stack import ClientFor, People
from workflows.messages import workflow_id

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "examples" / "crm-sample"
PUBLIC = ROOT.parent / "shared" / "data" / "crm-pipeline"


class Interrupted(Exception):
    """As if the process were killed here."""


@dataclass
class Sample:
    """A copy of the sample under a source of its own, so that each test imports it for the first time."""

    folder: Path
    source: str
    settings: Settings
    database: Database

    @property
    def mapping(self) -> Path:
        return self.folder / "mapping.yaml"

    async def run(self, advance: Any = silent, **options: Any) -> Report:
        wanted = Wanted(self.folder, self.mapping, rejects=self.folder / "rejects.csv", **options)
        return await run_import(self.settings, wanted, advance)

    async def rows(self) -> list[OpportunityRow]:
        mine = select(OpportunityRow).where(col(OpportunityRow.external_source) == self.source)
        async with self.database.read() as session:
            return list((await session.execute(mine)).scalars())

    async def count(self, table: type[Account | User]) -> int:
        mine = select(func.count()).where(col(table.external_source) == self.source)
        async with self.database.read() as session:
            return (await session.execute(mine)).scalar_one()

    async def story(self, deal: UUID) -> list[TimelineRow]:
        told = (
            select(TimelineRow).where(col(TimelineRow.stream_id) == deal).order_by(col(TimelineRow.sequence))
        )
        async with self.database.read() as session:
            return list((await session.execute(told)).scalars())

    def edit(self, file: str, before: str, after: str) -> None:
        path = self.folder / file
        text = path.read_text()
        assert before in text
        path.write_text(text.replace(before, after))


@pytest_asyncio.fixture(scope="session")
async def book(database: Database) -> Playbook:
    """A playbook that nobody else publishes, with its discount policy."""
    definition = PlaybookDefinition.model_validate(
        a_playbook(key="crm-import", discount_policy="crm-import").model_dump(exclude={"version"})
    )
    policy = DiscountPolicyDefinition(key="crm-import", title="Whatever it takes")
    async with database.transaction() as session:
        await policies.publish(session, policy, by=None, now=datetime.now(UTC))
        row, _ = await playbooks.publish(session, definition, by=None, now=datetime.now(UTC))
        return playbooks.of_row(row)


@pytest.fixture
def sample(
    tmp_path: Path,
    request: pytest.FixtureRequest,
    settings: Settings,
    people: People,
    book: Playbook,
) -> Sample:
    folder = tmp_path / "export"
    shutil.copytree(SAMPLE, folder)
    source = "sample-" + f"{abs(hash(request.node.name)):x}"
    copy = Sample(folder, source, settings, people.database)
    for before, after in (
        ("source: crm-export", f"source: {source}"),
        ("email_domain: sales.example", f"email_domain: {source}.example"),
        ("playbook: it-software", f"playbook: {book.key}"),
        ("stage: joint-qualification", "stage: qualify"),
        ("stage: needs-and-fit", "stage: proposal"),
    ):
        copy.edit("mapping.yaml", before, after)
    return copy


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


def _tandem(settings: Settings, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {
        "TANDEM_DATABASE_URL": settings.database_url or "",
        "TANDEM_TEMPORAL_ADDRESS": settings.temporal_address or "",
    }
    return subprocess.run(
        [sys.executable, "-m", "cli", *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


async def test_the_command_prints_numbers_that_add_up(sample: Sample) -> None:
    rejects = sample.folder / "bad.csv"
    ran = _tandem(sample.settings, "import", str(sample.folder), "--json", "--rejects", str(rejects))
    assert (ran.returncode, ran.stderr) == (0, "")
    told = json.loads(ran.stdout)
    assert told["rejects_file"] == str(rejects)
    for part in ("people", "accounts", "opportunities"):
        tally = told[part]
        assert tally["rows"] == tally["imported"] + tally["already_there"] + tally["rejected"]


@pytest.mark.parametrize(
    ("at", "says"),
    [
        ("nowhere", "tandem: There is no {folder}/nowhere. Give the folder of the export, or its CSV of"),
        ("empty", "tandem: There is no mapping.yaml in {folder}/empty. Say with --mapping how to read"),
    ],
)
def test_an_export_or_a_mapping_that_is_not_there_is_said_at_once(
    settings: Settings, tmp_path: Path, at: str, says: str
) -> None:
    (tmp_path / "empty").mkdir()
    ran = _tandem(settings, "import", str(tmp_path / at))
    assert (ran.returncode, ran.stdout, ran.stderr.count("\n")) == (1, "", 1)
    assert ran.stderr.startswith(says.format(folder=tmp_path))


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        (["frobnicate"], "No such command 'frobnicate'. Try `tandem --help`."),
        (["import"], "Missing argument 'source'. Try `tandem import --help`."),
        (["keys", "create", "--colour", "red"], "No such option: --colour. Try `tandem keys create --help`."),
    ],
)
def test_what_is_typed_wrong_is_one_line_too(settings: Settings, typed: list[str], says: str) -> None:
    ran = _tandem(settings, *typed)
    assert (ran.returncode, ran.stdout, ran.stderr) == (2, "", f"tandem: {says}\n")


async def test_the_table_says_what_is_there_and_where_the_rejects_are(
    sample: Sample, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    await sample.run()
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    deals = sample.folder / "sales_pipeline.csv"
    again = Wanted.of(deals, None, dry_run=True, rejects=sample.folder / "bad.csv")
    await import_and_show(sample.settings, again, as_json=False)
    out, err = capsys.readouterr()
    assert "Deals read" in err, "the bar"
    assert "Opportunities    42                  0             40         2" in out
    assert "2 rows are rejected, each with its reason, in" in out
    assert "Nothing was changed" in out

    one = sample.folder / "sales_pipeline.csv"
    one.write_text("".join(one.read_text().splitlines(keepends=True)[:14]))
    await import_and_show(sample.settings, replace(again, dry_run=False), as_json=False)
    assert "1 row is rejected" in capsys.readouterr().out


async def test_without_a_database_it_says_how_to_start_one(sample: Sample) -> None:
    sample.settings = Settings(home=sample.folder, database_url=None)
    with pytest.raises(CannotStart, match="start one with `tandem up`"):
        await sample.run()


async def test_without_temporal_nothing_live_is_recorded(sample: Sample) -> None:
    sample.settings = sample.settings.model_copy(update={"temporal_address": "127.0.0.1:1"})
    with pytest.raises(Unavailable, match="Temporal does not answer"):
        await sample.run()
    assert await sample.rows() == []


async def test_a_refusal_is_one_sentence_and_an_exit_code(sample: Sample) -> None:
    sample.edit("sales_pipeline.csv", "GFXSFVCB,Bruno Sato", 'GFXSFVCB,"Bruno Sato')
    ran = _tandem(sample.settings, "import", str(sample.folder))
    assert (ran.returncode, ran.stdout) == (1, "")
    assert ran.stderr == (
        'tandem: sales_pipeline.csv, line 5: a quote (") is opened here and never closed. '
        'Close it, or write "" where a quote is meant.\n'
    )


def test_other_formats_are_refused() -> None:
    assert CliRunner().invoke(cli.app, ["import", str(SAMPLE), "--format", "xlsx"]).exit_code == 2


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
