"""What `tandem playbook` and `tandem policy` share: check files, publish them, say what came of it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import typer

from db.session import Database
from runtime import instance
from runtime.documents import InvalidDocument, Problem
from runtime.settings import load

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"


def shipped(folder: str) -> list[Path]:
    """The files of this kind that come with Tandem, by name."""
    return sorted((EXAMPLES / folder).glob("*.yaml"))


def problems_in(files: Sequence[Path], read: Callable[[Path], Any]) -> list[Problem]:
    """Everything that is wrong with these files; empty when all of them can be published."""
    found: list[Problem] = []
    for file in files:
        try:
            read(file)
        except InvalidDocument as invalid:
            found.extend(invalid.problems)
    return found


@dataclass(frozen=True)
class Published:
    """A version after publishing; not `new` when it was there with the same content."""

    key: str
    version: int
    title: str
    new: bool

    def __str__(self) -> str:
        state = "is published" if self.new else "was published before, with the same content"
        return f"{self.key} version {self.version} ({self.title}) {state}."


def say_problems(problems: Sequence[Problem], well: str, *, as_json: bool) -> None:
    """Say what is wrong with files, or that nothing is (`well`). Exits with 1 when something is."""
    if as_json:
        typer.echo(json.dumps([problem.as_dict() for problem in problems], indent=2))
    for problem in problems if not as_json else []:
        typer.echo(str(problem), err=True)
    if problems:
        raise typer.Exit(1)
    if not as_json:
        typer.echo(well)


def say_published(published: Sequence[Published], *, as_json: bool) -> None:
    """Say which versions files became."""
    if as_json:
        typer.echo(json.dumps([asdict(version) for version in published], indent=2))
    for version in published if not as_json else []:
        typer.echo(str(version))


@asynccontextmanager
async def running_database() -> AsyncIterator[Database]:
    """The database that is set, or that of a running `tandem up`. Raises `CannotStart` without either."""
    settings = load()
    url = settings.database_url or instance.located(settings).database_url
    assert url is not None  # noqa: S101 - `located` raises where there is none
    database = Database(url)
    try:
        yield database
    finally:
        await database.close()
