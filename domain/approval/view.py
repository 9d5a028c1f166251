"""A request as somebody may see it: what is the vendor's own is left out for everybody else."""

from __future__ import annotations

from domain.approval.state import Approval, Round, Step, StepState
from domain.made import changed
from domain.principal import Principal, Role, Side

VENDORS_STEP = "The vendor"
"""All steps together, as a partner sees them."""

SEEING_ALL = frozenset({Role.DEAL_DESK, Role.FINANCE, Role.SALES_DIRECTOR, Role.ADMIN})
"""Whoever has one of these roles sees all of every request; so does who may decide on it, or has."""


def sees_all(approval: Approval, principal: Principal) -> bool:
    """Whether somebody sees what only the deciding side may: costs, margins, rules and comments."""
    if principal.side is Side.PARTNER:
        return False
    return bool(SEEING_ALL & principal.roles) or any(
        step.seat(principal.id) or step.decision_of(principal.id)
        for steps in (approval.steps, *(each.steps for each in approval.rounds))
        for step in steps
    )


def as_seen(approval: Approval, principal: Principal) -> Approval:
    """The request without what the principal may not know.

    Whoever asked on the vendor's side does not see the internal facts. A partner sees one step, the
    vendor's: who is asked, and by which rule, would tell it costs and margins.
    """
    if sees_all(approval, principal):
        return approval
    facts = {name: value for name, value in approval.facts.items() if name not in approval.internal_facts}
    seen = changed(approval, {"facts": facts})
    if principal.side is Side.PARTNER:
        seen.templates = ()
        seen.backup = ()
        seen.steps = (_vendors(approval.steps),)
        seen.rounds = tuple(_outline(each) for each in approval.rounds)
    return seen


def _outline(each: Round) -> Round:
    return each.but(steps=(_vendors(each.steps),))


def _vendors(steps: tuple[Step, ...]) -> Step:
    """All steps as one: open until the vendor has decided."""
    states = {step.state for step in steps}
    told = (StepState.REJECTED, StepState.SKIPPED, StepState.OPEN, StepState.WAITING)
    return Step(
        key="vendor",
        title=VENDORS_STEP,
        rule="",
        needs="one",
        state=next((state for state in told if state in states), StepState.APPROVED),
        opened_at=min((step.opened_at for step in steps if step.opened_at is not None), default=None),
        due_at=max((step.due_at for step in steps if step.due_at is not None), default=None),
    )
