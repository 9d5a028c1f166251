"""Rules that people write, in the Common Expression Language (CEL).

A rule is checked when its playbook is published, with facts of the same shape
as a deal's, and evaluated in an activity. CEL has no loops, no clock and no
access to anything but the facts; what could still take long is refused here.
"""

from __future__ import annotations

import copy
import difflib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import cel

from domain.errors import TandemError

MAX_LENGTH = 1000
MAX_NESTING = 2
MAX_COMMAS = 60
"""A list in a list in a list takes seconds; these bounds keep a rule below 50 ms."""

Facts = Mapping[str, Any]

SAMPLE_FACTS: dict[str, Any] = {
    "deal": {
        "title": "ERP rollout",
        "amount": 250000.0,
        "currency": "USD",
        "status": "open",
        "custom": {},
        "customer": {"name": "Acme", "country": "US", "industry": "manufacturing"},
        "owner": "Ada Rep",
    },
    "stage": {"key": "qualify", "phase": "qualified", "position": 0},
    "tasks": {},
    "partners": [{"name": "Aster Integrators", "role": "reseller"}],
}
"""Facts in the shape that every rule sees; `tasks` is filled with the playbook's own."""

_FEW = 8
"""So many names are worth listing when none is like the one that was written."""

_TASK = {"state": "open", "required": True, "side": "vendor"}
_FREE = {("deal", "custom")}
_MACROS = frozenset({"all", "exists", "exists_one", "map", "filter"})
_WORDS = frozenset({"true", "false", "null", "in"})
_FUNCTIONS = frozenset(
    {"size", "has", "contains", "startsWith", "endsWith", "matches", "min", "max", "type", "dyn"}
    | {"int", "uint", "double", "string", "bytes", "timestamp", "duration"}
    | {"getFullYear", "getMonth", "getDate", "getDayOfMonth", "getDayOfWeek", "getDayOfYear"}
    | {"getHours", "getMinutes", "getSeconds", "getMilliseconds"}
)
_TOKEN = re.compile(
    r"""(?P<text>[rR][bB]?(?:"[^"\n]*"|'[^'\n]*')|[bB]?(?:"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'))"""
    r"""|(?P<name>[A-Za-z_]\w*)|(?P<number>\d[\w.]*)|(?P<note>//[^\n]*)|(?P<sign>\S)"""
)


class RuleFailed(TandemError, code="rule_failed", status=409, title="The rule cannot be answered"):
    """A rule could not be answered for this deal, for the reason that `detail` says."""


def sample_facts(task_keys: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Facts of the shape that a deal has, with these tasks (their key and side)."""
    facts = copy.deepcopy(SAMPLE_FACTS)
    facts["tasks"] = {key: {**_TASK, "side": side} for key, side in (task_keys or {}).items()}
    return facts


def evaluate(expression: str, facts: Facts) -> bool:
    """Whether the rule is true of these facts.

    Raises:
        RuleFailed: it is not CEL, names a fact that is not there, or answers something else than
            true or false.
    """
    return bool(_true_or_false(answer(expression, facts)))


def holds(expression: str, facts: Facts) -> bool:
    """As `evaluate`; a rule that cannot be answered does not hold."""
    try:
        return evaluate(expression, facts)
    except RuleFailed:
        return False


def answer(expression: str, facts: Facts) -> Any:
    """What the expression comes to with these facts.

    Raises:
        RuleFailed: it is not CEL, or names a fact that is not there.
    """
    try:
        program, names = _program(expression), _names(expression)
        # To hand a fact over takes longer than to judge it.
        return program.execute({name: facts[name] for name in names if name in facts})
    except Exception as error:
        raise RuleFailed(_in_words(error)) from error


def _true_or_false(found: Any) -> Any:
    if not isinstance(found, bool):
        raise RuleFailed(f"the rule must answer true or false, not {_kind(found)}")
    return found


def _addresses(found: Any) -> Any:
    if not isinstance(found, list) or not all(isinstance(each, str) and "@" in each for each in found):
        raise RuleFailed(f"the rule must answer a list of e-mail addresses, not {_kind(found)}")
    return found


def _somebody(found: Any) -> Any:
    if not _addresses(found):
        raise RuleFailed("the rule can answer an empty list: then nobody would be asked")
    return found


def reads(expression: str, facts: Facts) -> frozenset[str]:
    """The facts that an expression reads, such as `deal.amount`; all of `deal` where it takes it whole.

    Of a list, and of names that the sample has none of, that is the fact itself: `partners`, `tasks`.
    """
    return frozenset(_Names(list(_tokens(expression)), facts).read())


def check_people(expression: str, variants: Sequence[Facts], *, alone: bool) -> str | None:
    """What is wrong with a rule that names people by e-mail address, as a sentence, or None.

    `variants` are samples of the facts; the first has every name that a rule may use. `alone`, it
    has to name somebody for each of them.
    """
    return _check(expression, variants[0], variants, _somebody if alone else _addresses)


def check_condition(expression: str, variants: Sequence[Facts]) -> str | None:
    """What is wrong with a rule that is true or false, as a sentence, or None; `variants` as above."""
    return _check(expression, variants[0], variants, _true_or_false)


def check_rule(expression: str, facts_schema: Facts) -> str | None:
    """What is wrong with a rule of a playbook, as a sentence, or None.

    `facts_schema` is a sample of the facts: it has every name that a rule may use.
    """
    variants = _variants(facts_schema, list(_tokens(expression)))
    return _check(expression, facts_schema, variants, _true_or_false)


def _check(
    expression: str, sample: Facts, variants: Iterable[Facts], demand: Callable[[Any], Any]
) -> str | None:
    try:
        program = _program(expression)
    except Exception as error:  # noqa: BLE001  the library raises a different class for each cause
        return _in_words(error)
    tokens = list(_tokens(expression))
    return (
        _unknown_function(program, tokens)
        or next(_Names(tokens, sample).unknown(), None)
        or _wrong_answer(expression, variants, demand)
    )


@lru_cache(maxsize=512)
def _program(expression: str) -> cel.Program:
    if len(expression) > MAX_LENGTH:
        raise RuleFailed(f"the rule is longer than {MAX_LENGTH:,} characters")
    _refuse_costly(expression)
    return cel.compile(expression)


@lru_cache(maxsize=512)
def _names(expression: str) -> list[str]:
    """The facts that an expression names, and what its loops call their entries."""
    return _program(expression).variables()


def _refuse_costly(expression: str) -> None:
    """Nested loops over long lists are the one way to make CEL slow."""
    if '"""' in expression or "'''" in expression:
        raise RuleFailed("text in three quotes is not taken; use one quote on each side")
    nesting: list[bool] = []
    tokens = list(_tokens(expression))
    commas = sum(token.value == "," for token in tokens)
    if commas > MAX_COMMAS:
        raise RuleFailed(f"the rule holds lists that are too long ({commas} commas, at most {MAX_COMMAS})")
    for before, token in zip([None, *tokens], tokens, strict=False):
        if token.value == "(":
            nesting.append(before is not None and before.value in _MACROS)
        elif token.value == ")" and nesting:
            nesting.pop()
        if sum(nesting) > MAX_NESTING:
            raise RuleFailed(f"all, exists, map and filter may stand {MAX_NESTING} deep in each other")


@dataclass(frozen=True)
class _Token:
    kind: str
    value: str


def _tokens(expression: str) -> Iterator[_Token]:
    for match in _TOKEN.finditer(expression):
        if match.lastgroup != "note":
            yield _Token(str(match.lastgroup), match[0])


class _Names:
    """Finds the names in an expression that the facts do not have, also where evaluation never comes."""

    def __init__(self, tokens: list[_Token], facts: Facts) -> None:
        self._tokens = tokens
        self._facts = facts
        self._bound = {
            tokens[i + 2].value
            for i in range(len(tokens) - 3)
            if tokens[i].value in _MACROS and tokens[i + 1].value == "(" and tokens[i + 3].value == ","
        }
        entries = [*facts.get("partners", ()), *facts.get("tasks", {}).values(), _TASK]
        self._of_entries = {name for entry in entries for name in entry}

    def unknown(self) -> Iterator[str]:
        """A sentence for each unknown name, in order."""
        for index, token in enumerate(self._tokens):
            if token.kind != "name" or token.value in _WORDS or self._value(index - 1) == ".":
                continue
            if self._value(index + 1) == "(":
                continue
            if token.value in self._bound:
                yield from self._field_of_entry(index)
            elif token.value not in self._facts and token.value not in _FUNCTIONS:
                yield f"there is no fact '{token.value}'{_meant(token.value, self._facts)}"
            elif token.value in self._facts and (problem := self._follow(index)):
                yield problem

    def read(self) -> Iterator[str]:
        """The facts that the expression reads, as `deal.amount`."""
        for index, token in enumerate(self._tokens):
            if token.kind != "name" or token.value not in self._facts or self._value(index - 1) == ".":
                continue
            group, step = self._facts[token.value], self._step(index + 1)
            if step is not None:
                yield f"{token.value}.{step[0]}"
            elif isinstance(group, Mapping) and group:
                yield from (f"{token.value}.{name}" for name in group)
            else:
                yield token.value

    def _value(self, index: int) -> str:
        return self._tokens[index].value if 0 <= index < len(self._tokens) else ""

    def _step(self, index: int) -> tuple[str, int] | None:
        """The name that follows at `index`, as `.name` or `['name']`, and where the next may follow."""
        if self._value(index) == "." and self._value(index + 2) != "(":
            return self._value(index + 1), index + 2
        if self._value(index) == "[" and self._value(index + 2) == "]":
            token = self._tokens[index + 1]
            return (token.value.strip("\"'"), index + 3) if token.kind == "text" else None
        return None

    def _follow(self, index: int) -> str | None:
        at: tuple[str, ...] = (self._tokens[index].value,)
        here: Any = self._facts[at[0]]
        step = self._step(index + 1)
        while step and at not in _FREE and isinstance(here, Mapping):
            name, index = step
            if name not in here:
                return self._no_such(at, name, here)
            at, here, step = (*at, name), here[name], self._step(index)
        return None

    def _field_of_entry(self, index: int) -> Iterator[str]:
        step = self._step(index + 1)
        if step and step[0] not in self._of_entries:
            names = dict.fromkeys(sorted(self._of_entries))
            yield f"'{self._value(index)}' has no '{step[0]}'{_meant(step[0], names)}"

    @staticmethod
    def _no_such(at: tuple[str, ...], name: str, here: Mapping[str, Any]) -> str:
        if at == ("tasks",):
            return f"there is no task '{name}' up to this stage{_meant(name, here)}"
        return f"{'.'.join(at)} has no '{name}'{_meant(name, here)}"


def _meant(name: str, known: Mapping[str, Any]) -> str:
    guess = difflib.get_close_matches(name, list(known), 1)
    if guess:
        return f"; did you mean {guess[0]}?"
    return f"; there are {', '.join(known)}" if 0 < len(known) <= _FEW else ""


def _unknown_function(program: cel.Program, tokens: list[_Token]) -> str | None:
    names = {token.value for token in tokens if token.kind == "name"}
    unknown = sorted(names.intersection(program.functions()) - _FUNCTIONS)
    if not unknown:
        return None
    return f"there is no function '{unknown[0]}'{_meant(unknown[0], dict.fromkeys(sorted(_FUNCTIONS)))}"


def _variants(facts: Facts, tokens: list[_Token]) -> Iterator[dict[str, Any]]:
    """The sample at the beginning, in the middle and at the end of a deal's life."""
    for state, amount, partners in (("open", 0.0, 0), ("waived", 1.0, 1), ("done", 1e9, 1)):
        variant = copy.deepcopy(dict(facts))
        variant["deal"]["amount"] = amount
        # A custom field is text; a number in it suits int() and double(), too.
        variant["deal"]["custom"] = {token.value.strip("\"'"): "1" for token in tokens}
        variant["partners"] = variant["partners"][:partners]
        for task in variant["tasks"].values():
            task["state"] = state
        yield variant


def _wrong_answer(expression: str, variants: Iterable[Facts], demand: Callable[[Any], Any]) -> str | None:
    for facts in variants:
        try:
            demand(answer(expression, facts))
        except RuleFailed as failed:
            # What a function makes of a custom field's text depends on the deal.
            if not _depends_on_data(failed):
                return failed.detail
    return None


def _depends_on_data(failed: RuleFailed) -> bool:
    cause = failed.__cause__
    return isinstance(cause, ArithmeticError | IndexError) or (
        isinstance(cause, RuntimeError) and "Undefined" not in str(cause) and "regex" not in str(cause)
    )


def _in_words(error: Exception) -> str:
    if isinstance(error, RuleFailed):
        return error.detail
    if isinstance(error, KeyError):
        name = error.args[0]
        return f"the rule asks for '{name}', which this deal does not have; ask has(…) first"
    text = str(error).strip()
    if isinstance(error, ValueError) and (found := re.search(r"ERROR: <input>:\d+:(\d+): (.*)", text)):
        what = found[2].removeprefix("Syntax error: ").split(" expecting ")[0]
        what = what.replace("mismatched input '<EOF>'", "the end is reached too early")
        return f"is not a CEL expression: column {found[1]}: {what}"
    if text.startswith("No such overload"):
        return "the rule compares or combines things of different kinds, such as a number with text"
    if isinstance(error, UnicodeEncodeError):
        return "the rule holds a character that text cannot have"
    return (
        f"the rule cannot be evaluated: {text.splitlines()[0].split('. ')[0] if text else 'no reason given'}"
    )


def _kind(answer: Any) -> str:
    kinds = {str: "text", int: "a number", float: "a number", list: "a list", dict: "names with values"}
    return kinds.get(type(answer), "nothing" if answer is None else "something else")
