"""YAML files that people write, read into models, with every problem at the line where it is.

The subset is that of YAML 1.2's JSON schema with comments, anchors and block
style: one document, text keys, no tags, no merge keys. Times and dates stay text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar, cast

import yaml
from pydantic import BaseModel, ValidationError
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from domain.errors import InvalidInput
from runtime.wording import in_words

MAX_BYTES = 256 * 1024
MAX_NODES = 10_000
"""So many values, aliases followed, are enough for any file that somebody wrote by hand."""
MAX_DEPTH = 40
MAX_PROBLEMS = 100
"""Who has more to mend than this sees the rest next time."""
_LONGEST_NAME = 60

Location = tuple[str | int, ...]
Model = TypeVar("Model", bound=BaseModel)

_TAG = "tag:yaml.org,2002:"
_JSON_ONLY = {
    f"{_TAG}bool": re.compile(r"true|True|TRUE|false|False|FALSE"),
    f"{_TAG}int": re.compile(r"-?(0|[1-9][0-9]{0,17})"),
    f"{_TAG}float": re.compile(r"-?[0-9]+\.[0-9]+([eE][-+]?[0-9]{1,2})?"),
    f"{_TAG}null": re.compile(r"|~|null|Null|NULL"),
    f"{_TAG}timestamp": re.compile(r"(?!)"),
}
"""YAML 1.1 sees more in plain words than people mean (no, 1:30, 010, 2024-01-01): these stay text."""
_TEXT = "tag:yaml.org,2002:str"
_MERGE = "tag:yaml.org,2002:merge"
_SURROGATES = ("\ud800", "\udfff")


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong: where in the file, where in the data, and what to do about it."""

    file: str
    line: int
    at: Location
    detail: str

    @property
    def pointer(self) -> str:
        """The place as a JSON pointer (RFC 6901)."""
        return pointer_of(self.at)

    def __str__(self) -> str:
        where = path_of(self.at)
        return f"{self.file}:{self.line}: {where + ': ' if where else ''}{self.detail}"

    def as_dict(self) -> dict[str, Any]:
        return {"file": self.file, "line": self.line, "pointer": self.pointer, "detail": self.detail}


class InvalidDocument(InvalidInput):
    """A file that cannot be taken as it is. `errors` lists every problem, in the order of the lines."""

    def __init__(self, problems: list[Problem]) -> None:
        ordered = sorted(problems, key=lambda problem: problem.line)[:MAX_PROBLEMS]
        super().__init__("\n".join(map(str, ordered)), errors=[problem.as_dict() for problem in ordered])
        self.problems = ordered


@dataclass
class Document:
    """The data of a file, the line where each part of it begins, and what was wrong on the way."""

    file: str
    data: Any = None
    problems: list[Problem] = field(default_factory=list)
    lines: dict[Location, int] = field(default_factory=dict)

    def line(self, at: Location) -> int:
        """The line of this part, or of the nearest part around it that the file has."""
        while at and at not in self.lines:
            at = at[:-1]
        return self.lines.get(at, 1)

    def problem(self, at: Location, detail: str) -> Problem:
        return Problem(self.file, self.line(at), at, detail)


def pointer_of(at: Location) -> str:
    """A place as a JSON pointer (RFC 6901): `/stages/2/probability`."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in at)


def path_of(at: Location) -> str:
    """A place as people write it: `stages[2].probability`."""
    parts = (f"[{part}]" if isinstance(part, int) else f".{part[:_LONGEST_NAME]}" for part in at)
    return "".join(parts).removeprefix(".")


def read_text(path: Path) -> str:
    """The text of a file that somebody wrote.

    Raises:
        InvalidDocument: it is not there, cannot be read, is too large, or is not UTF-8.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
        return _within_size(str(path), content).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        detail = "is not UTF-8 text; save the file as UTF-8"
        raise InvalidDocument([Problem(str(path), line, (), detail)]) from None
    except OSError as error:
        detail = f"cannot be read: {error.strerror or error}"
        raise InvalidDocument([Problem(str(path), 1, (), detail)]) from None


def read_document(text: str, file: str) -> Document:
    """The data of a YAML text; `file` is the name that messages give it.

    Raises:
        InvalidDocument: it is not YAML at all, or too much of it. What can be read past is in
            `problems` of the answer, which `parse` raises together with its own.
    """
    _within_size(file, text.encode("utf-8", "surrogatepass"))
    root = _compose(text, file)
    if not isinstance(root, MappingNode):
        line = _line(root) if root else 1
        found = "is empty" if root is None else "is not a list of names with values"
        raise InvalidDocument([Problem(file, line, (), f"{found}; it begins with a line such as key: value")])
    reader = _Reader(Document(file))
    reader.document.data = reader.read(root, ())
    return reader.document


def parse(document: Document, model: type[Model]) -> Model:
    """The document as a model, by the rules of JSON (no text for numbers, no numbers for text).

    Raises:
        InvalidDocument: with every problem that the model finds.
    """
    try:
        value = model.model_validate_json(json.dumps(document.data), strict=True)
    except ValidationError as error:
        raise InvalidDocument([*document.problems, *_model_problems(document, error, model)]) from None
    if document.problems:
        raise InvalidDocument(document.problems)
    return value


def _model_problems(document: Document, error: ValidationError, model: type[BaseModel]) -> Iterator[Problem]:
    """What the model finds, without what only follows from another problem."""
    known = {problem.at for problem in document.problems}
    errors = error.errors(include_url=False)
    for found in errors:
        at = tuple(found["loc"])
        below = any(len(other["loc"]) > len(at) and other["loc"][: len(at)] == at for other in errors)
        if at not in known and not (found["type"] == "too_short" and below):
            yield document.problem(at, in_words(found, model))


def _line(part: Node | yaml.Event) -> int:
    return part.start_mark.line + 1 if part.start_mark else 1


def _within_size(file: str, content: bytes) -> bytes:
    if len(content) > MAX_BYTES:
        detail = f"is larger than {MAX_BYTES // 1024} KB, which is more than is taken"
        raise InvalidDocument([Problem(file, 1, (), detail)])
    return content


def _compose(text: str, file: str) -> Node | None:
    """The only document of the text, as nodes with marks."""
    try:
        _refuse_depth(text, file)
        return yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.reader.ReaderError as error:
        line = text[: error.position].count("\n") + 1
        detail = f"holds a character that text cannot have (U+{error.character:04X})"
        raise InvalidDocument([Problem(file, line, (), detail)]) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise InvalidDocument([Problem(file, line, (), _syntax(error))]) from None


def _refuse_depth(text: str, file: str) -> None:
    """Walk over the events, which takes no stack, before nodes are made, which does."""
    depth = 0
    for count, event in enumerate(yaml.parse(text, Loader=yaml.SafeLoader)):
        if count > 2 * MAX_NODES:
            detail = f"holds more than {MAX_NODES:,} values"
            raise InvalidDocument([Problem(file, _line(event), (), detail)])
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            detail = f"is nested more than {MAX_DEPTH} levels deep"
            raise InvalidDocument([Problem(file, _line(event), (), detail)])


def _syntax(error: yaml.MarkedYAMLError) -> str:
    """A syntax error of YAML, in words that say what to change."""
    problem = error.problem or "this line cannot be understood"
    if r"'\t'" in problem:
        return "a tab cannot be used here; indent with spaces"
    if "another document" in problem:
        return "a second document begins here (---); a file holds one"
    if "mapping values are not allowed" in problem:
        return "a ': ' is not expected here; put text that holds one in quotes, or check the indentation"
    if "could not find expected ':'" in problem:
        return "a ':' is missing after the name"
    if "undefined alias" in problem:
        return f"{problem}; no anchor (&) has this name"
    return f"is not YAML: {problem}" + (f" ({error.context})" if error.context else "")


class _Reader:
    """Turns nodes into data, remembering lines and every problem on the way."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self._scalars = yaml.constructor.SafeConstructor()
        self._open: list[Node] = []
        self._count = 0

    def read(self, node: Node, at: Location) -> Any:
        self.document.lines.setdefault(at, _line(node))
        if node in self._open:
            self._refuse(node, at, "this alias (*) stands inside of what it repeats, which has no end")
            return None
        self._count += 1
        if self._count > MAX_NODES:
            detail = f"holds more than {MAX_NODES:,} values once its aliases (*) are followed"
            raise InvalidDocument([Problem(self.document.file, _line(node), at, detail)])
        self._open.append(node)
        try:
            if isinstance(node, MappingNode):
                return self._mapping(node, at)
            if isinstance(node, SequenceNode):
                return self._sequence(node, at)
            return self._scalar(cast(ScalarNode, node), at)
        finally:
            self._open.pop()

    def _mapping(self, node: MappingNode, at: Location) -> dict[str, Any]:
        self._plain_tag(node, at, "map")
        seen: dict[str, int] = {}
        data: dict[str, Any] = {}
        for key, value in node.value:
            line = _line(key)
            if key.tag == _MERGE:
                self._refuse(key, at, "merge keys (<<) are not taken; write the lines out")
            elif not isinstance(key, ScalarNode) or _tag_of(key) != _TEXT:
                self._refuse(key, at, "a name must be plain text; put it in quotes")
            elif key.value in seen:
                first = seen[key.value]
                self._refuse(key, (*at, key.value), f"is here a second time; the first is on line {first}")
            else:
                seen[key.value] = line
                self.document.lines[(*at, key.value)] = line
                data[self._readable(key, at)] = self.read(value, (*at, key.value))
        return data

    def _sequence(self, node: SequenceNode, at: Location) -> list[Any]:
        self._plain_tag(node, at, "seq")
        return [self.read(item, (*at, index)) for index, item in enumerate(node.value)]

    def _scalar(self, node: ScalarNode, at: Location) -> Any:
        tag = _tag_of(node)
        if tag == _TEXT:
            return self._readable(node, at)
        if tag not in _JSON_ONLY:
            self._refuse(node, at, f"the tag '{tag.removeprefix(_TAG)}' is not taken; leave it out")
            return None
        return self._scalars.construct_object(node)

    def _plain_tag(self, node: Node, at: Location, kind: str) -> None:
        if node.tag != f"tag:yaml.org,2002:{kind}":
            tag = node.tag.removeprefix("tag:yaml.org,2002:")
            self._refuse(node, at, f"the tag '{tag}' is not taken; leave it out")

    def _readable(self, node: Node, at: Location) -> str:
        """The text, refused where it holds what neither a page nor the database can keep."""
        text = str(node.value)
        bad = next((c for c in text if (c < " " and c not in "\t\n\r") or _is_surrogate(c)), None)
        if bad is None:
            return text
        self._refuse(node, at, f"holds a character that text cannot have (U+{ord(bad):04X})")
        return ""

    def _refuse(self, node: Node, at: Location, detail: str) -> None:
        self.document.problems.append(Problem(self.document.file, _line(node), at, detail))


def _tag_of(node: ScalarNode) -> str:
    """The tag by YAML 1.2's rules."""
    shape = _JSON_ONLY.get(node.tag)
    return _TEXT if node.tag == f"{_TAG}value" or (shape and not shape.fullmatch(node.value)) else node.tag


def _is_surrogate(character: str) -> bool:
    return _SURROGATES[0] <= character <= _SURROGATES[1]
