"""The JSON API, version 1. Each module is a capability with its router; this package puts them together."""

from fastapi import FastAPI

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

PREFIX = "/api/v1"


def install(app: FastAPI) -> None:
    """Serve the API.

    Each router hangs on the application itself: to find a route of a router within a router, FastAPI
    goes through all of both several times, with every request.
    """
    for each in (
        me, opportunities, tasks, lines, discounts, deal_partners, timelines, agenda, handoffs, approvals,
        work, calendar, calendar_feeds, notices, notification_preferences, events, accounts, partners,
        products, exchange_rates, users, delegations, keys, playbooks, policies,
    ):  # fmt: skip
        app.include_router(each.router, prefix=PREFIX)
    app.include_router(events.streams, prefix=PREFIX)
    app.include_router(handoffs.lists, prefix=PREFIX)
