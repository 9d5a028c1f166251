"""Exporting deals: everything in somebody's scope, nothing beyond it, harmless to spreadsheets."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from db import opportunity
from db.session import Database
from domain.errors import InvalidInput, NotFound
from domain.opportunity.rules import open_deal
from domain.opportunity.state import DealPartner
from domain.playbook import PartnerRole, Playbook
from domain.principal import SYSTEM
from ops.export import export_as, writable
from runtime.ids import new_id
from tests.factories import opening
from tests.stack import People


async def recorded(database: Database, playbook: Playbook, **changes: Any) -> str:
    command = opening(**{"id": new_id(), "playbook": playbook, "owner": None, "partners": (), **changes})
    async with database.transaction() as session:
        await opportunity.record(session, open_deal(command, datetime.now(UTC), SYSTEM))
    return str(command.id)


async def exported(database: Database, email: str, kind: Any) -> list[dict[str, Any]]:
    out = io.StringIO()
    count = await export_as(database, email, out, kind)
    text = out.getvalue()
    rows = (
        list(csv.DictReader(io.StringIO(text)))
        if kind == "csv"
        else [json.loads(line) for line in text.splitlines()]
    )
    assert len(rows) == count
    return rows


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
async def test_all_deals_are_written_for_the_vendor(
    database: Database, people: People, playbook: Playbook, kind: str
):
    rep = await people.of("rep@vendor.example")
    deal = await recorded(database, playbook, title="Robot cell")
    row = next(row for row in await exported(database, rep.email, kind) if row["id"] == deal)
    assert (row["title"], row["amount"], row["currency"]) == ("Robot cell", "250000.00", "USD")


async def test_a_partner_exports_its_own_deals_only(database: Database, people: People, playbook: Playbook):
    seller = await people.of("seller@borealis.example")
    borealis = DealPartner(id=people.borealis.id, name="Borealis", role=PartnerRole.RESELLER)
    ours = await recorded(database, playbook, partners=(borealis,))
    theirs = await recorded(database, playbook)
    ids = {row["id"] for row in await exported(database, seller.email, "jsonl")}
    assert ours in ids
    assert theirs not in ids


async def test_a_title_is_no_formula_in_a_spreadsheet(database: Database, people: People, playbook: Playbook):
    rep = await people.of("rep@vendor.example")
    deal = await recorded(database, playbook, title="=cmd()")
    row = next(row for row in await exported(database, rep.email, "csv") if row["id"] == deal)
    assert row["title"] == "'=cmd()"


async def test_nobody_exports_nothing(database: Database, people: People):
    with pytest.raises(NotFound, match=r"nobody@vendor\.example"):
        await export_as(database, "nobody@vendor.example", io.StringIO(), "csv")


def test_a_file_that_cannot_be_written_is_said_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"deals.csv cannot be written \(No such file"):
        writable(tmp_path / "nowhere" / "deals.csv")
    with writable(tmp_path / "deals.csv") as out:
        out.write("é")
    assert (tmp_path / "deals.csv").read_bytes() == "é".encode()
