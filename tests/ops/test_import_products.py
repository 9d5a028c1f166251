"""`tandem import FILE --format products`: price lists as people keep them, taken into the catalogue once."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from uuid import uuid4

import pytest
from typer.testing import CliRunner

import cli
from db import products
from db.session import Database
from db.tables import Product
from ops.crm_files import InvalidExport
from ops.product_import import ProductReport, run_import
from runtime.errors import CannotStart
from runtime.settings import Settings

SAMPLE = Path(__file__).resolve().parents[2] / "examples" / "products.csv"


@dataclass
class PriceLists:
    """Price lists whose SKUs begin with a mark of their own (`*` in the text), so that tests do not meet."""

    folder: Path
    settings: Settings
    database: Database
    mark: str

    def write(self, content: str | bytes) -> Path:
        path = self.folder / "prices.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.replace("*", self.mark).encode())
        return path

    async def take(self, content: str | bytes, *, dry_run: bool = False) -> ProductReport:
        path = self.write(content)
        return await run_import(self.settings, path, dry_run=dry_run, rejects=self.folder / "rejects.csv")

    async def kept(self, *skus: str) -> list[Product]:
        async with self.database.read() as session:
            found = await products.by_sku(session, [f"{self.mark}{sku}" for sku in skus])
        return [found[f"{self.mark}{sku}".lower()] for sku in skus if f"{self.mark}{sku}".lower() in found]

    @property
    def rejects(self) -> list[dict[str, str]]:
        with (self.folder / "rejects.csv").open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))


@pytest.fixture
def lists(tmp_path: Path, settings: Settings, database: Database) -> PriceLists:
    return PriceLists(tmp_path, settings, database, f"T{uuid4().hex[:8]}-")


LIST = """sku,name,product_line,list_price,cost,currency,active
*1,ERP suite,ERP,6000.00,4321.09,USD,yes
*2,"Support, all year",Support,50.5,,EUR,no
"""


def counts(report: ProductReport) -> tuple[int, int, int, int, int]:
    return report.rows, report.imported, report.changed, report.already_there, report.rejected


async def test_a_price_list_becomes_the_catalogue(lists: PriceLists) -> None:
    assert counts(await lists.take(LIST)) == (2, 2, 0, 0, 0)
    suite, support = await lists.kept("1", "2")
    assert (suite.name, suite.product_line, suite.list_price, suite.cost, suite.currency, suite.active) == (
        "ERP suite",
        "ERP",
        Decimal("6000.00"),
        Decimal("4321.09"),
        "USD",
        True,
    )
    assert (support.name, support.list_price, support.cost, support.currency, support.active) == (
        "Support, all year",
        Decimal("50.50"),
        None,
        "EUR",
        False,
    )


async def test_the_same_list_twice_changes_nothing(lists: PriceLists) -> None:
    await lists.take(LIST)
    before = await lists.kept("1", "2")
    assert counts(await lists.take(LIST)) == (2, 0, 0, 2, 0)
    assert [(row.id, row.version) for row in await lists.kept("1", "2")] == [
        (row.id, row.version) for row in before
    ]


async def test_a_dry_run_counts_and_writes_nothing(lists: PriceLists) -> None:
    assert counts(await lists.take(LIST, dry_run=True)) == (2, 2, 0, 0, 0)
    assert await lists.kept("1", "2") == []
    await lists.take(LIST)
    dearer = LIST.replace("6000.00", "6500")
    assert counts(await lists.take(dearer, dry_run=True)) == (2, 0, 1, 1, 0)
    assert (await lists.kept("1"))[0].list_price == Decimal(6000)


async def test_a_new_list_changes_what_it_speaks_of(lists: PriceLists) -> None:
    await lists.take(LIST)
    report = await lists.take("SKU;Name;List price\n*1;ERP suite X;6500,50\n*3;New;7\n")
    assert counts(report) == (2, 1, 1, 0, 0)
    suite, new = await lists.kept("1", "3")
    assert (suite.name, suite.list_price, suite.cost, suite.version) == (
        "ERP suite X",
        Decimal("6500.50"),
        Decimal("4321.09"),
        2,
    )
    assert new.active


async def test_a_cost_does_not_change_its_currency_with_the_price(lists: PriceLists) -> None:
    await lists.take(LIST)
    await lists.take("sku,name,list_price,currency\n*1,ERP suite,5800,EUR\n")
    [suite] = await lists.kept("1")
    assert (suite.currency, suite.cost) == ("EUR", None)


@pytest.mark.parametrize(
    "content",
    [
        "\ufeff" + LIST,
        LIST.replace("\n", "\r\n"),
        LIST.replace('"Support, all year"', "Support").replace(",", ";"),
        LIST.replace("list_price", "Unit Price").replace("sku", "Product Code").replace("cost", "COST"),
    ],
    ids=["byte-order mark", "Windows", "semicolons", "other headings"],
)
async def test_the_same_list_is_read_however_it_is_written(lists: PriceLists, content: str) -> None:
    assert counts(await lists.take(content)) == (2, 2, 0, 0, 0)
    assert [row.list_price for row in await lists.kept("1", "2")] == [Decimal(6000), Decimal("50.5")]


async def test_a_list_of_names_and_prices_is_enough(lists: PriceLists) -> None:
    assert counts(await lists.take("product,series,sales_price\n*GTX Basic,GTX,550\n")) == (1, 1, 0, 0, 0)
    [product] = await lists.kept("GTX Basic")
    assert (product.name, product.product_line) == (f"{lists.mark}GTX Basic", "GTX")


async def test_what_cannot_be_taken_is_rejected_with_line_and_reason(lists: PriceLists) -> None:
    content = (
        "sku,name,list_price,cost,currency,active\n"
        "*1,Good,5,,USD,\n"
        "*2,,abc,-1,DM,perhaps\n"
        "*1,Twice,5,,USD,yes\n"
        "*4,Short\n"
        f"{'x' * 101},Long,5,,USD,yes\n"
        '*6,"1,250","1,250",,USD,yes\n'
    )
    assert counts(await lists.take(content)) == (6, 1, 0, 0, 5)
    rejects = lists.rejects
    assert [(row["line"], row["field"]) for row in rejects] == [
        ("3", "name list_price cost currency active"),
        ("4", "sku"),
        ("5", ""),
        ("6", "sku"),
        ("7", "list_price"),
    ]
    assert rejects[0]["reason"] == (
        "name is empty; list_price “abc” is not an amount such as 1250.50; cost “-1” is negative; "
        "currency “DM” is no currency; write an ISO 4217 code such as USD; "
        "active “perhaps” is neither yes nor no"
    )
    assert rejects[1]["reason"] == f"sku “{lists.mark}1” is that of line 2 already"
    assert "the row has 2 values" in rejects[2]["reason"]
    assert rejects[3]["reason"].endswith("at most 100 are taken")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ('sku,name,list_price\n1,"Open,5\n', "line 2: a quote"),
        ("", "is empty"),
        ("sku,colour\n1,red\n", "has no column name and none list_price. It has: sku, colour."),
        (b"\x00\xff\xfe\x80", "is not UTF-8 text"),
    ],
    ids=["open quote", "empty", "no such columns", "no text"],
)
async def test_what_is_no_price_list_is_refused_and_changes_nothing(
    lists: PriceLists, content: str | bytes, sentence: str
) -> None:
    with pytest.raises(InvalidExport, match=sentence):
        await lists.take(content)


async def test_a_list_of_headings_alone_holds_nothing(lists: PriceLists) -> None:
    assert counts(await lists.take("sku,name,list_price\n")) == (0, 0, 0, 0, 0)


async def test_without_file_or_database_it_says_what_is_missing(lists: PriceLists) -> None:
    with pytest.raises(InvalidExport, match="Give the CSV file of the products"):
        await run_import(lists.settings, lists.folder, dry_run=False, rejects=lists.folder / "r.csv")
    nowhere = lists.settings.model_copy(update={"database_url": None})
    with pytest.raises(CannotStart, match="No database is known"):
        await run_import(nowhere, lists.write(LIST), dry_run=False, rejects=lists.folder / "r.csv")


def test_the_command_says_what_it_did(lists: PriceLists, monkeypatch: pytest.MonkeyPatch) -> None:
    assert lists.settings.database_url is not None
    monkeypatch.setenv("TANDEM_DATABASE_URL", lists.settings.database_url)
    monkeypatch.setenv("TANDEM_TEMPORAL_ADDRESS", lists.settings.temporal_address or "")
    monkeypatch.setenv("TANDEM_HOME", str(lists.folder))
    monkeypatch.chdir(lists.folder)
    path = lists.write(LIST + "*9,,5,,,USD,\n")
    command = ["import", str(path), "--format", "products"]
    dry = CliRunner().invoke(cli.app, [*command, "--dry-run"])
    assert "3 rows: 2 would be new, 0 would be changed, 0 there already, 1 rejected." in dry.output
    assert "Nothing was changed." in dry.output
    done = CliRunner().invoke(cli.app, [*command, "--json"])
    told = json.loads(done.stdout)
    assert (told["imported"], told["rejected"], told["rejects_file"]) == (2, 1, "import-rejects.csv")


async def test_the_sample_that_ships_is_taken_whole(lists: PriceLists) -> None:
    report = await run_import(lists.settings, SAMPLE, dry_run=True, rejects=lists.folder / "rejects.csv")
    assert report.rows > 10
    assert report.rejected == 0
