"""Discount policy files: what is read, what is refused, and whom a policy has to find."""

from __future__ import annotations

from pathlib import Path

import pytest

from domain.approval.directory import Directory, PersonEntry
from domain.principal import Role, Side
from runtime.policies import RULES, InvalidPolicy, parse_policy, policy_schema, read_policy
from tests.bargains import SHIPPED
from tests.factories import VENDOR_ID, an_id

TEXT = SHIPPED.read_text()


def person(number: int, role: Role, *, active: bool = True, side: Side = Side.VENDOR) -> PersonEntry:
    return PersonEntry(
        id=an_id(number),
        name=f"Person {number}",
        email=f"p{number}@vendor.example",
        roles=(role,),
        active=active,
        organisation_id=VENDOR_ID,
        side=side,
    )


PEOPLE = Directory(
    people=(
        person(1, Role.DEAL_DESK),
        person(2, Role.FINANCE),
        person(3, Role.SALES_DIRECTOR),
        person(4, Role.ADMIN),
        person(5, Role.DEAL_DESK, active=False),
        person(6, Role.PARTNER_SELLER, side=Side.PARTNER),
    )
)


def problems(old: str, new: str) -> list[str]:
    assert old in TEXT
    with pytest.raises(InvalidPolicy) as refused:
        parse_policy(TEXT.replace(old, new, 1), "p.yaml", PEOPLE)
    return [str(problem) for problem in refused.value.problems]


def test_what_ships_finds_everybody_it_asks() -> None:
    assert read_policy(SHIPPED, PEOPLE) == read_policy(SHIPPED)


def test_which_facts_a_step_minds() -> None:
    [desk, finance, director] = read_policy(SHIPPED).steps
    assert RULES.concerns(desk) == {"discount.beyond", "deal.amount", "margin.percent"}
    assert RULES.concerns(finance) == {"discount.beyond", "discount.value", "elsewhere.value"}
    assert RULES.concerns(director) == {"discount.beyond", "margin.below_cost"}
    assert RULES.concerns(director.model_copy(update={"when": None})) == frozenset()


def test_a_fact_group_taken_whole_is_all_of_it() -> None:
    assert RULES.reads("size(elsewhere) > 0") == {"elsewhere.deals", "elsewhere.percent", "elsewhere.value"}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "{role: finance}",
            "{person: p6@vendor.example}",
            "'p6@vendor.example' is none of the vendor's people",
        ),
        ("{role: finance}", "{person: p5@vendor.example}", "none of the vendor's people who can sign in"),
        ("{role: finance}", "{role: customer_success}", "nobody has the role 'customer_success'"),
        ("{role: finance}", "{rule: '[\"who@vendor.example\"]'}", "the rule names who@vendor.example"),
        ("{role: finance}", "{rule: 'deal.amount'}", "must answer a list of e-mail addresses, not a number"),
        ("{role: finance}", "{rule: '[1]'}", "must answer a list of e-mail addresses"),
        ("{role: finance}", "{rule: 'deal.amont'}", "deal has no 'amont'"),
        ("approvers: [{role: finance}]", "needs: 2\n    approvers: [{role: finance}]", "only 1 can be asked"),
        (
            "approvers: [{role: finance}]",
            "needs: 2\n    approvers: [{person: p2@vendor.example}, {role: finance}]",
            "2 have to agree, but only 1 can be asked",
        ),
        (
            "approvers: [{role: finance}]",
            "needs: 2\n    approvers: [{manager: true}]",
            "2 have to agree, but only 1 can be asked",
        ),
        ("{to: {role: sales_director}}", "{to: {role: customer_success}}", "nobody has the role"),
        (
            "backup: [{role: sales_director}, {role: admin}]",
            "backup: [{role: customer_success}, {person: who@vendor.example}]",
            "'who@vendor.example' is none",
        ),
        ("{role: finance}", "{role: partner_admin}", "is a partner's role"),
        ("{role: finance}", "{role: finance, person: p2@vendor.example}", "write one of person, role"),
        ("currency: USD", "currency: usd", "currency"),
        ("valid: 90d", "valid: 90bd", "is not a duration"),
    ],
)
def test_what_cannot_be_published_says_why(old: str, new: str, said: str) -> None:
    assert any(said in problem for problem in problems(old, new)), problems(old, new)


def test_rules_and_people_are_told_together() -> None:
    found = problems("{role: finance}", "{rule: '[1]'}, {role: customer_success}")
    assert len(found) == 2, found


def test_a_rule_beside_somebody_else_may_name_nobody() -> None:
    rule = "{rule: 'deal.amount > 1e6 ? [\"p1@vendor.example\"] : []'}"
    text = TEXT.replace("{role: finance}", f"{{role: finance}}, {rule}", 1)
    assert len(parse_policy(text, "p.yaml", PEOPLE).steps[1].approvers) == 2
    several = text.replace("title: Finance", "title: Finance\n    needs: 2", 1)
    assert parse_policy(several, "p.yaml", PEOPLE).steps[1].needs == 2


def test_a_file_that_is_not_there_or_no_yaml(tmp_path: Path) -> None:
    with pytest.raises(InvalidPolicy, match="cannot be read"):
        read_policy(tmp_path / "none.yaml")
    with pytest.raises(InvalidPolicy, match="is empty"):
        parse_policy("")


def test_the_schema_describes_every_field() -> None:
    schema = policy_schema()
    assert schema["title"] == "Tandem discount policy"
    assert {"key", "standard", "steps", "grant", "backup"} <= set(schema["properties"])


def test_one_of_the_last_to_ask_is_enough() -> None:
    text = TEXT.replace("backup: [{role: sales_director}", "backup: [{role: customer_success}")
    assert len(parse_policy(text, "p.yaml", PEOPLE).backup) == 2
