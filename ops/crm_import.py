"""`tandem import`: the opportunities of another CRM, taken over once however often it runs.

Live deals become running workflows (see `ops.crm_live`). Closed ones are history:
recorded with their dates, without a workflow until somebody reopens one. Both are
recorded by the same function as a worker's, many deals in one transaction.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import Self

import typer

from db import crm_import as rows
from db import opportunity, playbooks, policies
from db.session import Database
from domain.approval.policy import PolicyRef
from domain.crm_import.mapping import ImportMapping
from domain.crm_import.opening import opened, opening
from domain.crm_import.read import read_export
from domain.crm_import.records import Deal, Export, Reject
from domain.errors import NotFound
from domain.opportunity.draft import Outcome
from domain.playbook import Playbook
from ops import crm_files
from ops.crm_live import LiveDeals, ask_the_rule
from ops.crm_mapping import InvalidMapping, MappingFile, read_mapping
from ops.crm_reference import Reference, prepare
from ops.crm_report import Advance, Report, Tally, progress_on_terminal, show
from runtime import aio
from runtime.errors import CannotStart
from runtime.settings import Settings
from runtime.temporal_client import connect

PORTION = 250
"""Closed deals that are recorded in one transaction."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody asks to import, and how."""

    source: Path
    mapping: Path
    dry_run: bool = False
    rejects: Path = Path("import-rejects.csv")

    @classmethod
    def of(cls, source: Path, mapping: Path | None, *, dry_run: bool, rejects: Path) -> Self:
        """The same with the mapping that lies beside the export, where none is named.

        Raises:
            InvalidExport: there is no such export, or no mapping beside it.
        """
        folder = crm_files.folder_of(source)
        beside = folder / "mapping.yaml"
        if mapping is None and not beside.exists():
            raise crm_files.InvalidExport(
                f"There is no mapping.yaml in {folder}. Say with --mapping how to read the export; "
                "examples/crm-sample/mapping.yaml is one to begin with."
            )
        return cls(source, mapping or beside, dry_run=dry_run, rejects=rejects)


@dataclass(slots=True)
class Plan:
    """What is still to be done for the deals that are not here yet."""

    history: list[Outcome] = field(default_factory=list)
    live: list[Outcome] = field(default_factory=list)


async def import_and_show(settings: Settings, wanted: Wanted, *, as_json: bool) -> None:
    """Import with bars on the terminal, and print what was done as a table or as JSON."""
    with progress_on_terminal() as advance:
        report = await run_import(settings, wanted, advance)
    if as_json:
        typer.echo(json.dumps(report.as_dict(), indent=2))
    else:
        show(report)


async def run_import(settings: Settings, wanted: Wanted, advance: Advance) -> Report:
    """Import, or say what an import would do.

    Raises:
        InvalidMapping, InvalidExport: a file cannot be read as it is; nothing was changed.
        CannotStart, Unavailable: a server is missing; what was done so far stays, and is not done again.
    """
    began = monotonic()
    now = datetime.now(UTC)
    file = read_mapping(wanted.mapping)
    export = read_files(wanted.source, file, now)
    if settings.database_url is None:
        raise CannotStart("No database is known: start one with `tandem up`, or set TANDEM_DATABASE_URL.")
    database = Database(settings.database_url)
    try:
        playbook, policy = await _rules(database, file)
        importing = Import(settings, database, file.mapping, playbook, policy, export, now, advance)
        report = await importing.run(dry_run=wanted.dry_run)
    finally:
        await database.close()
    if export.rejects:
        crm_files.write_rejects(wanted.rejects, _in_order(export.rejects))
        report.rejects_file = wanted.rejects
    report.seconds = round(monotonic() - began, 2)
    return report


def read_files(source: Path, file: MappingFile, now: datetime) -> Export:
    """The export in a folder, read under the mapping."""
    needed = crm_files.needed_columns(file.mapping)
    sheets = {
        part: crm_files.read_sheet(path, needed[part])
        for part, path in crm_files.find_files(source, file.mapping).items()
    }
    return read_export(file.mapping, sheets, file.world(now.date()))


async def _rules(database: Database, file: MappingFile) -> tuple[Playbook, PolicyRef | None]:
    """The playbook that the mapping names, with all the stages that it speaks of, and its discount policy."""
    key = file.mapping.playbook
    try:
        async with database.read() as session:
            playbook = await playbooks.latest(session, key)
            policy = await policies.newest(session, playbook.discount_policy)
    except NotFound:
        detail = f"there is no playbook '{key}'; publish it with `tandem playbook publish`, or name another"
        raise InvalidMapping([file.document.problem(("playbook",), detail)]) from None
    file.check(playbook)
    return playbook, policy


@dataclass(frozen=True, slots=True)
class Import:
    """One import, from what was read to what is recorded."""

    settings: Settings
    database: Database
    mapping: ImportMapping
    playbook: Playbook
    policy: PolicyRef | None
    export: Export
    now: datetime
    advance: Advance

    async def run(self, *, dry_run: bool) -> Report:
        """All of it; for a dry run, up to the point where deals would be written."""
        async with self.database.read() as session:
            known = await rows.deals_of(session, self.mapping.source)
        reference = await prepare(self.database, self.mapping, self.export, dry_run=dry_run)
        report = Report(self.mapping.source, self.playbook.key, self.playbook.version, dry_run=dry_run)
        plan = self._plan(reference, known, report)
        self._count(reference, report)
        if not dry_run:
            await self._carry_out(plan)
        return report

    def _plan(self, reference: Reference, known: set[str], report: Report) -> Plan:
        """What to do with each deal."""
        plan = Plan()
        for count, deal in enumerate(self.export.deals, start=1):
            tally = report.taken[deal.meaning.status]
            if deal.external_id in known:
                tally.already_there += 1
                continue
            self._add(plan, deal, reference)
            tally.imported += 1
            if count % PORTION == 0:
                self.advance("Deals read", count, len(self.export.deals))
        self.advance("Deals read", len(self.export.deals), len(self.export.deals))
        return plan

    def _add(self, plan: Plan, deal: Deal, reference: Reference) -> None:
        owner = reference.owners[deal.owner.name] if deal.owner else None
        account_id = reference.accounts[deal.account.name] if deal.account else None
        command = opening(
            deal, self.mapping, self.playbook, policy=self.policy, account_id=account_id, owner=owner
        )
        if owner is not None and owner.id is not None:
            command = command.but(calendar=reference.calendars[owner.id])
        outcome = opened(command, self.now, owner)
        if deal.is_live:
            plan.live.append(ask_the_rule(outcome, self.now))
        else:
            plan.history.append(outcome)

    def _count(self, reference: Reference, report: Report) -> None:
        """Fill in the numbers: of each kind, what was not taken was rejected."""
        read, taken = self.export.rows, report.taken.values()
        report.people = _tally(read.get("people"), len(self.export.people), reference.new_people)
        report.accounts = _tally(read.get("accounts"), len(self.export.accounts), reference.new_accounts)
        products = len(self.export.products)
        report.products = Tally(
            rows=read.get("products", 0), rejected=read.get("products", products) - products
        )
        new, old = sum(tally.imported for tally in taken), sum(tally.already_there for tally in taken)
        report.opportunities = _tally(read["opportunities"], new + old, new)

    async def _carry_out(self, plan: Plan) -> None:
        if not plan.live:
            await self._record_history(plan.history)
            return
        client = await connect(self.settings)
        live = LiveDeals(client, self.database, self.settings.task_queue, self.advance)
        await aio.together(self._record_history(plan.history), live.run(plan.live, self.now))

    async def _record_history(self, outcomes: Sequence[Outcome]) -> None:
        for first in range(0, len(outcomes), PORTION):
            portion = outcomes[first : first + PORTION]
            async with self.database.transaction() as session:
                await opportunity.record_many(session, portion)
            self.advance("Closed deals", first + len(portion), len(outcomes))


def _tally(rows_read: int | None, taken: int, new: int) -> Tally:
    """`rows_read` is None for what no file lists: then there are as many rows as were named."""
    read = taken if rows_read is None else rows_read
    return Tally(rows=read, imported=new, already_there=taken - new, rejected=read - taken)


def _in_order(rejects: list[Reject]) -> list[Reject]:
    return sorted(rejects, key=lambda reject: (reject.row.file, reject.row.line))
