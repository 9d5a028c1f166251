"""`tandem policy`: check discount policies, export their schema, publish them, try them on past requests."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from pathlib import Path

import typer

from db import directory, discounts, partners, policies
from db.pages import PageRequest
from db.session import Database
from domain.approval.directory import Directory
from domain.discount.replay import ReplayReport
from ops import published
from ops.published import EXAMPLES, Published
from runtime import aio
from runtime.documents import Problem
from runtime.policies import RULES, InvalidPolicy, policy_schema, read_policy

SHIPPED = EXAMPLES / "policies"


def shipped_policies() -> list[Path]:
    """The policy files that come with Tandem, by name."""
    return published.shipped("policies")


def problems_in(files: Sequence[Path], people: Directory | None = None) -> list[Problem]:
    """Everything that is wrong with these files; with people, also whether every step finds somebody."""
    return published.problems_in(files, partial(read_policy, directory=people))


def schema_text() -> str:
    """The JSON Schema of a policy file, as it is committed beside the examples."""
    return json.dumps(policy_schema(), indent=2) + "\n"


async def publish_files(database: Database, files: Sequence[Path]) -> list[Published]:
    """Publish every file as its policy's next version, or none of them.

    Raises:
        InvalidPolicy: with the problems of all files; also that a step names nobody.
        Unavailable: the database does not answer.
    """
    async with database.transaction() as session:
        vendor = await partners.vendor(session)
        people = await directory.read(session, organisation_ids=[vendor.id] if vendor else [])
    return await _publish_checked(database, files, people)


async def publish_shipped(database: Database) -> None:
    """Publish the policies that come with Tandem where there is none at all: later ones are the vendor's.

    Nobody needs to have their roles yet: until then the last whom they ask is the administrator.

    Raises:
        Unavailable: the database does not answer.
    """
    async with database.read() as session:
        there = await policies.page(session, PageRequest(limit=1))
    if not there.items:
        await _publish_checked(database, shipped_policies(), None)


async def _publish_checked(
    database: Database, files: Sequence[Path], people: Directory | None
) -> list[Published]:
    if problems := problems_in(files, people):
        raise InvalidPolicy(problems)
    now = datetime.now(UTC)
    async with database.transaction() as session:
        found = []
        for file in files:
            row, new = await policies.publish(session, read_policy(file), by=None, now=now)
            found.append(Published(row.key, row.version, row.title, new))
        return found


def validate(files: Sequence[Path], *, as_json: bool) -> None:
    """Say what is wrong with the files, or that nothing is. Exits with 1 when something is."""
    well = f"{len(files)} {'policy is' if len(files) == 1 else 'policies are'} valid."
    published.say_problems(problems_in(files), well, as_json=as_json)


def publish(files: Sequence[Path], *, as_json: bool) -> None:
    """Publish the files and say which versions they became. Raises as `publish_files`."""
    published.say_published(aio.run(_publish(files)), as_json=as_json)


async def _publish(files: Sequence[Path]) -> list[Published]:
    async with published.running_database() as database:
        return await publish_files(database, files)


def try_on(file: Path, *, as_json: bool) -> None:
    """Say what a draft would have changed for all past requests. Raises `InvalidPolicy`."""
    report = aio.run(replay_file(file))
    if as_json:
        numbers = {"more_approvals": report.more_approvals, "more_given": str(report.more_given)}
        typer.echo(json.dumps({**report.model_dump(mode="json"), **numbers}, indent=2))
    else:
        typer.echo(in_words(report))


async def replay_file(file: Path) -> ReplayReport:
    """All past requests through the policy in a file."""
    draft = read_policy(file)
    async with published.running_database() as database, database.read() as session:
        return await discounts.replay_past(session, draft, RULES)


def in_words(report: ReplayReport) -> str:
    """The report, for people: the sums, then each request that changes."""
    if not report.requests:
        return "Nobody has asked for a discount yet: there is nothing to compare."
    lines = [
        f"{report.requests:,} requests, of which {report.changed:,} change.",
        _sum("Approvals", report.approvals_before, report.approvals_after),
        f"Granted at once: {report.at_once_after:,} instead of {report.at_once_before:,}.",
        _sum(f"Given away ({report.currency})", report.given_before, report.given_after),
        *(
            f"{step}: asked {count:,} {'time' if count == 1 else 'times'}."
            for step, count in report.by_step.items()
        ),
        *(f"- {each.percent} % on {each.title}: {each.words}" for each in report.items),
        *(f"- {each.title} is left out: {each.why}" for each in report.skipped),
    ]
    return "\n".join(lines)


def _sum(what: str, before: int | Decimal, after: int | Decimal) -> str:
    return f"{what}: {after:,} instead of {before:,} ({after - before:+,})."
