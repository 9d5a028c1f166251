"""`tandem policy`: what it prints, what publishing leaves behind, what a draft would have changed."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

import cli
from db import policies
from db.session import Database
from domain.discount.policy import DiscountPolicyDefinition
from domain.discount.replay import replay
from ops import policies as commands
from runtime.policies import RULES, InvalidPolicy, read_policy
from runtime.settings import Settings
from tests.bargains import POLICY, a_bargain
from tests.domain.test_discount_replay import past
from tests.stack import People

SHIPPED = commands.shipped_policies()
LEAST = """\
key: publish-policy
title: Least
steps:
  - key: desk
    title: Desk
    when: discount.beyond > 0.0
    approvers: [{role: deal_desk}]
"""


def written(file: Path, text: str) -> Path:
    file.write_text(text)
    return file


def test_validate_says_what_is_wrong_and_where(tmp_path: Path) -> None:
    run = CliRunner().invoke
    good = run(cli.app, ["policy", "validate", *map(str, SHIPPED)])
    assert (good.exit_code, good.stdout) == (0, "1 policy is valid.\n")
    bad = written(tmp_path / "bad.yaml", LEAST.replace("beyond", "beyont"))
    refused = run(cli.app, ["policy", "validate", str(bad)])
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert refused.stderr == f"{bad}:6: steps[0].when: discount has no 'beyont'; did you mean beyond?\n"
    as_data = run(cli.app, ["policy", "validate", "--json", str(bad)])
    assert json.loads(as_data.stdout)[0]["line"] == 6


def test_the_schema_is_printed_as_it_is_committed() -> None:
    printed = CliRunner().invoke(cli.app, ["policy", "schema"])
    assert printed.stdout == commands.schema_text()
    assert (commands.SHIPPED / "policy.schema.json").read_text() == printed.stdout


async def test_publishing_numbers_the_versions_and_repeats_nothing(
    database: Database, people: People, tmp_path: Path
) -> None:
    await people.of("desk@vendor.example")
    await people.of("admin@vendor.example")
    file = written(tmp_path / "one.yaml", LEAST)
    changed = written(tmp_path / "two.yaml", LEAST.replace("Least", "More"))
    first = await commands.publish_files(database, [file])
    again = await commands.publish_files(database, [file])
    second = await commands.publish_files(database, [changed])
    assert [(p.version, p.new) for p in (*first, *again, *second)] == [(1, True), (1, False), (2, True)]


async def test_a_step_that_can_ask_nobody_is_not_published(
    database: Database, people: People, tmp_path: Path
) -> None:
    await people.of("desk@vendor.example")
    text = LEAST.replace("{role: deal_desk}", "{person: gone@vendor.example}")
    with pytest.raises(InvalidPolicy, match=r"one\.yaml:7: .*none of the vendor's people"):
        await commands.publish_files(database, [written(tmp_path / "one.yaml", text)])


async def test_what_ships_is_published_where_there_is_none(database: Database) -> None:
    await commands.publish_shipped(database)
    await commands.publish_shipped(database)
    async with database.read() as session:
        newest = await policies.newest(session, "standard")
    if newest is not None:  # another test has published one before
        async with database.read() as session:
            kept = await policies.pinned(session, newest)
        assert DiscountPolicyDefinition.model_validate(kept.model_dump(exclude={"version"})) == read_policy(
            SHIPPED[0]
        )


async def test_a_draft_is_told_in_numbers(
    database: Database, people: People, settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for email in ("desk@vendor.example", "finance@vendor.example", "director@vendor.example"):
        await people.of(email)
    await commands.publish_files(database, SHIPPED)  # what other tests recorded names it
    monkeypatch.setenv("TANDEM_DATABASE_URL", settings.database_url or "")
    file = written(tmp_path / "draft.yaml", LEAST)
    run = CliRunner().invoke
    answer = await asyncio.to_thread(run, cli.app, ["policy", "replay", str(file), "--json"])
    assert answer.exit_code == 0, answer.output
    report = json.loads(answer.stdout)
    assert report["more_approvals"] == report["approvals_after"] - report["approvals_before"]
    told = await asyncio.to_thread(run, cli.app, ["policy", "replay", str(file)])
    assert told.exit_code == 0


def test_a_report_reads_as_sentences() -> None:
    deal = a_bargain()
    deal.granted("20")
    draft = read_policy(SHIPPED[0]).model_copy(update={"standard": POLICY.standard.model_copy()})
    free = draft.model_copy(update={"steps": ()})
    told = commands.in_words(replay(past(deal), free, RULES))
    assert told.splitlines() == [
        "1 requests, of which 1 change.",
        "Approvals: 0 instead of 1 (-1).",
        "Granted at once: 1 instead of 0.",
        "Given away (USD): 50,000.00 instead of 50,000.00 (+0.00).",
        "- 20 % on ERP rollout: nobody instead of deal-desk",
    ]
    assert commands.in_words(replay([], free, RULES)).startswith("Nobody has asked")
