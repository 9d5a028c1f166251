"""What a playbook may say, and what it answers about its stages."""

from __future__ import annotations

import copy
from datetime import timedelta
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from domain.duration import Duration, parse_duration
from domain.playbook import (
    HANDOFF,
    Advance,
    Content,
    Exit,
    ExitBy,
    PartnerRole,
    Phase,
    Playbook,
    PlaybookDefinition,
    Stage,
    TaskTemplate,
)
from domain.principal import Role, Side


def task(key: str = "call", **more: Any) -> dict[str, Any]:
    return {"key": key, "title": key.capitalize(), "side": "vendor", **more}


def stage(key: str = "first", phase: str = "qualified", **more: Any) -> dict[str, Any]:
    return {"key": key, "title": key.capitalize(), "phase": phase, "probability": 20, **more}


def definition(*stages: dict[str, Any], **more: Any) -> PlaybookDefinition:
    return PlaybookDefinition.model_validate(
        {"key": "it", "title": "IT", "stages": list(stages) or [stage()], **more}
    )


def problems(**data: Any) -> dict[str, str]:
    """Where and what a playbook of these stages is refused for."""
    with pytest.raises(ValidationError) as refusal:
        PlaybookDefinition.model_validate({"key": "it", "title": "IT", **data})
    return {
        ".".join(map(str, e["loc"])): e["msg"].removeprefix("Value error, ") for e in refusal.value.errors()
    }


@pytest.mark.parametrize(
    ("written", "length"),
    [
        ("1h", timedelta(hours=1)),
        ("8h", timedelta(hours=8)),
        ("3d", timedelta(days=3)),
        ("2w", timedelta(days=14)),
        ("9999d", timedelta(days=9999)),
    ],
)
def test_a_duration_is_a_number_and_a_unit(written: str, length: timedelta) -> None:
    assert parse_duration(written) == length
    assert TypeAdapter(Duration).validate_python(written) == written


@pytest.mark.parametrize(
    "written", ["", "3", "d", "0d", "-1d", "1.5d", "3 d", "3D", "3m", "10000d", "3d\n", "٣d", "3d3h"]
)
def test_anything_else_is_not_a_duration(written: str) -> None:
    with pytest.raises(ValueError, match=r"is not a duration: write a number from 1 to 9999 and h, d or w"):
        parse_duration(written)
    with pytest.raises(ValidationError):
        TypeAdapter(Duration).validate_python(written)


def test_a_refused_duration_of_any_length_is_shown_in_short() -> None:
    with pytest.raises(ValueError, match="is not a duration") as refusal:
        parse_duration("9" * 10_000)
    assert len(str(refusal.value)) < 120


def test_the_least_that_a_playbook_says() -> None:
    playbook = definition()
    assert playbook.stages[0].exit == Exit(by=ExitBy.TASKS, advance=Advance.PERSON)
    assert playbook.waive_by == (Role.SALES_REP, Role.SALES_DIRECTOR, Role.ADMIN)
    assert playbook.handoff.title == "Hand-off"
    assert list(playbook.all_tasks()) == []


def test_a_task_is_required_unless_the_playbook_says_otherwise() -> None:
    assert TaskTemplate.model_validate(task()).required
    assert not TaskTemplate.model_validate(task(required=False)).required


def test_a_partner_role_belongs_to_a_partners_task() -> None:
    wanted = TaskTemplate.model_validate(task(side="partner", partner_role="reseller"))
    assert wanted.partner_role is PartnerRole.RESELLER
    assert wanted.side is Side.PARTNER
    with pytest.raises(ValidationError, match="partner_role belongs to a task of side: partner"):
        TaskTemplate.model_validate(task(partner_role="reseller"))


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ({"by": "rule"}, "by: rule needs a rule beside it"),
        ({"rule": "true"}, "a rule is asked only with by: rule"),
        ({"by": "sign_off", "rule": "true"}, "a rule is asked only with by: rule"),
        ({"rule_in_words": "Always."}, "a rule is asked only with by: rule"),
    ],
)
def test_a_rule_and_by_rule_go_together(written: dict[str, Any], why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        Exit.model_validate(written)


def test_a_stage_may_leave_by_a_rule() -> None:
    left = Exit.model_validate({"by": "rule", "rule": "true", "rule_in_words": "Always."})
    assert (left.by, left.rule) == (ExitBy.RULE, "true")


def test_a_stage_that_advances_by_itself_waits_for_a_required_task() -> None:
    by_itself = {"advance": "automatic"}
    assert Stage.model_validate(stage(exit=by_itself, tasks=[task()]))
    assert Stage.model_validate(stage(exit={"by": "sign_off", **by_itself}))
    with pytest.raises(ValidationError, match="needs a required task to wait for"):
        Stage.model_validate(stage(exit=by_itself, tasks=[task(required=False)]))


def test_every_repeated_or_reserved_key_is_said_at_once_and_where_it_is() -> None:
    found = problems(
        stages=[
            stage("a", tasks=[task("call"), task("call")]),
            stage("a"),
            stage(HANDOFF),
        ],
        handoff={"tasks": [task("call"), task("brief")]},
    )
    assert found == {
        "stages.1.key": "another stage has the key 'a' already",
        "stages.2.key": "the key 'handoff' is kept for the hand-off after winning",
        "stages.0.tasks.1.key": "another task has the key 'call' already; a key is used once in a playbook",
        "handoff.tasks.0.key": "another task has the key 'call' already; a key is used once in a playbook",
    }


def test_phases_only_go_forward() -> None:
    why = "comes before 'committed', where the deal is already; phases only go forward"
    found = problems(
        stages=[
            stage("a", "committed"),
            stage("b", "prospect"),
            stage("c", "qualified"),
            stage("d", "launched"),
        ]
    )
    assert found == {
        "stages.1.phase": f"'prospect' {why}",
        "stages.2.phase": f"'qualified' {why}",
    }


def test_two_stages_may_share_a_phase() -> None:
    assert definition(stage("a", "qualified"), stage("b", "qualified"))


@pytest.mark.parametrize("key", ["", "A", "a_b", "a--b", "-a", "a-", "1a", "a b", "a" * 61])
def test_a_key_is_lower_case_words_with_hyphens(key: str) -> None:
    assert "stages.0.key" in problems(stages=[stage(key)])


@pytest.mark.parametrize(
    ("data", "where"),
    [
        ({"stages": []}, "stages"),
        ({"stages": [stage(f"s{i}") for i in range(21)]}, "stages"),
        ({"stages": [stage(tasks=[task(f"t{i}") for i in range(51)])]}, "stages.0.tasks"),
        ({"stages": [stage(probability=101)]}, "stages.0.probability"),
        ({"stages": [stage(probability=-1)]}, "stages.0.probability"),
        ({"stages": [stage(title="")]}, "stages.0.title"),
        ({"stages": [stage(colour="red")]}, "stages.0.colour"),
        (
            {"stages": [stage(content=[{"title": "x", "url": "javascript:alert(1)"}])]},
            "stages.0.content.0.url",
        ),
        ({"stages": [stage()], "owner": "me"}, "owner"),
    ],
)
def test_what_makes_no_sense_is_refused_where_it_stands(data: dict[str, Any], where: str) -> None:
    assert where in problems(**data)


def test_a_playbook_knows_its_way() -> None:
    way = definition(
        stage("a", tasks=[task("one")]), stage("b", "committed"), handoff={"tasks": [task("brief")]}
    )
    assert way.stage("b") == way.stages[1]
    assert way.stage("nowhere") is None
    assert [way.position(key) for key in ("a", "b", HANDOFF)] == [0, 1, 2]
    assert way.next_stage("a") == way.stages[1]
    assert way.next_stage("b") is None
    assert way.next_stage(HANDOFF) is None
    assert [t.key for t in way.tasks_of("a")] == ["one"]
    assert [t.key for t in way.tasks_of(HANDOFF)] == ["brief"]
    assert (way.template("a"), way.template(HANDOFF)) == (way.stages[0], way.handoff)
    assert [t.key for t in way.all_tasks()] == ["one", "brief"]


def test_a_published_version_has_a_number_and_comes_back_from_json_as_it_was() -> None:
    content = [{"title": "Deck", "url": "https://example.com/deck"}]
    written = definition(stage(content=content, target="2w", check_in="3d", tasks=[task()]))
    published = Playbook.model_validate({**written.model_dump(mode="json"), "version": 3})
    assert Playbook.model_validate_json(published.model_dump_json()) == published
    assert published.model_dump(mode="json")["stages"][0]["content"] == content
    with pytest.raises(ValidationError):
        Playbook.model_validate({**written.model_dump(mode="json"), "version": 0})


def test_a_copied_playbook_equals_the_first() -> None:
    first = Playbook.model_validate({**definition().model_dump(mode="json"), "version": 1})
    assert copy.deepcopy(first) == first


def test_a_web_address_is_kept_as_text() -> None:
    assert Content.model_validate({"title": "x", "url": "https://example.com/a"}).model_dump() == {
        "title": "x",
        "url": "https://example.com/a",
    }


def test_phases_and_roles_have_names_for_people() -> None:
    assert Phase.TECHNICAL_VALIDATION.label == "Technical validation"
    assert PartnerRole.MANAGED_SERVICE.label == "managed service"
