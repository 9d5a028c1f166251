"""`tandem import` as it is typed: what it prints, and how it refuses."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

import cli
from domain.errors import Unavailable
from ops.crm_import import Wanted, import_and_show
from runtime.errors import CannotStart
from runtime.settings import Settings
from tests.imports import ROOT, SAMPLE, Sample


def _tandem(settings: Settings, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {
        "TANDEM_DATABASE_URL": settings.database_url or "",
        "TANDEM_TEMPORAL_ADDRESS": settings.temporal_address or "",
    }
    return subprocess.run(
        [sys.executable, "-m", "cli", *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


async def test_the_command_prints_numbers_that_add_up(sample: Sample) -> None:
    rejects = sample.folder / "bad.csv"
    ran = _tandem(sample.settings, "import", str(sample.folder), "--json", "--rejects", str(rejects))
    assert (ran.returncode, ran.stderr) == (0, "")
    told = json.loads(ran.stdout)
    assert told["rejects_file"] == str(rejects)
    for part in ("people", "accounts", "opportunities"):
        tally = told[part]
        assert tally["rows"] == tally["imported"] + tally["already_there"] + tally["rejected"]


@pytest.mark.parametrize(
    ("at", "says"),
    [
        ("nowhere", "tandem: There is no {folder}/nowhere. Give the folder of the export, or its CSV of"),
        ("empty", "tandem: There is no mapping.yaml in {folder}/empty. Say with --mapping how to read"),
    ],
)
def test_an_export_or_a_mapping_that_is_not_there_is_said_at_once(
    settings: Settings, tmp_path: Path, at: str, says: str
) -> None:
    (tmp_path / "empty").mkdir()
    ran = _tandem(settings, "import", str(tmp_path / at))
    assert (ran.returncode, ran.stdout, ran.stderr.count("\n")) == (1, "", 1)
    assert ran.stderr.startswith(says.format(folder=tmp_path))


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        (["frobnicate"], "No such command 'frobnicate'. Try `tandem --help`."),
        (["playbooks"], "No such command 'playbooks'. Did you mean 'playbook'? Try `tandem --help`."),
        (["import"], "Missing argument 'source'. Try `tandem import --help`."),
        (["keys", "create", "--colour", "red"], "No such option: --colour. Try `tandem keys create --help`."),
    ],
)
def test_what_is_typed_wrong_is_one_line_too(settings: Settings, typed: list[str], says: str) -> None:
    ran = _tandem(settings, *typed)
    assert (ran.returncode, ran.stdout, ran.stderr) == (2, "", f"tandem: {says}\n")


async def test_the_table_says_what_is_there_and_where_the_rejects_are(
    sample: Sample, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    await sample.run()
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    deals = sample.folder / "sales_pipeline.csv"
    again = Wanted.of(deals, None, dry_run=True, rejects=sample.folder / "bad.csv")
    await import_and_show(sample.settings, again, as_json=False)
    out, err = capsys.readouterr()
    assert "Deals read" in err, "the bar"
    assert "Opportunities    42                  0             40         2" in out
    assert "2 rows are rejected, each with its reason, in" in out
    assert "Nothing was changed" in out

    one = sample.folder / "sales_pipeline.csv"
    one.write_text("".join(one.read_text().splitlines(keepends=True)[:14]))
    await import_and_show(sample.settings, replace(again, dry_run=False), as_json=False)
    assert "1 row is rejected" in capsys.readouterr().out


async def test_without_a_database_it_says_how_to_start_one(sample: Sample) -> None:
    sample.settings = Settings(home=sample.folder, database_url=None)
    with pytest.raises(CannotStart, match="start one with `tandem up`"):
        await sample.run()


async def test_without_temporal_nothing_live_is_recorded(sample: Sample) -> None:
    sample.settings = sample.settings.model_copy(update={"temporal_address": "127.0.0.1:1"})
    with pytest.raises(Unavailable, match="Temporal does not answer"):
        await sample.run()
    assert await sample.rows() == []


async def test_a_refusal_is_one_sentence_and_an_exit_code(sample: Sample) -> None:
    sample.edit("sales_pipeline.csv", "GFXSFVCB,Bruno Sato", 'GFXSFVCB,"Bruno Sato')
    ran = _tandem(sample.settings, "import", str(sample.folder))
    assert (ran.returncode, ran.stdout) == (1, "")
    assert ran.stderr == (
        'tandem: sales_pipeline.csv, line 5: a quote (") is opened here and never closed. '
        'Close it, or write "" where a quote is meant.\n'
    )


def test_other_formats_are_refused() -> None:
    assert CliRunner().invoke(cli.app, ["import", str(SAMPLE), "--format", "xlsx"]).exit_code == 2
