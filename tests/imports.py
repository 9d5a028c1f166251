"""The CRM export that ships as a sample, copied under a source of its own, and imported."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlmodel import col

from db.session import Database
from db.tables import Account, OpportunityRow, TimelineRow, User
from ops.crm_import import Wanted, run_import
from ops.crm_report import Report, silent
from runtime.settings import Settings

ROOT = Path(__file__).resolve().parents[1]
SAMPLE = ROOT / "examples" / "crm-sample"


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
