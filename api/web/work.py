"""My work: what waits for me, most urgent first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal
from urllib.parse import quote

from fastapi import APIRouter, Request, Response

from api.principal import PrincipalDep
from api.services import DatabaseDep
from api.web.filters import plural
from api.web.lists import Cursor
from api.web.rendering import page
from api.zones import begins, zone_of
from db import work
from db.pages import PageRequest
from db.session import Database
from db.work import Group, Until, Waiting
from domain.opportunity.work import WorkKind
from domain.principal import Principal, Side

router = APIRouter(include_in_schema=False)

GROUPS = {
    Group.OVERDUE: "Overdue",
    Group.TODAY: "Today",
    Group.WEEK: "This week",
    Group.CHECK_INS: "Check-ins",
    Group.FOLLOW_UPS: "Follow-ups",
    Group.LATER: "Later",
}
_SHEETS = {WorkKind.SIGN_OFF: "advance", WorkKind.CHECK_IN: "check-in"}
_ICONS = {
    WorkKind.SIGN_OFF: "shield-check",
    WorkKind.ADVANCE: "milestone",
    WorkKind.CHECK_IN: "radio",
    WorkKind.HANDOFF: "package-check",
    WorkKind.APPROVAL: "list-checks",
    WorkKind.FOLLOW_UP: "message-square",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One thing to do, as the page shows it."""

    waiting: Waiting
    icon: str | None

    @property
    def id(self) -> str:
        item = self.waiting.item
        return f"work-{self.waiting.opportunity_id}-{item.kind.value}-{item.key}"

    @property
    def deal(self) -> str:
        return f"/opportunities/{self.waiting.opportunity_id}"

    @property
    def form(self) -> str | None:
        """The form on which it is done; None where a click or a page of its own does it."""
        item = self.waiting.item
        if item.kind is WorkKind.FOLLOW_UP:
            return f"/handoffs/{self.waiting.opportunity_id}/follow-up?of={quote(item.key)}"
        accepts = item.kind is WorkKind.HANDOFF and item.key == "accept"
        name = "accept-handoff" if accepts else _SHEETS.get(item.kind)
        return f"{self.deal}/actions/{name}?" if name else None

    @property
    def page(self) -> str:
        """Where the thing is done: on its request's page, its hand-off's, or the deal's."""
        item = self.waiting.item
        if item.kind is WorkKind.FOLLOW_UP:
            return f"/handoffs/{self.waiting.opportunity_id}#{item.key}"
        return f"/approvals/{item.key}" if item.kind is WorkKind.APPROVAL else self.deal


@dataclass(slots=True)
class Section:
    """The rows of one group that are on this page, and how many there are in all."""

    group: Group
    total: int
    rows: list[Row] = field(default_factory=list)

    @property
    def title(self) -> str:
        return GROUPS[self.group]


@router.get("/")
async def my_work(
    request: Request,
    principal: PrincipalDep,
    database: DatabaseDep,
    scope: Literal["mine", "team"] = "mine",
    cursor: Cursor = None,
) -> Response:
    """The home page."""
    team = scope == "team"
    until = await _until(database, principal)
    async with database.read() as session:
        found = await work.page(session, principal, PageRequest(100, cursor), team=team)
        counts = await work.tally(session, principal, until, team=team)
    more = request.url.include_query_params(cursor=found.next_cursor) if found.next_cursor else None
    return page(
        request,
        "work/index.html",
        principal=principal,
        section="work",
        sections=sections(found.items, counts, until),
        summary=summary(counts, scope),
        scope=scope,
        scopes=(("mine", "For me"), ("team", _team(principal))),
        more_url=f"{more.path}?{more.query}" if more else None,
    )


def _team(principal: Principal) -> str:
    return "The whole vendor" if principal.side is Side.VENDOR else f"All of {principal.organisation}"


async def _until(database: Database, principal: Principal) -> Until:
    """When today and this week end for the reader: a week is today and the seven days after it."""
    now = datetime.now(UTC)
    zone = await zone_of(database, principal)
    today = now.astimezone(zone).date()
    return Until(now, *(begins(today + timedelta(days=days), zone) for days in (1, 8)))


def sections(items: list[Waiting], counts: Mapping[Group, int], until: Until) -> list[Section]:
    """By urgency, and what is neither overdue nor due today also by what it is; empty ones are left out."""
    found = {group: Section(group, counts.get(group, 0)) for group in GROUPS}
    for waiting in items:
        item = waiting.item
        found[until.group(item)].rows.append(Row(waiting, _ICONS.get(item.kind)))
    return [section for section in found.values() if section.rows]


def summary(counts: Mapping[Group, int], scope: str) -> str:
    """How it stands over the whole list, in a sentence."""
    total = sum(counts.values())
    if not total:
        return "All clear."
    parts = []
    if overdue := counts.get(Group.OVERDUE):
        parts.append(f"{plural(overdue, 'thing is', 'things are')} overdue")
    if today := counts.get(Group.TODAY):
        parts.append(f"{today:,} due today" if parts else f"{plural(today, 'thing')} due today")
    if week := counts.get(Group.WEEK):
        parts.append(f"{week:,} more this week" if parts else f"{plural(week, 'thing')} due this week")
    if not parts:
        who = "you" if scope == "mine" else "your side"
        return f"{plural(total, 'thing waits', 'things wait')} for {who}, none of it pressing."
    return f"{', '.join(parts)}."
