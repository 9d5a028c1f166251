"""`tandem doctor`: what is wrong, and what to do about it."""

from __future__ import annotations

import asyncio
import json

import pytest
from temporalio.client import Client
from typer.testing import CliRunner

import cli
from db.session import Database
from domain.playbook import Playbook
from ops.doctor import examine, rebuild_opportunity, recount_pipeline, report
from ops.finding import Finding
from runtime.errors import CannotStart
from runtime.ids import new_id
from runtime.settings import Settings
from runtime.temporal_server import free_port
from tests.patience import PATIENCE
from tests.stack import People
from tests.workflows.play import Played
from workflows.messages import workflow_id


def of(findings: list[Finding], what: str) -> Finding:
    return next(finding for finding in findings if finding.what == what)


async def test_a_sound_installation_has_nothing_to_say(
    settings: Settings, worker: None, people: People, playbook: Playbook
):
    await recount_pipeline(settings)  # other tests write rows by hand
    findings = await examine(settings)
    looked_at = [
        "disk",
        "database",
        "schema",
        "vendor",
        "playbooks",
        "pipeline",
        "temporal",
        "worker",
        "processes",
    ]
    assert [finding.what for finding in findings] == looked_at
    bad = [str(each) for each in findings if not each.ok and each.what not in {"worker", "processes"}]
    assert not bad


async def test_a_deal_whose_process_was_terminated_is_named(
    settings: Settings, worker: None, temporal: Client, database: Database
):
    deal = await Played(temporal).open()
    await temporal.get_workflow_handle(workflow_id(deal.id)).terminate()
    async with asyncio.timeout(PATIENCE):
        found = of(await examine(settings), "processes")
        while found.ok:  # Temporal's list of what runs follows a moment later
            found = of(await examine(settings), "processes")
    assert "without a process" in found.detail
    assert "were they terminated" in str(found)


async def test_without_a_database_it_says_how_to_get_one():
    bare = Settings(database_url=None, temporal_address=None)
    findings = await examine(bare)
    assert not of(findings, "database").ok
    assert "Run `tandem up`, or set TANDEM_DATABASE_URL." in report(bare, findings, as_json=False)
    with pytest.raises(CannotStart, match="No database is known"):
        await rebuild_opportunity(bare, new_id())


async def test_servers_that_do_not_answer_are_bad_news_with_advice(settings: Settings):
    nowhere = f"127.0.0.1:{free_port()}"
    away = settings.model_copy(
        update={"database_url": f"postgresql://u:secret@{nowhere}/x", "temporal_address": nowhere}
    )
    findings = await examine(away)
    assert [each.what for each in findings if not each.ok] == ["database", "temporal"]
    told = report(away, findings, as_json=False)
    assert "Start PostgreSQL, and check TANDEM_DATABASE_URL." in told
    assert "Start Temporal, and check TANDEM_TEMPORAL_ADDRESS." in told
    assert "secret" not in told


async def test_temporal_that_is_not_set_is_said(settings: Settings):
    found = of(await examine(settings.model_copy(update={"temporal_address": None})), "temporal")
    assert (found.ok, found.detail) == (False, "none is known")


async def test_scripts_get_json(settings: Settings, worker: None):
    told = json.loads(report(settings, await examine(settings), as_json=True))
    assert {"ok", "findings", "settings"} == set(told)
    assert told["findings"][0]["what"] == "disk"


def test_the_command_says_that_nothing_runs_here(monkeypatch: pytest.MonkeyPatch, tmp_path):
    for name in ("TANDEM_DATABASE_URL", "TANDEM_TEMPORAL_ADDRESS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TANDEM_HOME", str(tmp_path))
    refused = CliRunner().invoke(cli.app, ["doctor", "--json"])
    assert isinstance(refused.exception, CannotStart)
    assert "start it with `tandem up`" in str(refused.exception)


def test_the_command_fails_when_something_is_wrong(monkeypatch: pytest.MonkeyPatch):
    nowhere = f"127.0.0.1:{free_port()}"
    monkeypatch.setenv("TANDEM_DATABASE_URL", f"postgresql://nobody@{nowhere}/tandem")
    monkeypatch.setenv("TANDEM_TEMPORAL_ADDRESS", nowhere)
    answer = CliRunner().invoke(cli.app, ["doctor", "--json"])
    assert answer.exit_code == 1
    assert json.loads(answer.stdout)["ok"] is False
