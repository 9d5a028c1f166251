"""What a rule in a playbook may ask about: the deal as plain values.

The clock is not among them: a rule is asked when the deal changes, and its
answer must not depend on when that happens to be.
"""

from __future__ import annotations

from typing import Any

from domain.opportunity.state import Opportunity


def facts(deal: Opportunity) -> dict[str, Any]:
    """The deal as CEL sees it: `deal`, `stage`, `tasks` (by key) and `partners`."""
    return {
        "deal": {
            "title": deal.title,
            "amount": float(deal.amount.amount) if deal.amount else 0.0,
            "currency": deal.amount.currency if deal.amount else "",
            "status": deal.status.value,
            "owner": deal.owner.name if deal.owner else "",
            "custom": dict(deal.custom),
            "customer": {
                "name": deal.customer.name,
                "country": deal.customer.country or "",
                "industry": deal.customer.industry or "",
            },
        },
        "stage": {
            "key": deal.stage.key,
            "phase": deal.phase.value,
            "position": deal.playbook.position(deal.stage.key),
        },
        "tasks": {
            task.key: {"state": task.state.value, "required": task.required, "side": task.side.value}
            for task in deal.tasks.values()
        },
        "partners": [{"name": partner.name, "role": partner.role.value} for partner in deal.partners],
    }
