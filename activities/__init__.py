"""What touches the world. `activities(...)` makes all of them for a worker."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from activities.approvals import ApprovalActivities
from activities.discounts import DiscountActivities, facts_now
from activities.notify import NotifyActivities
from activities.record import RecordActivities
from activities.rules import judge_rule
from db.session import Database
from domain.discount.submit import KIND as DISCOUNT


def activities(database: Database, *, mails: bool = False) -> list[Callable[..., Any]]:
    """Every activity, with what it needs; with `mails`, what people are told is mailed to them as well."""
    approvals = ApprovalActivities(database, {DISCOUNT: facts_now})
    discounts = DiscountActivities(database)
    records = RecordActivities(database)
    return [
        records.record_opportunity,
        records.catch_up,
        judge_rule,
        discounts.resolve_discount,
        discounts.check_discounts,
        approvals.record_approval,
        approvals.resolve_steps,
        approvals.judge_round,
        NotifyActivities(database, mails=mails).notify,
    ]
