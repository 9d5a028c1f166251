"""Steps as a policy writes them: what fits together, and what is refused with a sentence."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from domain.approval.policy import ApproverRule, PolicyRef, Steps, StepTemplate
from tests.approvals import step


class Policy(BaseModel):
    steps: Steps


def written(key: str = "desk", **more: Any) -> dict[str, Any]:
    return {"key": key, "title": "Deal desk", "approvers": [{"role": "deal_desk"}], **more}


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ({"person": "cfo@vendor.example"}, "cfo@vendor.example"),
        ({"role": "sales_director"}, "sales director"),
        ({"manager": True}, "the requester's manager"),
        ({"rule": "[deal.owner]"}, "whom [deal.owner] names"),
    ],
)
def test_an_approver_is_named_in_one_of_four_ways(rule: dict[str, Any], words: str):
    assert ApproverRule.model_validate(rule).words == words


@pytest.mark.parametrize(
    "rule",
    [
        {},
        {"role": "finance", "manager": True},
        {"manager": False},
        {"role": "partner_seller"},
        {"person": "nobody"},
        {"rule": ""},
        {"colour": "blue"},
    ],
)
def test_any_other_way_is_refused(rule: dict[str, Any]):
    with pytest.raises(ValidationError):
        ApproverRule.model_validate(rule)


def test_what_a_step_leaves_out_has_a_sensible_answer():
    plain = StepTemplate.model_validate(written())
    assert (plain.needs, plain.due, plain.remind, plain.words) == ("one", "8bh", "half", "always")
    assert plain.escalate == ()
    assert StepTemplate.model_validate(written(when="a > 1")).words == "a > 1"
    assert StepTemplate.model_validate(written(when="a > 1", when_in_words="A is big")).words == "A is big"


@pytest.mark.parametrize(
    "more",
    [
        {"needs": 3, "approvers": [{"person": "a@vendor.example"}, {"person": "A@Vendor.example"}]},
        {"needs": 0},
        {"needs": "most"},
        {"approvers": []},
        {"due": "soon"},
        {"remind": ["later"]},
        {"escalate": [{"after": "4bh"}]},
        {"escalate": [{"to": {"role": "finance"}, "after": "4 hours"}]},
        {"key": "Deal desk"},
    ],
)
def test_a_step_that_cannot_work_is_refused(more: dict[str, Any]):
    with pytest.raises(ValidationError):
        StepTemplate.model_validate(written(**more))


def test_a_number_of_a_role_is_taken_for_who_will_have_it():
    assert step(needs=3).needs == 3


@pytest.mark.parametrize(
    ("steps", "at", "what"),
    [
        ([written("a"), written("a")], (1, "key"), "another step has the key 'a' already"),
        ([written("requester")], (0, "key"), "the key 'requester' is kept for whoever asked"),
        ([written("a", after=["b"])], (0, "after", 0), "there is no step 'b'; there are a"),
        ([written("a", after=["a"])], (0, "after"), "'a' would wait for itself"),
        (
            [written("a", after=["c"]), written("b", after=["a"]), written("c", after=["b"])],
            (2, "after"),
            "'c' would wait for itself",
        ),
    ],
)
def test_steps_that_do_not_fit_together_are_refused_at_their_place(
    steps: list[dict[str, Any]], at: tuple[str | int, ...], what: str
):
    with pytest.raises(ValidationError) as refused:
        Policy.model_validate({"steps": steps})
    found = {error["loc"]: error["msg"] for error in refused.value.errors()}
    assert found[("steps", *at)] == what


def test_steps_may_come_after_several_others_and_meet_again():
    Policy.model_validate(
        {
            "steps": [
                written("a"),
                written("b", after=["a"]),
                written("c", after=["a"]),
                written("d", after=["b", "c"]),
            ]
        }
    )


def test_a_version_of_a_policy_has_a_name():
    assert str(PolicyRef(key="standard", version=3)) == "standard version 3"
