"""`tandem doctor`: what is wrong with this installation, and what to do about it."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict
from typing import Any
from uuid import UUID

from temporalio.client import Client

from db import approval, handoff, migrate, opportunity, partners, pipeline_totals, playbooks
from db.pages import PageRequest
from db.session import Database
from domain.errors import NotFound, TandemError
from ops.finding import Finding
from ops.health_mail import look_at_mail
from ops.health_worker import check_worker
from ops.rebuild import rebuild, revive_handoff
from runtime.errors import CannotStart
from runtime.settings import Settings
from runtime.temporal_client import connect
from workflows.approval_messages import approval_workflow_id
from workflows.handoff_messages import handoff_workflow_id
from workflows.messages import workflow_id

LITTLE_DISK = 500 * 1024 * 1024


def as_data(settings: Settings, findings: list[Finding]) -> dict[str, Any]:
    """The report for a script."""
    return {
        "ok": all(finding.ok for finding in findings),
        "findings": [asdict(finding) for finding in findings],
        "settings": settings.public(),
    }


def report(settings: Settings, findings: list[Finding], *, as_json: bool) -> str:
    """The findings and the settings in effect, for a person or for a script."""
    if as_json:
        return json.dumps(as_data(settings, findings), indent=2)
    shown = [f"     {name}={value}" for name, value in settings.public().items() if value]
    return "\n".join([*map(str, findings), "", "Settings in effect:", *shown])


async def rebuild_opportunity(settings: Settings, opportunity_id: UUID) -> str:
    """Restore a deal's rows from its workflows, and its hand-off's lost workflow from the record.

    Answers a sentence that says so.

    Raises:
        CannotStart: no database or no Temporal is known.
        NotFound: Temporal knows no such workflow.
        Unavailable: the database, Temporal or the worker does not answer.
    """
    async with _opened(settings) as database:
        client = await connect(settings)
        revived = await revive_handoff(database, client, opportunity_id, settings.task_queue)
        try:
            outcome = await rebuild(database, client, opportunity_id)
        except NotFound:
            if not revived:
                raise
            return "The deal's hand-off goes on from its record."
    deal = outcome.opportunity
    return f"“{deal.title}” is restored at version {deal.version}, with {len(outcome.entries)} events."


async def recount_pipeline(settings: Settings) -> str:
    """Count the pipeline's totals anew; a sentence that says so.

    Raises:
        CannotStart: no database is known.
        Unavailable: the database does not answer.
    """
    async with _opened(settings) as database, database.transaction() as session:
        wrong = await pipeline_totals.wrong(session)
        await pipeline_totals.recount(session)
    return f"The pipeline's totals are counted anew; {wrong or 'none'} of them had been wrong."


@asynccontextmanager
async def _opened(settings: Settings) -> AsyncIterator[Database]:
    if settings.database_url is None:
        raise CannotStart("No database is known: start one with `tandem up`, or set TANDEM_DATABASE_URL.")
    database = Database(settings.database_url)
    try:
        yield database
    finally:
        await database.close()


async def examine(settings: Settings) -> list[Finding]:
    """Look at everything that Tandem needs; nothing is changed."""
    findings = [_disk(settings)]
    if settings.database_url is None:
        return [
            *findings,
            Finding("database", False, "none is known", "Run `tandem up`, or set TANDEM_DATABASE_URL."),
        ]
    database = Database(settings.database_url)
    try:
        findings += [finding async for finding in _database(database)]
        findings += [finding async for finding in _temporal(settings, database)]
        findings += [finding async for finding in look_at_mail(settings, database)]
    finally:
        await database.close()
    return findings


def _disk(settings: Settings) -> Finding:
    place = settings.home if settings.home.exists() else settings.home.absolute().parent
    free = shutil.disk_usage(place).free
    megabytes = free // (1024 * 1024)
    return Finding("disk", free > LITTLE_DISK, f"{megabytes:,} MB free", "Make room: the database needs it.")


async def _try(what: str, advice: str, look: Callable[[], Awaitable[str]]) -> Finding:
    try:
        return Finding(what, True, await look())
    except TandemError as error:
        return Finding(what, False, error.detail, advice)


async def _database(database: Database) -> AsyncIterator[Finding]:
    found = await _try(
        "database", "Start PostgreSQL, and check TANDEM_DATABASE_URL.", database.server_version
    )
    yield found
    if not found.ok:
        return
    current = await database.schema_revision()
    newest = await asyncio.to_thread(migrate.head)
    yield Finding("schema", current == newest, f"revision {current or 'none'}", "Run `tandem migrate`.")
    if current != newest:
        return
    async with database.read() as session:
        vendor = await partners.vendor(session)
        books = (await playbooks.page(session, PageRequest(limit=200))).items
        wrong = await pipeline_totals.wrong(session)
    yield Finding(
        "vendor",
        vendor is not None,
        vendor.name if vendor else "nobody is set up",
        "Run `tandem setup`, or `tandem demo` for a look around.",
    )
    names = ", ".join(sorted(book.key for book in books)) or "none is published"
    yield Finding("playbooks", bool(books), names, "Run `tandem playbook publish examples/playbooks/*.yaml`.")
    says = f"{wrong} kept sums are not what the deals add up to" if wrong else "its sums are as its deals are"
    yield Finding("pipeline", not wrong, says, "Run `tandem doctor --recount`.")


async def _temporal(settings: Settings, database: Database) -> AsyncIterator[Finding]:
    advice = "Start Temporal, and check TANDEM_TEMPORAL_ADDRESS."
    if settings.temporal_address is None:
        yield Finding("temporal", False, "none is known", "Run `tandem up`, or set TANDEM_TEMPORAL_ADDRESS.")
        return
    try:
        client = await connect(settings)
    except TandemError as error:
        yield Finding("temporal", False, error.detail, advice)
        return
    yield Finding("temporal", True, f"{settings.temporal_address}, namespace {client.namespace}")

    async def polls() -> str:
        await check_worker(settings)
        return f"asks for work on the task queue {settings.task_queue}"

    yield await _try("worker", "Start one: `tandem worker`.", polls)
    yield await _processes(client, database)


async def _processes(client: Client, database: Database) -> Finding:
    """Every deal, every request and every hand-off that is not closed has a running workflow."""
    types = "'OpportunityWorkflow', 'ApprovalWorkflow', 'HandOffWorkflow'"
    query = f"WorkflowType IN ({types}) AND ExecutionStatus = 'Running'"
    running = {execution.id async for execution in client.list_workflows(query)}
    async with database.read() as session:
        deals = {workflow_id(each) for each in await opportunity.open_ids(session)}
        requests = {approval_workflow_id(each) for each in await approval.open_ids(session)}
        passed_on = {handoff_workflow_id(each) for each in await handoff.open_ids(session)}
    lost = sorted((deals | requests | passed_on) - running)
    detail = (
        f"{len(running):,} run, {len(deals):,} deals, {len(requests):,} requests and "
        f"{len(passed_on):,} hand-offs are not closed"
    )
    if lost:
        detail += f"; without a process: {', '.join(lost[:3])}{' …' if len(lost) > 3 else ''}"  # noqa: PLR2004 -- as many as shown
    advice = "Look for them in the Temporal UI: were they terminated, or is this another Temporal server?"
    return Finding("processes", not lost, detail, advice)
