"""`tandem playbook`: check playbook files, export their schema, publish them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from db import playbooks
from db.session import Database
from runtime import aio
from runtime.documents import Problem
from runtime.errors import CannotStart
from runtime.playbooks import InvalidPlaybook, playbook_schema, read_playbook
from runtime.settings import load

app = typer.Typer(no_args_is_help=True, help="Check, describe and publish playbooks.")

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


@app.command()
def validate(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Playbook files (YAML).")],
    as_json: Annotated[bool, typer.Option("--json", help="Answer the problems as JSON.")] = False,
) -> None:
    """Check playbook files, down to every CEL rule, without publishing them."""
    problems = problems_in(files)
    if as_json:
        typer.echo(json.dumps([problem.as_dict() for problem in problems], indent=2))
    for problem in problems if not as_json else []:
        typer.echo(str(problem), err=True)
    if problems:
        raise typer.Exit(1)
    if not as_json:
        typer.echo(f"{len(files)} {'playbook is' if len(files) == 1 else 'playbooks are'} valid.")


@app.command()
def schema() -> None:
    """Print the JSON Schema of playbook files, for editors."""
    typer.echo(schema_text(), nl=False)


@app.command()
def publish(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Playbook files (YAML).")],
    as_json: Annotated[bool, typer.Option("--json", help="Answer the versions as JSON.")] = False,
) -> None:
    """Publish playbook files, each as the next version; deals that run keep theirs."""
    published = aio.run(_publish(files))
    if as_json:
        typer.echo(json.dumps([asdict(version) for version in published], indent=2))
    for version in published if not as_json else []:
        typer.echo(str(version))


async def _publish(files: Sequence[Path]) -> list[Published]:
    url = load().database_url
    if url is None:
        raise CannotStart(
            "No database is named: set TANDEM_DATABASE_URL, or publish in the portal of a running Tandem."
        )
    database = Database(url)
    try:
        return await publish_files(database, files)
    finally:
        await database.close()
