"""What touches the world. `activities(...)` makes all of them for a worker."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from activities.approvals import ApprovalActivities, DealActivities
from activities.courier import CourierActivities
from activities.discounts import DiscountActivities, facts_now
from activities.handoffs import HandOffActivities
from activities.letters import Letters
from activities.notify import NotifyActivities
from activities.record import RecordActivities
from activities.rules import judge_rule
from activities.triggers import TriggerActivities, judge_triggers
from db.session import Database
from domain.discount.submit import KIND as DISCOUNT
from runtime.chat import Chats
from runtime.links import Links
from runtime.mail import Mailer
from runtime.settings import Settings
from workflows.approval_tell import Tell
from workflows.courier_wake import Wake


def activities(database: Database, settings: Settings, wake: Wake, tell: Tell) -> list[Callable[..., Any]]:
    """Every activity, with what it needs.

    `wake` lets somebody's courier look at what waits for them, `tell` lets a deal hear of its request.
    """
    approvals = ApprovalActivities(database, {DISCOUNT: facts_now})
    discounts = DiscountActivities(database)
    handoffs = HandOffActivities(database)
    records = RecordActivities(database)
    courier = CourierActivities(
        database, Letters(Links(settings)), Mailer.of(settings), Chats(settings.chat_schemes)
    )
    return [
        records.record_opportunity,
        records.catch_up,
        judge_rule,
        judge_triggers,
        TriggerActivities(settings).call_webhook,
        discounts.resolve_discount,
        discounts.check_discounts,
        approvals.record_approval,
        approvals.resolve_steps,
        approvals.judge_round,
        DealActivities(tell).tell_deal,
        handoffs.record_handoff,
        handoffs.reckon_handoff,
        handoffs.prepare_renewal,
        NotifyActivities(database, mails=settings.smtp_url is not None, wake=wake).notify,
        courier.look,
        courier.deliver,
        courier.settle,
    ]
