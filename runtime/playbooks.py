"""Playbook files: YAML read into `PlaybookDefinition`, checked down to each CEL rule."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from domain.playbook import PlaybookDefinition
from domain.trigger import Moment, Trigger
from runtime.cel import check_people, check_rule, sample_facts
from runtime.documents import Document, InvalidDocument, Location, parse, read_document, read_text

SCHEMA_ID = "https://tandem.example/schemas/playbook.schema.json"


class InvalidPlaybook(InvalidDocument):
    """A playbook file that cannot be published as it is; `errors` says every reason and where."""

    title = "The playbook is not valid"


def read_playbook(path: Path, *, private: bool = False) -> PlaybookDefinition:
    """The playbook in a file; with `private`, its triggers may call what is inside a network.

    Raises:
        InvalidPlaybook: with every problem found, each with its line and field.
    """
    try:
        text = read_text(path)
    except InvalidDocument as invalid:
        raise InvalidPlaybook(invalid.problems) from None
    return parse_playbook(text, str(path), private=private)


def parse_playbook(text: str, file: str = "playbook", *, private: bool = False) -> PlaybookDefinition:
    """The playbook in a YAML (or JSON) text; `file` is the name that messages give it.

    With `private`, its triggers may call what is inside a network.

    Raises:
        InvalidPlaybook: with every problem found, each with its line and field.
    """
    try:
        document = read_document(text, file)
        definition = parse(document, PlaybookDefinition)
        _refuse_rules(document, definition, private=private)
    except InvalidPlaybook:
        raise
    except InvalidDocument as invalid:
        raise InvalidPlaybook(invalid.problems) from None
    return definition


def wrong_rules(definition: PlaybookDefinition, *, private: bool = False) -> list[tuple[Location, str]]:
    """What is wrong with the CEL rules of a playbook, and where: empty when all is well.

    A rule may name the tasks of its own stage and of those before it; not those that triggers create,
    which need not be there. With `private`, triggers may call what is inside a network.
    """
    found: list[tuple[Location, str]] = []
    tasks: dict[str, str] = {}
    for index, stage in enumerate(definition.stages):
        tasks |= {task.key: task.side.value for task in stage.tasks}
        sample = sample_facts(tasks)
        problem = check_rule(stage.exit.rule, sample) if stage.exit.rule is not None else None
        if problem is not None:
            found.append((("stages", index, "exit", "rule"), problem))
        for moment in Moment:
            for number, trigger in enumerate(stage.triggers(moment)):
                at = ("stages", index, f"on_{moment}", number)
                found += [((*at, *rest), what) for rest, what in _wrong_in(trigger, sample, private=private)]
    return found


def _wrong_in(trigger: Trigger, sample: dict[str, Any], *, private: bool) -> Iterator[tuple[Location, str]]:
    if trigger.when is not None and (problem := check_rule(trigger.when, sample)):
        yield ("when",), problem
    if trigger.webhook is not None and not private and (problem := trigger.webhook.unreachable):
        yield ("webhook", "url"), problem
    rules = (trigger.approval.approvers or ()) if trigger.approval is not None else ()
    for index, approver in enumerate(rules):
        if approver.rule is not None:
            problem = check_people(approver.rule, [sample], alone=len(rules) == 1)
            if problem is not None:
                yield ("approval", "approvers", index, "rule"), problem


def playbook_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of a playbook file, for editors."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA_ID,
        **PlaybookDefinition.model_json_schema(),
        "title": "Tandem playbook",
    }


def _refuse_rules(document: Document, definition: PlaybookDefinition, *, private: bool) -> None:
    problems = [document.problem(at, detail) for at, detail in wrong_rules(definition, private=private)]
    if problems:
        raise InvalidPlaybook(problems)
