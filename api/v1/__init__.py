"""The JSON API, version 1. Each module is a capability with its router; this package puts them together."""

from fastapi import APIRouter

from api.v1 import (
    accounts,
    agenda,
    approvals,
    calendar,
    calendar_feeds,
    deal_partners,
    delegations,
    discounts,
    events,
    exchange_rates,
    handoffs,
    keys,
    lines,
    me,
    notices,
    notification_preferences,
    opportunities,
    partners,
    playbooks,
    policies,
    products,
    tasks,
    timelines,
    users,
    work,
)

router = APIRouter(prefix="/api/v1")
for each in (
    me,
    opportunities,
    tasks,
    lines,
    discounts,
    deal_partners,
    timelines,
    agenda,
    handoffs,
    approvals,
    work,
    calendar,
    calendar_feeds,
    notices,
    notification_preferences,
    events,
    accounts,
    partners,
    products,
    exchange_rates,
    users,
    delegations,
    keys,
    playbooks,
    policies,
):
    router.include_router(each.router)
router.include_router(events.streams)
router.include_router(handoffs.lists)
