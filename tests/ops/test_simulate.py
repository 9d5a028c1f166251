"""`tandem simulate`: what it prints, what it refuses, and that the real processes do the same."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from typer.testing import CliRunner, Result

import cli
from domain.errors import TandemError
from domain.simulation.world import Noted
from ops import simulate as commands
from ops.simulate_compare import Compared
from ops.simulate_report import show_compared
from runtime.behaviours import InvalidBehaviour, read_behaviour
from tests.simulations import BEGINS

LEAST = "key: mine\ntitle: Mine\n"
SHIPPED = commands.shipped_behaviours()


def simulated(*words: str) -> Result:
    return CliRunner().invoke(cli.app, ["simulate", *words], env={"COLUMNS": "200"})


def report(*words: str) -> dict[str, Any]:
    answer = simulated("it-software", "--behaviour", "steady", "--deals", "4", "--json", *words)
    assert answer.exit_code == 0, answer.output
    found: dict[str, Any] = json.loads(answer.stdout)
    return found


def test_the_same_seed_prints_the_same() -> None:
    assert report("--seed", "7") == report("--seed", "7")
    assert report("--seed", "7") != report("--seed", "8")


def test_the_report_reads_as_tables() -> None:
    answer = simulated("it-software", "--behaviour", "silent-partners", "--deals", "6")
    assert answer.exit_code == 0, answer.output
    for title in ("How they stand", "Stages", "Ladders", "Approvals", "Hand-offs"):
        assert title in answer.stdout


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: file.stem)
def test_what_ships_is_valid(file: Path) -> None:
    assert read_behaviour(file).key == file.stem


def test_the_committed_schema_is_the_current_one() -> None:
    assert (SHIPPED[0].parent / "behaviour.schema.json").read_text() == commands.schema_text()


@pytest.mark.parametrize(
    ("wanted", "why"),
    [
        (commands.Wanted("it-software", "steady", deals=0), "from 1 to 100,000 deals, not 0"),
        (commands.Wanted("it-software", "steady", days=0), "from 1 to 3,650 days, not 0"),
        (commands.Wanted("nowhere", "steady"), "no playbook “nowhere”"),
        (commands.Wanted("it-software", "nobody"), "no behaviour “nobody”"),
        (commands.Wanted("it-software", "steady", policy="none"), "no policy “none”"),
    ],
)
def test_what_cannot_be_tried_is_one_sentence(wanted: commands.Wanted, why: str) -> None:
    with pytest.raises(TandemError, match=why):
        commands.trial_of(wanted)


def test_more_deals_than_there_are_cannot_be_played_again() -> None:
    wanted = commands.Wanted("it-software", "steady", deals=2)
    with pytest.raises(TandemError, match="Of 2 deals, 3 cannot be played"):
        commands.run(wanted, through_temporal=3, as_json=True)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (
            "customer: {says_no: {qualfy: 0.1}}\n",
            r"mine.yaml:3: customer.says_no.qualfy: .* no stage 'qualfy'",
        ),
        ("discounts: {stage: no-such}\n", r"mine.yaml:3: discounts.stage: .* no stage 'no-such'"),
        ("amount: {currency: EUR}\n", r"mine.yaml:3: amount.currency: .* no exchange rates"),
        ("country: XX\n", r"mine.yaml:3: country: No public holidays are known for XX"),
        ("vendor: {misses: 2}\n", r"mine.yaml:3: vendor.misses"),
        ("zone: Europe/Nowhere\n", r"mine.yaml:3: zone: .*no time zone"),
        ("partner: {answer: 3}\n", r"mine.yaml:3: partner.answer"),
    ],
)
def test_a_behaviour_that_is_wrong_says_where(tmp_path: Path, text: str, why: str) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(LEAST + text)
    with pytest.raises(InvalidBehaviour, match=why):
        commands.trial_of(commands.Wanted("it-software", str(file)))


def test_a_cadence_of_zero_is_said_with_its_line(tmp_path: Path) -> None:
    shipped = commands.located("it-software", "playbooks").read_text()
    file = tmp_path / "zero.yaml"
    file.write_text(re.sub(r"check_in: \d+\w+", "check_in: 0d", shipped, count=1))
    with pytest.raises(TandemError, match=r"zero\.yaml:\d+: stages\[0\]\.check_in: .*not a duration"):
        commands.trial_of(commands.Wanted(str(file), "steady"))


def test_holidays_are_those_of_the_country() -> None:
    people = read_behaviour(SHIPPED[0]).model_copy(update={"country": "DE", "zone": "Europe/Berlin"})
    calendar = commands.calendar_of(people, 2030, 2031)
    assert calendar.holidays
    assert calendar.changes


def test_files_are_validated_and_described(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(LEAST)
    well = CliRunner().invoke(cli.app, ["behaviour", "validate", str(file)])
    assert (well.exit_code, well.stdout.strip()) == (0, "1 behaviour is valid.")
    file.write_text(LEAST + "days: 3\n")
    assert CliRunner().invoke(cli.app, ["behaviour", "validate", str(file)]).exit_code == 1
    assert (
        json.loads(CliRunner().invoke(cli.app, ["behaviour", "schema"]).stdout)["title"] == "Tandem behaviour"
    )


def test_the_real_processes_do_the_same() -> None:
    found = report("--through-temporal", "2")
    assert found["through_temporal"]["differences"] == []
    assert found["through_temporal"]["events"] > 20
    assert found["through_temporal"]["apart_seconds"] < 60


def test_differences_are_told_one_by_one() -> None:
    same = Noted("deal", 1, "opportunity_opened", BEGINS)
    late = Noted("deal", 2, "won", BEGINS)
    compared = Compared(1)
    compared.compare("Deal 1", [same, late], [same, Noted("deal", 2, "lost", BEGINS)])
    compared.compare("Deal 2", [late], [Noted("deal", 2, "won", BEGINS.replace(hour=3))])
    compared.compare("Deal 3", [same], [])
    assert [each.split(":")[0] for each in compared.differences] == [
        "Deal 1, deal",
        "Deal 2, deal",
        "Deal 3, deal",
    ]
    assert "nothing through Temporal" in compared.differences[2]
    console = Console(record=True, width=200)
    show_compared(console, compared)
    show_compared(console, Compared(2, 10))
    told = console.export_text()
    assert "3 differences through Temporal" in told
    assert "2 of these through Temporal: the same 10 events" in told
