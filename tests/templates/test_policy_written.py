"""A policy as the draft of its next version."""

from __future__ import annotations

import pytest

from api.web.policies import written
from domain.discount.policy import DiscountPolicyDefinition
from ops.policies import shipped_policies
from runtime.policies import parse_policy, read_policy

SHIPPED = read_policy(shipped_policies()[0])
LINES = {"tiers": {"gold": "12.5"}, "lines": {"2024": {"silver": "7"}}}


@pytest.mark.parametrize(
    "policy",
    [
        SHIPPED,
        SHIPPED.model_copy(update={"description": "", "title": "15"}),
        DiscountPolicyDefinition(key="least", title="Least"),
        DiscountPolicyDefinition.model_validate({"key": "lines", "title": "By line", "standard": LINES}),
    ],
)
def test_a_draft_says_what_its_policy_does(policy: DiscountPolicyDefinition) -> None:
    assert parse_policy(written(policy)) == policy


def test_a_draft_shows_what_one_may_want_to_change_as_one_would_type_it() -> None:
    text = written(SHIPPED)
    for line in (
        "    gold: 15\n",
        "  due: 8bh\n",
        "  remind: half\n",
        "  valid: 90d\n",
        "request_expires: 30d\n",
    ):
        assert line in text
    assert "''" not in text
    assert "[]" not in text
