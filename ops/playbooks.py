"""`tandem playbook`: check playbook files, export their schema, publish them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import typer

from db import playbooks
from db.pages import PageRequest
from db.session import Database
from runtime import aio, instance
from runtime.documents import Problem
from runtime.playbooks import InvalidPlaybook, playbook_schema, read_playbook
from runtime.settings import load

SHIPPED = Path(__file__).resolve().parent.parent / "examples" / "playbooks"


def shipped_playbooks() -> list[Path]:
    """The playbook files that come with Tandem, by name."""
    return sorted(SHIPPED.glob("*.yaml"))


def problems_in(files: Sequence[Path]) -> list[Problem]:
    """Everything that is wrong with these files; empty when all of them can be published."""
    found: list[Problem] = []
    for file in files:
        try:
            read_playbook(file)
        except InvalidPlaybook as invalid:
            found.extend(invalid.problems)
    return found


def schema_text() -> str:
    """The JSON Schema of a playbook file, as it is committed beside the examples."""
    return json.dumps(playbook_schema(), indent=2) + "\n"


@dataclass(frozen=True)
class Published:
    """A playbook's version after publishing; not `new` when it was there with the same content."""

    key: str
    version: int
    title: str
    new: bool

    def __str__(self) -> str:
        state = "is published" if self.new else "was published before, with the same content"
        return f"{self.key} version {self.version} ({self.title}) {state}."


async def publish_files(database: Database, files: Sequence[Path]) -> list[Published]:
    """Publish every file as its playbook's next version, or none of them.

    Raises:
        InvalidPlaybook: with the problems of all files.
        Unavailable: the database does not answer.
    """
    if problems := problems_in(files):
        raise InvalidPlaybook(problems)
    now = datetime.now(UTC)
    async with database.transaction() as session:
        published = []
        for file in files:
            row, new = await playbooks.publish(session, read_playbook(file), by=None, now=now)
            published.append(Published(row.key, row.version, row.title, new))
        return published


async def publish_shipped(database: Database) -> None:
    """Publish the playbooks that come with Tandem where there is none at all: later ones are the vendor's.

    Raises:
        Unavailable: the database does not answer.
    """
    async with database.read() as session:
        there = await playbooks.page(session, PageRequest(limit=1))
    if not there.items:
        await publish_files(database, shipped_playbooks())


def validate(files: Sequence[Path], *, as_json: bool) -> None:
    """Say what is wrong with the files, or that nothing is. Exits with 1 when something is."""
    problems = problems_in(files)
    if as_json:
        typer.echo(json.dumps([problem.as_dict() for problem in problems], indent=2))
    for problem in problems if not as_json else []:
        typer.echo(str(problem), err=True)
    if problems:
        raise typer.Exit(1)
    if not as_json:
        typer.echo(f"{len(files)} {'playbook is' if len(files) == 1 else 'playbooks are'} valid.")


def publish(files: Sequence[Path], *, as_json: bool) -> None:
    """Publish the files and say which versions they became. Raises as `publish_files`."""
    published = aio.run(_publish(files))
    if as_json:
        typer.echo(json.dumps([asdict(version) for version in published], indent=2))
    for version in published if not as_json else []:
        typer.echo(str(version))


async def _publish(files: Sequence[Path]) -> list[Published]:
    settings = load()
    url = settings.database_url or instance.located(settings).database_url
    assert url is not None  # noqa: S101 - `located` raises where there is none
    database = Database(url)
    try:
        return await publish_files(database, files)
    finally:
        await database.close()
