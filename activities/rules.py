"""Asking the rules that people write in playbooks."""

from __future__ import annotations

from temporalio import activity

from runtime import cel
from workflows.messages import JUDGE, Rule


@activity.defn(name=JUDGE)
async def judge_rule(rule: Rule) -> bool:
    """Whether the rule holds; a rule that cannot be answered does not hold."""
    try:
        return cel.evaluate(rule.expression, rule.facts)
    except cel.RuleFailed as error:
        activity.logger.warning("The rule %r cannot be answered: %s", rule.expression, error)
        return False
