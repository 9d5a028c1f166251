"""Rules in CEL: what is taken, what is refused and why, and what they answer."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import TandemError
from runtime.cel import MAX_COMMAS, SAMPLE_FACTS, RuleFailed, check_rule, evaluate, reads, sample_facts

WORDS = ["deal", ".amount", "tasks", "partners", ".all(", "size(", "t", "'x'", "1", "1.5", "[", "]", "(", ")"]
WORDS += [",", "&&", "!", "-", "+", "%", "==", "?", ":", "{", "}", "in", "9223372036854775807"]
FACTS = sample_facts({"share-profile": "partner", "demo": "vendor"})


@pytest.mark.parametrize(
    "rule",
    [
        "true",
        "deal.amount > 5",
        "deal.amount >= 5.0 && deal.currency == 'USD'",
        "deal['amount'] > 1.0",
        "deal.customer.country == 'US' || deal.customer.industry.contains('factur')",
        "deal.status in ['open', 'won']",
        "deal.title.size() > 3 && deal.owner != ''",
        "deal.title.matches('^ERP [a-z]+$')",
        r"deal.title.matches(r'\d+')",
        "has(deal.custom.region) && deal.custom.region == 'EMEA'",
        "int(deal.custom.seats) > 3",
        "timestamp(deal.custom.since) < timestamp('2030-01-01T00:00:00Z')",
        "'region' in deal.custom",
        "stage.position > 1 || stage.phase == 'qualified' || stage.key == 'qualify'",
        "tasks['share-profile'].state == 'done'",
        "tasks.demo.required",
        "tasks.all(t, !tasks[t].required || tasks[t].state != 'open')",
        "tasks.filter(t, tasks[t].side == 'partner').all(t, tasks[t].state == 'done')",
        "partners.exists(p, p.role == 'reseller' && p.name.startsWith('Aster'))",
        "size(partners) > 0 && partners[0].name == 'x'",
        "'deal.amnt (' == deal.title // not a name: deal.amnt",
        "type(deal.amount) == double",
        "1.0 / (deal.amount - 1.0) > 0.0",
        "10 / int(deal.amount) > 1",
    ],
)
def test_a_rule_over_the_facts_is_taken(rule: str) -> None:
    assert check_rule(rule, FACTS) is None


@pytest.mark.parametrize(
    ("rule", "why"),
    [
        ("", "is not a CEL expression: column 1: the end is reached too early"),
        ("deal.amount >", "is not a CEL expression: column 14: the end is reached too early"),
        ("deal.amount", "the rule must answer true or false, not a number"),
        ("deal.title", "the rule must answer true or false, not text"),
        ("partners", "the rule must answer true or false, not a list"),
        ("deal", "the rule must answer true or false, not names with values"),
        ("null", "the rule must answer true or false, not nothing"),
        ("b'x'", "the rule must answer true or false, not something else"),
        ("dael.amount > 1.0", "there is no fact 'dael'; did you mean deal?"),
        ("secrets == 1", "there is no fact 'secrets'; there are deal, stage, tasks, partners"),
        ("deal.amnt > 1.0", "deal has no 'amnt'; did you mean amount?"),
        ("deal['amnt'] > 1.0", "deal has no 'amnt'; did you mean amount?"),
        ("false && deal.amnt == 1.0", "deal has no 'amnt'; did you mean amount?"),
        ("true || deal.customer.zip == ''", "deal.customer has no 'zip'; there are name, country, industry"),
        ("has(deal.amnt)", "deal has no 'amnt'; did you mean amount?"),
        ("tasks.deno.required", "there is no task 'deno' up to this stage; did you mean demo?"),
        ("tasks.demo.stat == 'done'", "tasks.demo has no 'stat'; did you mean state?"),
        ("true || partners.exists(p, p.rolle == 'x')", "'p' has no 'rolle'; did you mean role?"),
        ("tasks.all(t, tasks[t].stat == '')", "the rule asks for 'stat', which this deal does not have"),
        ("false && fooz(deal)", "there is no function 'fooz'"),
        ("now() > timestamp('2020-01-01T00:00:00Z')", "there is no function 'now'"),
        ("deal.title > 5", "the rule compares or combines things of different kinds"),
        ("deal.amount > 1e6 && deal.title > 5", "the rule compares or combines things of different kinds"),
        ("deal.title + 1 == ''", "Unsupported operation"),
        ("deal.title.matches('(')", "not a valid regex"),
        ('deal.title == """x"""', "text in three quotes is not taken"),
        ("x" * 1001, "longer than 1,000 characters"),
        ("\ud800", "the rule holds a character that text cannot have"),
        ("\x00", "is not a CEL expression"),
        ("(" * 500, "is not a CEL expression"),
        ("[[1]].all(a, a.all(b, [b].all(c, true)))", "may stand 2 deep in each other"),
        (f"[{'1,' * (MAX_COMMAS + 1)}1] == []", "lists that are too long"),
    ],
)
def test_a_rule_that_cannot_work_is_refused_with_the_reason(rule: str, why: str) -> None:
    problem = check_rule(rule, FACTS)
    assert problem is not None
    assert why in problem


def test_a_rule_is_true_or_false_of_a_deal() -> None:
    facts = sample_facts({"demo": "vendor"})
    rule = "deal.amount > 100.0 && tasks.demo.state == 'done'"
    assert evaluate(rule, facts) is False
    facts["tasks"]["demo"]["state"] = "done"
    assert evaluate(rule, facts) is True


def test_a_fact_that_this_deal_lacks_is_named() -> None:
    with pytest.raises(RuleFailed, match=r"asks for 'region'.*ask has\(…\) first"):
        evaluate("deal.custom.region == 'EMEA'", FACTS)


def test_a_failure_is_a_refusal_like_every_other() -> None:
    with pytest.raises(TandemError) as failed:
        evaluate("1 / 0 == 1", FACTS)
    assert failed.value.code == "rule_failed"
    assert failed.value.detail.startswith("the rule cannot be evaluated")


def test_the_costliest_rule_that_is_taken_ends_soon() -> None:
    ones = "[" + ",".join("1" * (MAX_COMMAS // 2)) + "]"
    rule = f"{ones}.map(a, {ones}.map(b, a + b)).size() > 0"
    began = time.process_time()
    assert check_rule(rule, FACTS) is None
    assert time.process_time() - began < 2


@settings(max_examples=300, deadline=None)
@given(
    st.one_of(
        st.text(max_size=200),
        st.lists(
            st.sampled_from(WORDS),
            max_size=25,
        ).map(" ".join),
    )
)
def test_whatever_is_written_is_answered_with_a_sentence_or_taken(rule: str) -> None:
    problem = check_rule(rule, FACTS)
    assert problem is None or problem.strip()


@pytest.mark.parametrize(
    ("rule", "facts"),
    [
        ("deal.amount > 5.0", {"deal.amount"}),
        ("deal['amount'] > 5.0 && deal.owner != ''", {"deal.amount", "deal.owner"}),
        ("size(partners) > 0", {"partners"}),
        ("deal.amount > 5.0 && partners.exists(p, p.role == 'reseller')", {"deal.amount", "partners"}),
        ("tasks.all(t, tasks[t].state == 'done')", {"tasks"}),
        ("tasks['x'].state == 'done'", {"tasks.x"}),
        ("stage == stage", {"stage.key", "stage.phase", "stage.position"}),
    ],
)
def test_what_a_rule_reads(rule: str, facts: set[str]) -> None:
    assert reads(rule, SAMPLE_FACTS) == facts
