"""`tandem playbook`: what it prints, and what publishing leaves behind."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

import cli
from db import playbooks
from db.session import Database
from domain.errors import NotFound
from ops import playbooks as commands
from runtime.errors import CannotStart
from runtime.playbooks import InvalidPlaybook, read_playbook
from runtime.settings import Settings

SHIPPED = commands.shipped_playbooks()
LEAST = """\
key: publish-me
title: IT
stages:
  - {key: first, title: First, phase: qualified, probability: 10}
"""


def written(file: Path, text: str) -> Path:
    file.write_text(text)
    return file


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return written(tmp_path / "publish-me.yaml", LEAST)


def test_validate_says_which_files_are_well(file: Path) -> None:
    file.write_text(LEAST.replace("10", "140"))
    bad = file
    run = CliRunner().invoke
    good = run(cli.app, ["playbook", "validate", *map(str, SHIPPED)])
    assert (good.exit_code, good.stdout) == (0, "3 playbooks are valid.\n")
    assert run(cli.app, ["playbook", "validate", str(SHIPPED[0])]).stdout == "1 playbook is valid.\n"
    refused = run(cli.app, ["playbook", "validate", str(SHIPPED[0]), str(bad)])
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert refused.stderr == f"{bad}:4: stages[0].probability: must be at most 100, not 140\n"
    as_data = run(cli.app, ["playbook", "validate", "--json", str(bad)])
    assert as_data.exit_code == 1
    assert json.loads(as_data.stdout)[0]["pointer"] == "/stages/0/probability"


def test_the_schema_is_printed() -> None:
    printed = CliRunner().invoke(cli.app, ["playbook", "schema"])
    assert printed.stdout == commands.schema_text()


async def test_publishing_numbers_the_versions_and_repeats_nothing(
    database: Database, file: Path, tmp_path: Path
) -> None:
    changed = written(tmp_path / "changed.yaml", LEAST.replace("10", "20"))
    first = await commands.publish_files(database, [file])
    again = await commands.publish_files(database, [file])
    second = await commands.publish_files(database, [changed])
    assert [(p.version, p.new) for p in (*first, *again, *second)] == [(1, True), (1, False), (2, True)]
    assert str(again[0]) == "publish-me version 1 (IT) was published before, with the same content."
    async with database.read() as session:
        assert (await playbooks.latest(session, "publish-me")).stages[0].probability == 20
        assert (await playbooks.pinned(session, "publish-me", 1)).stages[0].probability == 10


async def test_one_wrong_file_publishes_none(database: Database, tmp_path: Path) -> None:
    good = written(tmp_path / "good.yaml", LEAST.replace("publish-me", "publish-none"))
    bad = written(tmp_path / "bad.yaml", "key: only\n")
    with pytest.raises(InvalidPlaybook, match="title: is missing"):
        await commands.publish_files(database, [good, bad])
    async with database.read() as session:
        with pytest.raises(NotFound):
            await playbooks.latest(session, "publish-none")


async def test_what_ships_can_be_published_and_comes_back_as_written(database: Database) -> None:
    await commands.publish_files(database, SHIPPED)
    async with database.read() as session:
        for file in SHIPPED:
            stored = await playbooks.latest(session, file.stem)
            assert stored.model_dump(exclude={"version"}) == read_playbook(file).model_dump()


def test_publish_prints_the_versions(settings: Settings, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TANDEM_DATABASE_URL", str(settings.database_url))
    file.write_text(LEAST.replace("publish-me", "publish-printed"))
    run = CliRunner().invoke
    said = run(cli.app, ["playbook", "publish", str(file)])
    assert said.stdout == "publish-printed version 1 (IT) is published.\n"
    as_data = run(cli.app, ["playbook", "publish", "--json", str(file)])
    assert json.loads(as_data.stdout) == [
        {"key": "publish-printed", "version": 1, "title": "IT", "new": False}
    ]


def test_publish_without_a_database_says_what_to_do(
    file: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("TANDEM_DATABASE_URL", raising=False)
    monkeypatch.setenv("TANDEM_HOME", str(tmp_path))
    refused = CliRunner().invoke(cli.app, ["playbook", "publish", str(file)])
    assert isinstance(refused.exception, CannotStart)
    assert "TANDEM_DATABASE_URL" in str(refused.exception)
