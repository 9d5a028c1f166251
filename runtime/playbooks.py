"""Playbook files: YAML read into `PlaybookDefinition`, checked down to each CEL rule."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from domain.playbook import PlaybookDefinition
from runtime.cel import check_rule, sample_facts
from runtime.documents import Document, InvalidDocument, Location, parse, read_document, read_text

SCHEMA_ID = "https://tandem.example/schemas/playbook.schema.json"


class InvalidPlaybook(InvalidDocument):
    """A playbook file that cannot be published as it is; `errors` says every reason and where."""

    title = "The playbook is not valid"


def read_playbook(path: Path) -> PlaybookDefinition:
    """The playbook in a file.

    Raises:
        InvalidPlaybook: with every problem found, each with its line and field.
    """
    try:
        text = read_text(path)
    except InvalidDocument as invalid:
        raise InvalidPlaybook(invalid.problems) from None
    return parse_playbook(text, str(path))


def parse_playbook(text: str, file: str = "playbook") -> PlaybookDefinition:
    """The playbook in a YAML (or JSON) text; `file` is the name that messages give it.

    Raises:
        InvalidPlaybook: with every problem found, each with its line and field.
    """
    try:
        document = read_document(text, file)
        definition = parse(document, PlaybookDefinition)
        _refuse_rules(document, definition)
    except InvalidPlaybook:
        raise
    except InvalidDocument as invalid:
        raise InvalidPlaybook(invalid.problems) from None
    return definition


def wrong_rules(definition: PlaybookDefinition) -> list[tuple[Location, str]]:
    """What is wrong with the CEL rules of a playbook, and where: empty when all is well.

    A rule may name the tasks of its own stage and of those before it.
    """
    found: list[tuple[Location, str]] = []
    tasks: dict[str, str] = {}
    for index, stage in enumerate(definition.stages):
        tasks |= {task.key: task.side.value for task in stage.tasks}
        problem = check_rule(stage.exit.rule, sample_facts(tasks)) if stage.exit.rule is not None else None
        if problem is not None:
            found.append((("stages", index, "exit", "rule"), problem))
    return found


def playbook_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of a playbook file, for editors."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA_ID,
        **PlaybookDefinition.model_json_schema(),
        "title": "Tandem playbook",
    }


def _refuse_rules(document: Document, definition: PlaybookDefinition) -> None:
    problems = [document.problem(at, detail) for at, detail in wrong_rules(definition)]
    if problems:
        raise InvalidPlaybook(problems)
