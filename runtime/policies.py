"""Discount policy files: YAML read into `DiscountPolicyDefinition`, checked down to each CEL rule."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from domain.approval.directory import Directory
from domain.approval.policy import ApproverRule
from domain.approval.resolve import addresses
from domain.discount.assess import Rules
from domain.discount.facts import SAMPLE, AskedFacts, DiscountFacts, MarginFacts, OtherGrant, fact_names
from domain.discount.policy import DiscountPolicyDefinition, DiscountStep
from domain.principal import Side
from runtime import cel
from runtime.documents import InvalidDocument, Location, parse, read_document, read_text

SCHEMA_ID = "https://tandem.example/schemas/policy.schema.json"

SAMPLES: tuple[DiscountFacts, ...] = (
    SAMPLE,
    DiscountFacts(currency="USD", discount=AskedFacts(percent=Decimal(1))),
    SAMPLE.model_copy(
        update={
            "margin": MarginFacts.of(Decimal(1000000), Decimal(2000000)),
            "elsewhere": (
                OtherGrant(
                    opportunity_id="01980000-0000-7000-8000-000000000001",
                    title="ERP rollout, second site",
                    percent=Decimal(40),
                    state="granted",
                    value=Decimal(400000),
                ),
            ),
        }
    ).asking(Decimal(99)),
)
"""A request as many are, one of which nothing is known, and one that no vendor wants to see."""

_FACTS: Sequence[dict[str, Any]] = tuple(sample.for_rules() for sample in SAMPLES)

RULES = Rules(judge=cel.answer, reads=lambda expression: cel.reads(expression, _FACTS[0]))
"""How the rules of policies are asked, and what they read."""


class InvalidPolicy(InvalidDocument):
    """A policy file that cannot be published as it is; `errors` says every reason and where."""

    title = "The discount policy is not valid"


def read_policy(path: Path, directory: Directory | None = None) -> DiscountPolicyDefinition:
    """The policy in a file; with a directory, every step has to find somebody in it.

    Raises:
        InvalidPolicy: with every problem found, each with its line and field.
    """
    try:
        text = read_text(path)
    except InvalidDocument as invalid:
        raise InvalidPolicy(invalid.problems) from None
    return parse_policy(text, str(path), directory)


def parse_policy(
    text: str, file: str = "policy", directory: Directory | None = None
) -> DiscountPolicyDefinition:
    """The policy in a YAML (or JSON) text; `file` is the name that messages give it.

    Raises:
        InvalidPolicy: with every problem found, each with its line and field.
    """
    try:
        document = read_document(text, file)
        definition = parse(document, DiscountPolicyDefinition)
    except InvalidDocument as invalid:
        raise InvalidPolicy(invalid.problems) from None
    if wrong := what_is_wrong(definition, directory):
        raise InvalidPolicy([document.problem(at, detail) for at, detail in wrong])
    return definition


def what_is_wrong(
    definition: DiscountPolicyDefinition, directory: Directory | None
) -> list[tuple[Location, str]]:
    """What is wrong with the rules of a policy, and with whom they name of these people."""
    return wrong_rules(definition) + (nobody_asked(definition, directory) if directory else [])


def wrong_rules(definition: DiscountPolicyDefinition) -> list[tuple[Location, str]]:
    """What is wrong with the CEL rules of a policy, and where: empty when all is well."""
    return [*_wrong_conditions(definition), *_wrong_approvers(definition)]


def _wrong_conditions(definition: DiscountPolicyDefinition) -> Iterator[tuple[Location, str]]:
    known = fact_names()
    for index, step in enumerate(definition.steps):
        if step.when is not None and (problem := cel.check_condition(step.when, _FACTS)):
            yield ("steps", index, "when"), problem
        for place, name in enumerate(step.minds):
            if name not in known:
                yield ("steps", index, "minds", place), f"there is no fact '{name}'"


def _wrong_approvers(definition: DiscountPolicyDefinition) -> Iterator[tuple[Location, str]]:
    for at, rule, alone in _approver_rules(definition):
        if rule.rule is not None and (problem := cel.check_people(rule.rule, _FACTS, alone=alone)):
            yield (*at, "rule"), problem


def _approver_rules(
    definition: DiscountPolicyDefinition,
) -> Iterator[tuple[Location, ApproverRule, bool]]:
    """Every rule that names people, where it stands, and whether it is the only one there."""
    for index, step in enumerate(definition.steps):
        lists = {"approvers": step.approvers, "backup": step.backup or ()}
        for field, rules in lists.items():
            for place, rule in enumerate(rules):
                yield ("steps", index, field, place), rule, len(rules) == 1
        for place, level in enumerate(step.escalate):
            yield ("steps", index, "escalate", place, "to"), level.to, True
    for place, rule in enumerate(definition.backup):
        yield ("backup", place), rule, len(definition.backup) == 1


def nobody_asked(definition: DiscountPolicyDefinition, directory: Directory) -> list[tuple[Location, str]]:
    """The rules that name nobody who could approve, and the steps that have too few, as people are now."""
    found: list[tuple[Location, str]] = []
    backups: dict[Location, list[tuple[Location, str | None]]] = {}
    for at, rule, _ in _approver_rules(definition):
        problem = _names_nobody(rule, directory)
        if "backup" in at:  # the first that names anybody is asked: one is enough
            backups.setdefault(at[:-1], []).append((at, problem))
        elif problem is not None:
            found.append((at, problem))
    for tried in backups.values():
        found += [(at, problem) for at, problem in tried[-1:] if problem and all(why for _, why in tried)]
    for index, step in enumerate(definition.steps):
        if (problem := _too_few(step, directory)) is not None:
            found.append((("steps", index, "needs"), problem))
    return found


def _names_nobody(rule: ApproverRule, directory: Directory) -> str | None:
    if rule.role is not None and not _with_role(rule, directory):
        return f"nobody has the role '{rule.role.value}': give it to somebody, or ask somebody else"
    if rule.person is not None and not _is_there(rule.person, directory):
        return f"'{rule.person}' is none of the vendor's people who can sign in"
    if rule.rule is None:
        return None
    for facts in _FACTS:
        named = addresses(rule.rule, facts, cel.answer)
        if named and not any(_is_there(address, directory) for address in named):
            return f"the rule names {', '.join(named)}: none of the vendor's people who can sign in"
    return None


def _too_few(step: DiscountStep, directory: Directory) -> str | None:
    """Whether more have to agree than the step can ever ask."""
    if not isinstance(step.needs, int) or any(each.rule for each in step.approvers):
        return None
    people = {each.id for rule in step.approvers for each in _with_role(rule, directory)}
    people |= {
        person.id
        for rule in step.approvers
        if rule.person and (person := directory.by_email(rule.person)) is not None
    }
    most = len(people) + any(each.manager for each in step.approvers)
    return None if most >= step.needs else f"{step.needs} have to agree, but only {most} can be asked"


def _with_role(rule: ApproverRule, directory: Directory) -> Sequence[Any]:
    return directory.with_role(rule.role) if rule.role is not None else ()


def _is_there(email: str, directory: Directory) -> bool:
    person = directory.by_email(email)
    return person is not None and person.active and person.side is Side.VENDOR


def policy_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of a policy file, for editors."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA_ID,
        **DiscountPolicyDefinition.model_json_schema(),
        "title": "Tandem discount policy",
    }
