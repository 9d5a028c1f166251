"""Playbook files: those that ship, and what is said about those that are wrong."""

from __future__ import annotations

import json
import time
from pathlib import Path

import jsonschema  # type: ignore[import-untyped]  # brings no types
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import InvalidInput
from domain.playbook import Advance, ExitBy, PlaybookDefinition
from domain.principal import Side
from ops import playbooks as commands
from runtime.cel import sample_facts
from runtime.playbooks import (
    InvalidPlaybook,
    parse_playbook,
    playbook_schema,
    read_playbook,
    wrong_rules,
)

SHIPPED = commands.shipped_playbooks()
LEAST = """\
key: it
title: IT
stages:
  - key: first
    title: First
    phase: qualified
    probability: 10
"""
DURATION = (
    "write a number from 1 to 9999 and bh (business hours), bd (business days), h, d or w, "
    "such as 8bh, 5bd or 30d"
)
ADDRESS = "must be a web address such as https://example.com/deck"


def refusal(text: str) -> list[str]:
    """The messages about a text, each as `line: where: what`."""
    with pytest.raises(InvalidPlaybook) as invalid:
        parse_playbook(text, "my.yaml")
    lines = invalid.value.detail.split("\n")
    assert all(line.startswith("my.yaml:") for line in lines)
    return [line.removeprefix("my.yaml:") for line in lines]


def test_three_playbooks_ship() -> None:
    assert [file.stem for file in SHIPPED] == ["cloud-msp", "it-software", "manufacturing"]


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: file.stem)
def test_a_shipped_playbook_is_one_that_both_sides_can_work_by(file: Path) -> None:
    playbook = read_playbook(file)
    tasks = list(playbook.all_tasks())
    assert playbook.key == file.stem
    assert 20 <= len(tasks) <= 30
    assert {task.side for task in playbook.handoff.tasks} == set(Side)
    assert any(stage.exit.by is ExitBy.SIGN_OFF for stage in playbook.stages)
    assert any(stage.exit.by is ExitBy.RULE for stage in playbook.stages)
    assert playbook.stages[-1].exit.advance is Advance.PERSON
    odds = [stage.probability for stage in playbook.stages]
    assert odds == sorted(odds)
    for stage in playbook.stages:
        assert {task.side for task in stage.tasks if task.required} == set(Side), stage.key
        assert stage.target
        assert stage.check_in
        assert stage.content
        assert (stage.exit.rule is None) == (stage.exit.rule_in_words is None)
    assert all(task.due for task in tasks)


def test_all_three_ways_to_leave_a_stage_are_shown() -> None:
    ways = {stage.exit.by for file in SHIPPED for stage in read_playbook(file).stages}
    assert ways == set(ExitBy)


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: file.stem)
def test_a_shipped_playbook_fits_the_schema_that_editors_use(file: Path) -> None:
    assert file.read_text().startswith("# yaml-language-server: $schema=./playbook.schema.json\n")
    jsonschema.Draft202012Validator(playbook_schema()).validate(yaml.safe_load(file.read_text()))


def test_the_committed_schema_is_the_exported_one() -> None:
    """When this fails: `tandem playbook schema > examples/playbooks/playbook.schema.json`."""
    committed = (commands.SHIPPED / "playbook.schema.json").read_text()
    assert committed == commands.schema_text()
    jsonschema.Draft202012Validator.check_schema(json.loads(committed))


def test_the_least_playbook_is_taken_also_as_json_and_with_windows_line_ends() -> None:
    playbook = parse_playbook(LEAST)
    assert parse_playbook(json.dumps(yaml.safe_load(LEAST))) == playbook
    assert parse_playbook(LEAST.replace("\n", "\r\n")) == playbook


def test_words_that_old_yaml_takes_for_values_stay_text() -> None:
    written = LEAST.replace("title: IT", "title: no").replace("title: First", "title: 2024-01-01")
    playbook = parse_playbook(written)
    assert (playbook.title, playbook.stages[0].title) == ("no", "2024-01-01")
    assert parse_playbook(LEAST.replace("title: IT", "title: =")).title == "="


def test_aliases_are_followed() -> None:
    playbook = parse_playbook(LEAST.replace("title: IT", "title: &t IT").replace("First", "*t"))
    assert playbook.stages[0].title == "IT"


def test_every_problem_is_said_at_once_with_its_line_and_field() -> None:
    text = SHIPPED[1].read_text()
    wrong = text.replace("probability: 45", "probability: 140").replace("due: 13bd", "due: soon")
    wrong = wrong.replace("side: partner\n        due: 3bd", "side: partnr\n        due: 3bd", 1)
    lines = {n: line.strip() for n, line in enumerate(wrong.splitlines(), start=1)}
    found = refusal(wrong)
    for message, line, what in zip(
        found,
        ("side: partnr", "probability: 140", "due: soon"),
        (
            "stages[0].tasks[0].side: must be 'vendor' or 'partner', not 'partnr'; did you mean partner?",
            "stages[2].probability: must be at most 100, not 140",
            "stages[2].tasks[3].due: 'soon' is not a duration: " + DURATION,
        ),
        strict=True,
    ):
        number, _, said = message.partition(": ")
        assert lines[int(number)] == line
        assert said == what


def test_problems_are_data_too() -> None:
    with pytest.raises(InvalidInput) as invalid:
        parse_playbook(LEAST.replace("10", "140"), "my.yaml")
    assert invalid.value.extra["errors"] == [
        {
            "file": "my.yaml",
            "line": 7,
            "pointer": "/stages/0/probability",
            "detail": "must be at most 100, not 140",
        }
    ]
    assert invalid.value.code == "invalid_input"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (LEAST + "title: again\n", ["8: title: is here a second time; the first is on line 2"]),
        (LEAST + "    title: x\n", ["8: stages[0].title: is here a second time; the first is on line 5"]),
        (
            LEAST + "handoff: &a {help: *a}\n",
            ["8: handoff.help: this alias (*) stands inside of what it repeats, which has no end"],
        ),
        (LEAST + "---\n" + LEAST, ["8: a second document begins here (---); a file holds one"]),
        ("key: a\n\ttitle: b\n", ["2: a tab cannot be used here; indent with spaces"]),
        ("- a\n", ["1: is not a list of names with values; it begins with a line such as key: value"]),
        ("", ["1: is empty; it begins with a line such as key: value"]),
        ("# only a note\n", ["1: is empty; it begins with a line such as key: value"]),
        (
            "key: a: b",
            ["1: a ': ' is not expected here; put text that holds one in quotes, or check the indentation"],
        ),
        ("key: a\ntitle\nx: y", ["3: a ':' is missing after the name"]),
        ("key: *foo", ["1: found undefined alias 'foo'; no anchor (&) has this name"]),
        ('key: "a', ["1: is not YAML: found unexpected end of stream (while scanning a quoted scalar)"]),
        ("key: a\x00b", ["1: holds a character that text cannot have (U+0000)"]),
        (
            LEAST + 'description: "a\\0b"\n',
            ["8: description: holds a character that text cannot have (U+0000)"],
        ),
        (
            LEAST + 'description: "\\ud800"\n',
            ["8: description: holds a character that text cannot have (U+D800)"],
        ),
        (
            LEAST + "description: !!binary aGk=\n",
            ["8: description: the tag 'binary' is not taken; leave it out"],
        ),
        (LEAST + "handoff: !mine {}\n", ["8: handoff: the tag '!mine' is not taken; leave it out"]),
        (LEAST + "handoff:\n  <<: {}\n", ["9: handoff: merge keys (<<) are not taken; write the lines out"]),
        (LEAST + "5: x\n", ["8: a name must be plain text; put it in quotes"]),
        (LEAST + "[a]: x\n", ["8: a name must be plain text; put it in quotes"]),
        (LEAST + "stges: []\n", ["8: stges: there is no such field; did you mean stages?"]),
        (
            LEAST + "handoff: {colour: red}\n",
            [
                (
                    "8: handoff.colour: there is no such field; there are accept_within, answer_within, "
                    "ladder, follow_ups, renewal, title, target, help, tasks"
                )
            ],
        ),
        (LEAST.replace("title: IT\n", ""), ["1: title: is missing"]),
        (LEAST.replace("title: IT", "title: 5"), ["2: title: must be text, not 5; put it in quotes"]),
        (LEAST.replace("title: IT", "title: true"), ["2: title: must be text, not true; put it in quotes"]),
        (LEAST.replace("title: IT", "title:"), ["2: title: must be text, not empty"]),
        (LEAST.replace("title: IT", "title: ''"), ["2: title: must not be empty"]),
        (
            LEAST.replace("title: IT", "title: " + "x" * 10_000),
            ["2: title: may have at most 120 characters"],
        ),
        (
            LEAST.replace("key: first", "key: First one"),
            ["4: stages[0].key: 'First one' is not a key: use lower-case letters, digits and single hyphens"],
        ),
        (LEAST.replace("10", "ten"), ["7: stages[0].probability: must be a whole number, not 'ten'"]),
        (LEAST.replace("10", "10.5"), ["7: stages[0].probability: must be a whole number, not 10.5"]),
        (LEAST.replace("10", "'10'"), ["7: stages[0].probability: must be a whole number, not '10'"]),
        (LEAST.replace("10", "1:00"), ["7: stages[0].probability: must be a whole number, not '1:00'"]),
        (LEAST.replace("10", ".nan"), ["7: stages[0].probability: must be a whole number, not '.nan'"]),
        (LEAST.replace("10", "-1"), ["7: stages[0].probability: must be at least 0, not -1"]),
        (LEAST + "waive_by: admin\n", ["8: waive_by: must be a list, not 'admin'"]),
        (LEAST + "handoff: []\n", ["8: handoff: must be names with values, not a list"]),
        ("key: a\ntitle: b\nstages: []\n", ["3: stages: needs at least 1 item"]),
        (
            LEAST + "    content: [{title: x, url: nope}, {title: y, url: 'file:///etc'}]\n",
            [
                f"8: stages[0].content[0].url: {ADDRESS}, not 'nope'",
                "8: stages[0].content[1].url: must be a web address that begins with https://",
            ],
        ),
        (
            LEAST + "    tasks:\n      - {key: a, title: A, side: vendor, required: yes}\n",
            ["9: stages[0].tasks[0].required: must be true or false, not 'yes'"],
        ),
        (
            LEAST + "    exit: {advance: automatic}\n",
            ["4: stages[0]: a stage that advances by itself needs a required task to wait for"],
        ),
        (
            LEAST + "    exit:\n      by: rule\n      rule: deal.amnt > 1.0\n",
            ["10: stages[0].exit.rule: deal has no 'amnt'; did you mean amount?"],
        ),
    ],
)
def test_a_wrong_file_is_refused_with_words_that_help(text: str, said: list[str]) -> None:
    assert refusal(text) == said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("#" + "x" * 300_000, "1: is larger than 256 KB, which is more than is taken"),
        ("key: " + "[" * 100_000, "1: is nested more than 40 levels deep"),
        ("key: [" + "a," * 100_000 + "]", "1: holds more than 10,000 values"),
        ("".join(f"k{i}: 1\n" for i in range(20_000)), "10000: holds more than 10,000 values"),
        (
            "a: &a [x,x,x,x,x,x,x,x,x]\n"
            + "".join(
                f"{b}: &{b} [{','.join(['*' + a] * 9)}]\n" for a, b in zip("abcdefg", "bcdefgh", strict=True)
            ),
            "holds more than 10,000 values once its aliases (*) are followed",
        ),
    ],
    ids=["large", "deep", "wide", "long", "aliases"],
)
def test_a_file_made_to_exhaust_the_reader_is_refused_soon(text: str, said: str) -> None:
    began = time.process_time()
    assert said in refusal(text)[0]
    assert time.process_time() - began < 20


def test_a_rule_may_ask_for_tasks_up_to_its_own_stage_only() -> None:
    exit_rule = "    exit: {by: rule, rule: \"tasks['later'].state == 'done'\"}\n"
    second = "  - {key: second, title: S, phase: committed, probability: 50, tasks: [%s]}\n"
    later = "{key: later, title: L, side: vendor}"
    assert "there is no task 'later' up to this stage" in refusal(LEAST + exit_rule + second % later)[0]
    own = LEAST + exit_rule + f"    tasks: [{later}]\n"
    assert parse_playbook(own).stages[0].exit.rule


def test_rules_that_come_another_way_are_checked_too() -> None:
    wrong = yaml.safe_load(LEAST)
    wrong["stages"][0]["exit"] = {"by": "rule", "rule": "deal.amnt > 1.0"}
    assert wrong_rules(PlaybookDefinition.model_validate(wrong)) == [
        (("stages", 0, "exit", "rule"), "deal has no 'amnt'; did you mean amount?")
    ]
    assert wrong_rules(parse_playbook(LEAST)) == []


def test_very_many_problems_are_cut_off() -> None:
    many = "".join(f"    x{i}: 1\n" for i in range(500))
    assert len(refusal(LEAST + many)) == 100


def test_a_file_that_cannot_be_read_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(InvalidPlaybook, match="cannot be read: No such file or directory"):
        read_playbook(tmp_path / "none.yaml")
    with pytest.raises(InvalidPlaybook, match="cannot be read: Is a directory"):
        read_playbook(tmp_path)
    latin = tmp_path / "latin.yaml"
    latin.write_bytes(b"key: a\ntitle: caf\xe9\n")
    with pytest.raises(InvalidPlaybook, match=r"latin\.yaml:2: is not UTF-8 text"):
        read_playbook(latin)


def test_a_byte_order_mark_and_any_script_are_welcome(tmp_path: Path) -> None:
    file = tmp_path / "bom.yaml"
    file.write_text("\ufeff" + LEAST.replace("title: IT", "title: \u200fعقد <b>& 🚀"), encoding="utf-8")
    assert read_playbook(file).title == "\u200fعقد <b>& 🚀"


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="abk:-[]{}&*!|>'\"#%@, \n\t?<=~1", max_size=60))
def test_whatever_is_in_a_file_is_taken_or_refused_in_words(text: str) -> None:
    try:
        parse_playbook(text, "x")
    except InvalidPlaybook as invalid:
        assert invalid.detail  # noqa: PT017  nothing else may be raised


def test_the_sample_has_the_shape_of_the_facts() -> None:
    assert set(sample_facts({"a": "vendor"})["tasks"]["a"]) == {"state", "required", "side"}
    assert Path(commands.SHIPPED).is_dir()
