"""`tandem playbook`: check playbook files, export their schema, publish them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from db import playbooks
from db.pages import PageRequest
from db.session import Database
from domain.playbook import PlaybookDefinition
from ops import published
from ops.published import EXAMPLES, Published
from runtime import aio
from runtime.documents import Problem
from runtime.playbooks import InvalidPlaybook, playbook_schema, read_playbook
from runtime.settings import load

SHIPPED = EXAMPLES / "playbooks"


def shipped_playbooks() -> list[Path]:
    """The playbook files that come with Tandem, by name."""
    return published.shipped("playbooks")


def problems_in(files: Sequence[Path]) -> list[Problem]:
    """Everything that is wrong with these files; empty when all of them can be published."""
    return published.problems_in(files, _read)


def _read(file: Path) -> PlaybookDefinition:
    """A playbook file, for this installation."""
    return read_playbook(file, private=load().webhook_allow_private)


def schema_text() -> str:
    """The JSON Schema of a playbook file, as it is committed beside the examples."""
    return json.dumps(playbook_schema(), indent=2) + "\n"


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
        found = []
        for file in files:
            row, new = await playbooks.publish(session, _read(file), by=None, now=now)
            found.append(Published(row.key, row.version, row.title, new))
        return found


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
    well = f"{len(files)} {'playbook is' if len(files) == 1 else 'playbooks are'} valid."
    published.say_problems(problems_in(files), well, as_json=as_json)


def publish(files: Sequence[Path], *, as_json: bool) -> None:
    """Publish the files and say which versions they became. Raises as `publish_files`."""
    published.say_published(aio.run(_publish(files)), as_json=as_json)


async def _publish(files: Sequence[Path]) -> list[Published]:
    async with published.running_database() as database:
        return await publish_files(database, files)
